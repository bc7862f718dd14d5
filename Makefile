# What one does with the portal. `make` lists it.

PYTHON ?= python3
PROCESSES ?= 3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
PYTEST := $(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal

# Compiled modules are kept, also where a shell says not to: each process of the tests would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run demo test check lint format bench lock messages

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/runs ## Install what the portal runs on into .venv

run: .venv/runs ## Start the whole clinic on this machine (PORT=8501); Ctrl-C stops it
	@$(BIN)/python -m jobs.launch

demo: .venv/runs ## Replace the demo clinic by a fresh one, also while it runs
	@$(BIN)/python -m jobs.launch --reset-demo

# What may differ between two PostgreSQLs is what their statements do. Pages add none of their own to those
# of core, what is long tries our own code, and what speaks with the sandbox tries how we speak with others.
test: .venv/tests ## Run all tests (PROCESSES=3), then those of the database on the system's PostgreSQL too
	$(PYTEST)
	@if $(BIN)/python -c "import sys; from tests.servers import system_binaries as there; sys.exit(not there())"; then \
		echo "Again on the system's PostgreSQL:"; \
		$(PYTEST) --postgres system -m "database and not (browser or screens or long or outside)"; \
	else \
		echo "Skipped: the same on the system's PostgreSQL, since there is none."; \
	fi

check: lint test ## Lint, type-check and test: what has to pass before a change goes in

lint: .venv/tests ## Check formatting, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

format: .venv/tests ## Put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/tests ## Measure, as ratios against a bare baseline
	$(BIN)/python -m benchmarks

lock: .venv/bin/uv ## Pin what requirements*.in ask for
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

messages: .venv/tests ## Collect the sentences to translate into locale/clinic.pot
	$(BIN)/pybabel -q extract --keyword=_ --keyword=N_ --keyword=ngettext:1,2 --no-default-keywords \
		--project=clinic --add-location=file --sort-output -o locale/clinic.pot core db jobs pages Home.py server.py

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The portal needs Python 3.11 or newer. Name one: make PYTHON=python3.12 run")'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# The stamps: installed again only when what they stand for is newer.
.venv/runs: requirements.txt | .venv/bin/python
	@echo "Installing what the portal runs on ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/tests: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "Installing what the portal runs on and is tested with ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch .venv/runs $@

.venv/bin/uv: | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
