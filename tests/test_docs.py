"""Every example in the documents runs: docstrings, README and the pages of docs/."""

import doctest
import importlib
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from tests.test_house import FILES, name_of

ROOT = Path(__file__).parent.parent
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)  # `make site` writes three folders
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        is_written = link.split("/")[0] in ("api", "gallery", "methods") and page.parent == ROOT / "docs"
        assert link.startswith("https://") or (page.parent / link).exists() or is_written, link
