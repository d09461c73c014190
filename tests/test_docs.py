"""Every example in the documents runs: docstrings, README, and the programs in examples/."""

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from tests.helpers import program
from tests.test_house import FILES, name_of

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", [name_of(path) for path in FILES if ">>>" in path.read_text()])
def test_docstring_examples(name, single):
    module = importlib.import_module(f"jaxconv.{name}")
    assert doctest.testmod(module, extraglobs={"jax": jax, "jnp": jnp}).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_on_pages_runs(page, single, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).exists(), link


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_examples_run_and_draw(example, tmp_path):
    command = [sys.executable, str(example), "--save", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [f"{example.stem}.png"]


def test_the_lectures_numbers_are_what_the_example_prints(capsys):
    """15 at shift -5, 20 at shift 0, 5 at shift 5 and nothing from shift 10 on."""
    first = program("examples/01_first_convolution.py")
    *_, values = first.slide()
    assert {s: values[s] for s in (-5, 0, 5, 10, 12)} == {-5: 15, 0: 20, 5: 5, 10: 0, 12: 0}
    assert first.lay_by_hand().tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert first.find_hot_spots()[2] == {"cross": (17, 45), "circle": (17, 74)}
