# SPDX-License-Identifier: BSD-3-Clause
#
#   make demo                       one photograph beside JPEG, WebP and AVIF (also: make demo photo.png)
#   make demo PHOTO="my photo.jpg"
#   make test                       ruff, mypy and all tests
#   make docs                       the documentation as a site, in site/ (python3 -m http.server -d site shows it)
#   make dist                       wheel and source distribution in dist/, checked
#   make notebook                   runs docs/notebooks/report.ipynb in full: some minutes
#   make generated                  brings man page, completions and the tables of the README up to date
#   make clean                      removes the environments and what was built
#
# Another Python, 3.11 or later: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
TEST_VENV := .venv-test
DOCS_VENV := .venv-docs
PHOTO ?=

# What stands after "demo" is a photograph, and not a target to build.
ifeq (demo,$(firstword $(MAKECMDGOALS)))
  ifneq (,$(word 2,$(MAKECMDGOALS)))
    PHOTO := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
    .PHONY: $(PHOTO)
    $(PHOTO): ; @:
  endif
endif
export PHOTO

.PHONY: demo test lint docs dist notebook generated clean
.DEFAULT_GOAL := test

# The scikit-image wheel is unpacked for its photograph alone: --no-deps leaves SciPy and the rest out.
demo: $(VENV)/ready $(if $(PHOTO),,$(VENV)/photograph)
	@$(VENV)/bin/python -m calotype.cli.demo $${PHOTO:+"$$PHOTO"}

test: lint
	$(TEST_VENV)/bin/python -m pytest -n 2 --dist loadfile

lint: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python -m ruff check .
	$(TEST_VENV)/bin/python -m ruff format --check .
	$(TEST_VENV)/bin/python -m mypy

docs: $(DOCS_VENV)/ready
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --quiet --clean

dist: $(DOCS_VENV)/ready
	$(DOCS_VENV)/bin/python tools/distribution.py

notebook: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python -m jupytext --to notebook --update docs/notebooks/report.py
	$(TEST_VENV)/bin/python -m jupytext --to notebook --execute --output - docs/notebooks/report.py > /dev/null

generated: $(TEST_VENV)/ready
	$(TEST_VENV)/bin/python tools/manual.py
	$(TEST_VENV)/bin/python tools/readme.py

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/photograph: $(VENV)/ready constraints.txt
	$(VENV)/bin/python -m pip install --quiet --no-deps --constraint constraints.txt scikit-image
	@touch $@

$(TEST_VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(TEST_VENV)
	$(TEST_VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test,train]"
	@touch $@

$(DOCS_VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

clean:
	rm -rf $(VENV) $(TEST_VENV) $(DOCS_VENV) site dist build
