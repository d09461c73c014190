"""A page for each method: what its file says, and a case where it wins and one where it loses."""

import ast
import contextlib
import io
from pathlib import Path

PLAN = "import jaxconv\n\nprint(jaxconv.plan({}))"
LAYER = """import jax
import jaxconv

signal = jax.ShapeDtypeStruct({signal}, "float32")
kernel = jax.ShapeDtypeStruct({kernel}, "float32")


def layer(signal, kernel):
    return jaxconv.conv_general_dilated(signal, kernel, (1, 1), {padding})


print(jaxconv.explain(layer, signal, kernel))"""
DENSE = LAYER.format(signal=(8, 64, 32, 32), kernel=(64, 64, 3, 3), padding='"SAME"')
POINTWISE = LAYER.format(signal=(8, 64, 56, 56), kernel=(256, 64, 1, 1), padding='"SAME"')
TRANSPOSED = LAYER.format(
    signal=(1, 8, 128, 128), kernel=(8, 8, 8, 8), padding="[(7, 7), (7, 7)], (4, 4)"
)
CASES = {  # where it wins, and where it loses
    "direct": ("(300,), (250,), 'valid'", "(1024, 1024), (3, 3), 'same'"),
    "onednn": (DENSE, "(1024, 1024), (3, 3), 'same'"),
    "matmul": (POINTWISE, DENSE),
    "products": ("(1000,), (998,), 'valid'", "(1000, 1000), (31, 31), 'same'"),
    "shifts": ("(1024, 1024), (3, 3), 'same'", "(1024, 1024), (31, 31), 'same'"),
    "folded": ("(1_000_000,), (129,), 'same'", "(1_000_000,), (4097,), 'same'"),
    "lines": ("(1024, 1024), (31, 31), 'same'", "(1024, 1024), (301, 301), 'same'"),
    "overlap": ("(1_000_000,), (4097,), 'same'", "(1_000_000,), (9,), 'same'"),
    "fft": ("(512, 512), (255, 255), 'same'", "(1024, 1024), (3, 3), 'same'"),
    "circular": (
        "(1024, 1024), (301, 301), 'same', boundary='wrap'",
        "(1024, 1024), (3, 3), 'same', boundary='wrap'",
    ),
    "lags": ("(1_000_000,), (999_000,), 'valid'", "(1_000_000,), (999_990,), 'valid'"),
    "phases": (TRANSPOSED, DENSE),
}


def write(sources: Path, folder: Path, keep) -> None:
    """Write all pages; `keep` writes one if it has changed."""
    folder.mkdir(exist_ok=True)
    for name, (wins, loses) in CASES.items():
        doc = ast.get_docstring(ast.parse((sources / f"{name}.py").read_text())) or ""
        title, _, about = doc.partition("\n\n")
        text = f"# {name}\n\n{title.partition(': ')[2].capitalize()}\n\n{about}\n"
        text += f"\n## Where it wins\n\n{_case(wins)}\n## Where it loses\n\n{_case(loses)}"
        keep(folder / f"{name}.md", text)
    links = "\n".join(f"- [{name}]({name}.md)" for name in CASES)
    tree = "\n".join(["```{toctree}", ":hidden:", "", *CASES, "```", ""])
    about = "Plans are those of the machine that built this page; [how they are made](../planning.md)."
    keep(folder / "index.md", f"# The methods\n\n{about}\n\n{links}\n\n{tree}")


def _case(text: str) -> str:
    code = text if "\n" in text else PLAN.format(text)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(code, {})
    return f"```python\n{code}\n```\n\n```text\n{told.getvalue().rstrip()}\n```\n"
