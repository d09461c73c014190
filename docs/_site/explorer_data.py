"""Write jaxconv/explorer/data.json: a photograph, digits, and a network that learned from others.

python docs/_site/explorer_data.py
"""

import json
import sys
from functools import partial
from pathlib import Path

import jax
import numpy as np
from skimage import data
from skimage.transform import resize

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "examples")]

import feature_maps  # noqa: E402

FEATURES = (6, 12)
SIDE = 80  # of the photograph


def main() -> None:
    """Train, and write."""
    feature_maps.FEATURES = FEATURES
    known, held = feature_maps.digits()
    draw = partial(feature_maps.shift, images=known[0], kinds=known[1])
    weights = feature_maps.learn(draw, feature_maps.init(jax.random.key(0), 8, 10))
    images, kinds = (np.asarray(part) for part in held)
    labels = np.asarray(jax.jit(feature_maps.scores)(weights, images).argmax(-1))
    right = labels == kinds
    shown = [np.flatnonzero(right & (kinds == kind))[0] for kind in range(10)]
    layers = [
        {"kernels": rounded(np.transpose(kernel, (3, 2, 0, 1))), "biases": rounded(bias)}
        for kernel, bias in zip(weights["kernels"], weights["biases"])
    ]
    photograph = resize(data.camera()[:400, 80:480] / 255, (SIDE, SIDE), anti_aliasing=True)
    told = {
        "photograph": rounded(photograph, 2),
        "digits": [{"kind": int(kinds[i]), "image": rounded(images[i])} for i in shown],
        "network": {
            "layers": layers,
            "linear": rounded(weights["linear"]),
            "biases": rounded(weights["biases"][-1]),
            "right": int(right.sum()),
            "judged": len(kinds),
        },
    }
    path = ROOT / "jaxconv" / "explorer" / "data.json"
    path.write_text(json.dumps(told, separators=(",", ":")) + "\n")
    print(f"wrote {path.relative_to(ROOT)}: {right.sum()} of {len(kinds)} digits right")


def rounded(values, digits: int = 4):
    """Return numbers for a file."""
    return np.round(np.asarray(values, float), digits).tolist()


if __name__ == "__main__":
    main()
