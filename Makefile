# Everything a person does here, by name. `make help` lists it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
SDK_SOURCES := $(shell find sdk -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
CONSOLE_SOURCES := $(shell find console/frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
NPM_CI := npm ci --no-audit --no-fund --loglevel=error
PYTEST_ARGS ?=

BENCHES := bench-sandbox bench-demo

.PHONY: help demo demo-run demo-reset up test pytest vitest check system build bench $(BENCHES)
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- What everything needs -------------------------------------------------------------------------------
$(VENV)/.ready: requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Python 3.11 is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) \
	  || { echo "python3 can't make a virtual environment. Run: apt-get install python3-venv"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

%/node_modules/.ready: %/package-lock.json
	cd $* && $(NPM_CI)
	@touch $@

sdk/dist/kriptik.js: sdk/node_modules/.ready $(SDK_SOURCES)
	cd sdk && npm run --silent build
	@touch $@

console/static/console/dist/replay.js: console/frontend/node_modules/.ready $(CONSOLE_SOURCES)
	cd console/frontend && npm run --silent build
	@touch $@

system:  ## Chromium and bubblewrap: installs them when it may, else names the command
	@bin/system-parts

build: $(VENV)/.ready sdk/dist/kriptik.js console/static/console/dist/replay.js

# --- Run it ----------------------------------------------------------------------------------------------
demo: system build  ## the whole product on one machine, with Forge as its host; Ctrl-C ends it
	@$(PY) manage.py demo

demo-run: system build  ## drives the three stories in a real browser and prints their timelines
	@$(PY) manage.py demo_run

demo-reset:  ## forgets the demo and all its data
	@$(PYTHON) bin/demo-reset

up: build  ## the same for a real host (see docs/host-contract.md)
	@$(PY) manage.py up

# --- Prove it --------------------------------------------------------------------------------------------
test: system build check vitest pytest  ## linters, vitest and pytest; DATABASE_URL and REDIS_URL choose the services

check: build  ## ruff, mypy, import-linter, tsc, migrations, templates
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
	$(PY) -m mypy core workbench notifications incidents flags healing research console kriptik_ops hostkit
	$(VENV)/bin/lint-imports
	KRIPTIK_SECRET_KEY=check DATABASE_URL= $(PY) manage.py makemigrations --check --dry-run
	KRIPTIK_SECRET_KEY=check DATABASE_URL= $(PY) manage.py check --fail-level WARNING
	$(VENV)/bin/djade --target-version 5.2 --check $$(git ls-files 'templates/*.html')
	cd sdk && npm run --silent check
	cd console/frontend && npm run --silent check

vitest: build
	cd sdk && npm test --silent

pytest: build
	$(PY) -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

bench: $(BENCHES)  ## every figure there is, into benchmarks/results/

$(BENCHES): bench-%: system build
	$(PY) -m benchmarks.$*
