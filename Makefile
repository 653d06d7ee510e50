# `make app` installs and opens the app; `make test` installs and passes the tests; `make docs` makes
# pages of docstrings and guides, in site/, and fails on a broken link; `make mutants` plants faults
# one at a time and tells which the tests notice.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DOCS := .venv-docs

.PHONY: app test lint mutants docs clean

app: $(VENV)/.app
	$(BIN)/streamlit run app.py --server.headless false --server.showEmailPrompt false

test: $(VENV)/.dev
	bash tools/get_browser.sh $(BIN)/python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest -n auto --maxprocesses 8 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/pyright --pythonpath $(BIN)/python

mutants: $(VENV)/.dev
	$(BIN)/python tools/mutants.py

docs: $(DOCS)/.done
	$(DOCS)/bin/mkdocs build --strict

$(DOCS)/.done: requirements-docs.txt
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install -q -r requirements-docs.txt
	touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) $(DOCS) site
