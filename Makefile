# `make demo` and `make test` each set up what they need on first use; both want only Python 3.11+ and make.
PYTHON ?= python3
NEWEST ?= python3.13
VENV ?= .venv
BIN = $(VENV)/bin
COINS = $(shell $(BIN)/python -c "import os, skimage; print(os.path.join(os.path.dirname(skimage.__file__), 'data', 'coins.png'))")

.PHONY: demo test quick long ends check format bench site clean

demo: $(VENV)/.demo  ## learn the circle and the cross, then find coins in a photograph
	$(BIN)/jaxconv learn circle --output out
	$(BIN)/jaxconv learn cross --output out
	$(BIN)/jaxconv find "$(COINS)" --filter out/circle.npz --radius 20..30 --edges --output out

test: $(VENV)/.test  ## the whole suite in 64 bits, then what depends on the word length in 32
	$(BIN)/pytest -n 2 -q
	JAX_ENABLE_X64=0 $(BIN)/pytest -n 2 -q

quick: $(VENV)/.test  ## the tests that take seconds
	$(BIN)/pytest -n 2 -q -m "not slow and not long"

long: $(VENV)/.test  ## thousands of new random cases of every convolution, and what else takes long: an hour
	$(BIN)/pytest -n 2 -q -m long

ends:  ## the whole suite at both ends of what is supported: Python 3.11 has JAX 0.10, the newest the newest
	$(MAKE) test PYTHON=python3.11 VENV=.venv-oldest
	$(MAKE) test PYTHON=$(NEWEST) VENV=.venv-newest

check: $(VENV)/.check  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

site: $(VENV)/.site  ## the documents as a site, docs/_build/html/index.html; a warning is an error
	$(BIN)/python -m sphinx -b html -W --keep-going -q -d docs/_build/doctrees docs docs/_build/html

bench: $(VENV)/.bench  ## time jaxconv beside its peers and write docs/benchmarks.md: a quarter of an hour
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/jaxconv bench --output out
	$(BIN)/python benchmarks/page.py out/benchmarks.json docs
	$(BIN)/python benchmarks/front.py .

clean:
	rm -rf $(VENV) out docs/_build docs/api docs/gallery docs/methods

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	touch $@

$(VENV)/.site: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[site]'
	touch $@

$(VENV)/.check: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test,check]'
	touch $@
