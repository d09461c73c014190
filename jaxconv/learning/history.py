"""History: what a fit has seen epoch by epoch, and the file that it can resume from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxconv.learning import saving
from jaxconv.learning.state import State


@dataclass(frozen=True)
class History:
    """The state of a fit, and its losses, what was watched, and the number of steps per epoch.

    Frozen, so that Ctrl-C at any moment leaves the history before an epoch or the one after it.
    """

    state: State
    losses: tuple[Any, ...]
    watched: tuple[Any, ...]
    steps: tuple[int, ...]
    interrupted: bool = False

    def add(self, state: State, losses: jax.Array, watched: Any) -> "History":
        """Return the history with one more epoch, or raise if a loss is not finite."""
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            number = self.steps[-1] + int(bad[0]) + 1
            raise FloatingPointError(
                f"fit: the loss must be finite; got {losses[bad[0]]} at step {number}, or such a"
                " gradient. Try a lower rate of the optimizer, or optax.clip_by_global_norm before it;"
                " and see whether the data hold NaN."
            )
        return History(
            state,
            (*self.losses, np.asarray(losses)),  # NumPy's, since JAX compiles for each new length
            (*self.watched, jax.tree.map(np.asarray, watched)),
            (*self.steps, self.steps[-1] + len(losses)),
        )

    def stack(self) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return losses, what was watched, and numbers of steps, as arrays over the whole fit."""
        losses = np.concatenate(self.losses) if self.losses else np.zeros(0, np.float32)
        watched = jax.tree.map(lambda *each: np.stack(each), *self.watched)
        return losses, watched, np.array(self.steps)


@dataclass(frozen=True)
class Checkpoint:
    """The file that holds a fit, and the settings that a fit must share to resume from it."""

    path: Path
    settings: dict[str, Any]

    def write(self, history: History) -> None:
        """Save a history."""
        saving.write(self.path, self.settings, state=history.state, seen=history.stack())

    def read(self, start: History) -> History:
        """Return the saved history, if it belongs to the same fit as `start`; else raise."""
        no_losses = jnp.zeros(0, start.state.best_loss.dtype)
        watched = jax.tree.map(lambda a: a[None], start.watched[0])
        exact, alike = {"state": start.state}, {"seen": (no_losses, watched, jnp.array(start.steps))}
        saved = saving.read("fit", self.path, self.settings, exact, alike)

        losses, watched, steps = saved["seen"]
        each = (jax.tree.map(lambda a, i=i: np.asarray(a)[i], watched) for i in range(len(steps)))
        return History(saved["state"], (losses,), tuple(each), tuple(steps.tolist()))
