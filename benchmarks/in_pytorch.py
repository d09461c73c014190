"""The networks of `networks.py` in PyTorch, layer for layer, with the same names and weights."""

from collections.abc import Callable

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a 1 x 1 convolution."""

    def __init__(self, inputs: int, outputs: int):
        """Draw the weights."""
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, 2, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (batch, features, rows, columns)."""
        return F.relu(self.shortcut(x) + self.second(F.relu(self.first(x))))


class ResidualNetwork(nn.Module):
    """Three residual blocks and a classifier of the mean."""

    def __init__(self):
        """Draw the weights."""
        super().__init__()
        self.blocks = nn.Sequential(Residual(3, 16), Residual(16, 32), Residual(32, 64))
        self.classify = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to scores."""
        return self.classify(self.blocks(x).mean((2, 3)))


class Block(nn.Module):
    """A depthwise 7 x 7 convolution, then a perceptron at each pixel."""

    def __init__(self, features: int):
        """Draw the weights."""
        super().__init__()
        self.depthwise = nn.Conv2d(features, features, 7, padding=3, groups=features)
        self.norm = nn.LayerNorm(features, eps=1e-6)
        self.widen, self.narrow = nn.Linear(features, 4 * features), nn.Linear(4 * features, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images; the perceptron takes features last, as ConvNeXt's own code does."""
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.narrow(F.gelu(self.widen(y), approximate="tanh"))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """Patches, two blocks, a classifier of the mean."""

    def __init__(self):
        """Draw the weights."""
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 4, 4)
        self.blocks = nn.Sequential(Block(64), Block(64))
        self.classify = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images to scores."""
        return self.classify(self.blocks(self.patches(x)).mean((2, 3)))


class Twice(nn.Module):
    """Two 3 x 3 x 3 convolutions."""

    def __init__(self, inputs: int, outputs: int):
        """Draw the weights."""
        super().__init__()
        self.first = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv3d(outputs, outputs, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map volumes."""
        return F.relu(self.second(F.relu(self.first(x))))


class UNet(nn.Module):
    """Twice down, twice up."""

    def __init__(self):
        """Draw the weights."""
        super().__init__()
        self.fine, self.middle, self.coarse = Twice(1, 8), Twice(8, 16), Twice(16, 32)
        self.to_middle, self.to_fine = nn.ConvTranspose3d(32, 16, 2, 2), nn.ConvTranspose3d(16, 8, 2, 2)
        self.join_middle, self.join_fine = Twice(32, 16), Twice(16, 8)
        self.label = nn.Conv3d(8, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map volumes to labels."""
        fine = self.fine(x)
        middle = self.middle(F.max_pool3d(fine, 2))
        coarse = self.coarse(F.max_pool3d(middle, 2))
        middle = self.join_middle(torch.cat([middle, self.to_middle(coarse)], 1))
        return self.label(self.join_fine(torch.cat([fine, self.to_fine(middle)], 1)))


FORMATS = {  # PyTorch 2.14's gradient of strided 1 x 1 layers, channels last, ends the process
    ResidualNetwork: (torch.contiguous_format,),
    ConvNeXt: (torch.contiguous_format, torch.channels_last),
    UNet: (torch.contiguous_format, torch.channels_last_3d),
}


def loaded(model: nn.Module, named: dict[str, jax.Array]) -> nn.Module:
    """Return a network with weights of the same names: Equinox's as they are, Flax's turned."""
    layers, state = dict(model.named_modules()), {}
    for name, weight in named.items():
        layer, what = name.rsplit(".", 1)
        value = np.asarray(weight)
        if what == "kernel":
            value = _turned(value, isinstance(layers[layer], nn.ConvTranspose3d))
        target = f"{layer}.{'weight' if what in ('kernel', 'scale') else what}"
        state[target] = torch.tensor(value).reshape(model.state_dict()[target].shape)
    model.load_state_dict(state)
    return model


def _turned(kernel: np.ndarray, transposed: bool) -> np.ndarray:
    """Return Flax's kernel (*space, inputs, outputs) as PyTorch's."""
    space = tuple(range(kernel.ndim - 2))
    turned = np.flip(kernel, space) if transposed else kernel.swapaxes(-2, -1)
    return np.ascontiguousarray(turned.transpose(-2, -1, *space))


def torch_step(
    model: nn.Module, images: jax.Array, layout: torch.memory_format, rate: float
) -> Callable:
    """Return a training step, which returns the loss and takes the gradient from the weights."""
    model, x = model.to(memory_format=layout), torch.tensor(np.asarray(images)).to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), rate)

    def step() -> tuple[torch.Tensor]:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return (loss.detach(),)

    return step
