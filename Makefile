# Everything a newcomer, a developer and CI do here. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
# Where pip keeps quiet about itself.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help setup run tour test check format bench docs clean

help: ## list these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/dev ## make .venv with all that developing needs

run: .venv/run ## start the service with a sample account and a simulated carrier
	$(BIN)/cleartosend serve --demo

tour: .venv/tour ## apply, be judged, send and see it delivered, against a running `make run`
	@$(BIN)/python examples/tour.py

test: .venv/dev ## run all tests
	$(BIN)/python -m pytest

check: .venv/dev ## lint, types, layers, the rules' own examples
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m cleartosend.policy.rulebook

format: .venv/dev ## format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/dev ## measure what a call costs, against the budgets
	$(BIN)/python bench/calls.py

docs: .venv/dev ## write the pages and the README's output that are made from the code
	$(BIN)/python docs/generate.py --readme

clean: ## remove .venv and what the tools left behind
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv

# A stamp for each set of packages: installed again only when pyproject.toml has changed.
.venv/run: pyproject.toml | .venv/bin/python
	$(PIP) --editable .
	@touch $@

.venv/tour: pyproject.toml | .venv/bin/python
	$(PIP) --editable '.[tour]'
	@touch $@

.venv/dev: pyproject.toml | .venv/bin/python
	$(PIP) --editable '.[dev]'
	@touch $@
