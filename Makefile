# The whole interface: make setup, make run, make test, make check. See README.md.
PYTHON ?= python3.11
PORT ?= 8000
BROKER ?= angel
MINUTES ?= 10
VENV := .venv
BIN := $(VENV)/bin
# Errors alone: whoever starts Pinnacle is not helped by what pip warns of.
PIP := $(BIN)/pip install -qq --disable-pip-version-check --root-user-action=ignore

.PHONY: setup run test test-all check lock bench survival screenshots

setup: var/.set-up

run: var/.set-up
	@$(BIN)/python manage.py run_pinnacle --port $(PORT)

test: var/.set-up-dev
	@$(BIN)/python bin/test.py

test-all: var/.set-up-dev
	@$(BIN)/python bin/test.py --all

check: var/.set-up-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python bin/check_deploy.py

lock: var/.set-up-dev
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt requirements.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.txt requirements-dev.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o bin/requirements-servers.txt bin/requirements-servers.in

bench: var/.set-up-dev
	$(BIN)/python bench/run.py

survival: var/.set-up-dev
	$(BIN)/python -m bench.survival --broker $(BROKER) --minutes $(MINUTES)

screenshots: var/.set-up-dev
	$(BIN)/python docs/screenshots.py

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Pinnacle needs Python 3.11; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making a Python environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

# Each stamp is as new as what it was made from, so a second run starts in seconds.
var/.installed: requirements.txt | $(BIN)/python
	@mkdir -p var
	@echo "Installing Pinnacle's libraries (once, it may take a minute or two) …"
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

var/.set-up: var/.installed package-lock.json static/css/*.css $(wildcard */migrations/*.py) | $(BIN)/python
	@echo "Preparing front-end files, database and demo desk (up to a minute) …"
	@$(BIN)/python bin/prepare.py
	@touch $@

var/.set-up-dev: var/.set-up requirements-dev.txt
	@echo "Installing what tests and checks need …"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
