"""How a convolution can be computed: one file per method, listed by name in `jaxconv.types.Method`.

Each file ends with its `METHOD`, whose `run` computes the formula of `problem.py` and returns
`problem.output` elements in `problem.accumulator`. Import nothing from here but `METHODS`.
"""

from importlib import import_module

from jaxconv.engine.methods.method import Method
from jaxconv.types import METHODS as NAMES

METHODS: dict[str, Method] = {
    name: import_module(f"{__name__}.{name}").METHOD for name in NAMES if name != "auto"
}
