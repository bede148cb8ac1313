# Everything a newcomer needs is `make demo` and `make test`; `make` alone lists the rest.
# PYTHON=/path/to/python3.12 chooses the interpreter of a new .venv. PORT=8123 moves the demo. ONCE=1 ends it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help setup test lint types imports migrations docs schema schema-golden clients dist tox demo clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/' | awk -F'|' '{printf "%-21s %s\n", $$1, $$2}'

setup: ## Make .venv with everything a developer uses
	@sh scripts/setup.sh dev

demo: ## Run the demo: a real small model, an endpoint, a streamed answer (PORT=, ONCE=1)
	@sh scripts/setup.sh demo
	@PORT="$(PORT)" ONCE="$(ONCE)" $(BIN)/python -m example_project.demo

test: ## Run the tests; PostgreSQL and Redis join when they answer (ARGS="-k name")
	@sh scripts/setup.sh test
	@sh scripts/test.sh $(ARGS)

lint: ## Check style (ruff)
	@sh scripts/setup.sh lint
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: ## Check types (mypy, strict)
	@sh scripts/setup.sh lint
	$(BIN)/python -m mypy

imports: ## Check that imports point down (import-linter)
	@sh scripts/setup.sh lint
	$(BIN)/lint-imports

migrations: ## Check that no migration is missing
	@sh scripts/setup.sh test
	$(BIN)/python -m django makemigrations --check --dry-run --settings tests.settings
	DATA_DIR=.test-data $(BIN)/python example_project/manage.py makemigrations --check --dry-run

schema: ## Check the OpenAPI schema in each host, as 3.0 and 3.1
	@sh scripts/setup.sh test
	@sh scripts/schema.sh

schema-golden: ## Take the golden file of the OpenAPI schema anew
	@sh scripts/setup.sh test
	AUTOMATE_TEST_UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q tests/schema/test_golden.py
	@git diff --stat -- tests/schema/schema.yml

clients: ## Make a TypeScript and a Python client from the schema, and call a real server with them
	@sh scripts/setup.sh test
	$(BIN)/python -m pytest -q -m clients tests/schema

docs: ## Build the documentation into docs/_build
	@sh scripts/setup.sh docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

dist: ## Build the wheel and try it in a clean environment
	@sh scripts/setup.sh dev
	$(BIN)/python -m tox -e dist

tox: ## Run every environment whose interpreter is here
	@sh scripts/setup.sh dev
	PATH="$$(sh scripts/interpreters.sh)" $(BIN)/python -m tox --skip-missing-interpreters true

clean: ## Remove what the other targets made, .venv and the demo's data included
	rm -rf .venv .tox .data .test-data .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
