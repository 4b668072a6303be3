# Two commands matter: `make demo` shows a plan, `make test` proves the program. Both need Python 3.11 or newer and nothing else.
.DEFAULT_GOAL := help
.PHONY: help demo test bench mixed-load docs-tables locks clean

PYTHON ?= $(firstword $(foreach p,python3 python3.14 python3.13 python3.12 python3.11 python,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXAMPLE := patients/dermatomyositis-us.yaml
DEMO := --jurisdiction US --as-of 2026-11-20

help:
	@echo "make demo         plan an example patient and print the plan (about a minute the first time)"
	@echo "make test         everything: style, types, layers, evidence, tests"
	@echo "make bench        measure the speed"
	@echo "make mixed-load   ten minutes of everything at once, with workers killed and the database taken away"
	@echo "make docs-tables  write the tables of docs/ that are made from the evidence"

demo: $(CORE)
	@$(BIN)/ivigil plan $(EXAMPLE) $(DEMO)
	@echo
	@echo "Try next:"
	@echo "  $(BIN)/ivigil why $(EXAMPLE) 1 $(DEMO)"
	@echo "      why line 1 stands, down to the record field and the place in the source"
	@echo "  $(BIN)/ivigil plan $(EXAMPLE) $(DEMO) --format html --out plan.html"
	@echo "      the same plan as a page to print"
	@echo "  $(BIN)/ivigil plan patients/*.yaml $(DEMO) --format json --out plans.json"
	@echo "      every example patient at once"
	@echo "  $(BIN)/ivigil evidence search kidney risk"
	@echo "      what the evidence says, and where it was read"
	@echo "  $(BIN)/ivigil --help"
	@echo "      everything else; docs/ explains it"

test: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/ivigil evidence check
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

bench: $(DEV)
	@set -e; for script in $(filter-out benchmarks/mixed_load.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script; done

mixed-load: $(DEV)
	$(BIN)/python benchmarks/mixed_load.py

docs-tables: $(DEV)
	@$(BIN)/python tools/model_checks.py
	@set -e; for script in docs/tables/*.py; do $(BIN)/python $$script; done

# Rewrites the lock files from requirements/*.in with the newest releases; needs uv.
locks:
	cd requirements && for name in core web container dev; do \
		uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header \
			$$name.in -o $$name.lock || exit 1; \
	done

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache mutants

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "ivigil needs Python 3.11 or newer; set PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Each stamp is written when its installation is whole, so the next run starts at once.
$(CORE): requirements/core.lock pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements/core.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.lock $(CORE)
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@
