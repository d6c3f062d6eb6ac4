# Everything a newcomer, a developer and CI do here. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
# Where pip keeps quiet about itself.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The vendor's client for Node, which tests call us with. Without node and npm they say so, and skip what needs it.
NODE_SDK := tencentcloud-sdk-nodejs-sms@4.1.306 tencentcloud-sdk-nodejs-common@4.1.220
# The SMSC that tests let our carrier bind to, so that it does not only understand its own kind.
NODE_SMPP := smpp@0.5.1
# The one for its international site has the module names of the other, so it is kept apart.
INTERNATIONAL_SDK := tencentcloud-sdk-python-intl-en==3.1.193
CLIENTS := .venv/international/installed $(if $(shell command -v node >/dev/null && command -v npm),.venv/node/installed)

.DEFAULT_GOAL := help
.PHONY: help setup run tour test compatibility check format bench chaos fuzz evaluate docs clean

help: ## list these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/dev $(CLIENTS) ## make .venv with all that developing needs

run: .venv/run ## start the service with a sample account and a simulated carrier
	$(BIN)/cleartosend serve --demo

tour: .venv/tour ## apply, be judged, send and see it delivered, against a running `make run`
	@$(BIN)/python examples/tour.py

test: .venv/dev $(CLIENTS) ## run all tests
	$(BIN)/python -m pytest

compatibility: .venv/dev $(CLIENTS) ## call every action through the vendor's own clients
	$(BIN)/python -m pytest tests/compatibility

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
	$(BIN)/python bench/members.py
	$(BIN)/python bench/carriers.py
	$(BIN)/python bench/odd_texts.py

fuzz: .venv/dev ## send 200,000 broken PDUs and receipts
	FUZZED=200000 $(BIN)/python -m pytest -n0 tests/carriers/smpp/test_fuzz.py tests/carriers/smpp/test_receipts.py

chaos: .venv/dev ## kill, cut, fill and confuse a server under load, and hold it to its promises; SEEDS="7 20-29"
	$(BIN)/python -m chaos.run $(SEEDS)

evaluate: .venv/dev ## score the policy on labelled texts; DATA=folder for the working data as well
	$(BIN)/python -m evaluation.evaluate $(DATA)

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

.venv/international/installed: Makefile | .venv/bin/python
	$(PIP) --no-deps --no-compile --upgrade --target .venv/international $(INTERNATIONAL_SDK)
	@touch $@

.venv/node/installed: Makefile | .venv/bin/python
	npm install --prefix .venv/node --no-save --no-audit --no-fund --ignore-scripts --loglevel error $(NODE_SDK) $(NODE_SMPP)
	@touch $@
