# `make run` is the whole system on this machine; `make test` is what a change must pass.

BIN := .venv/bin
STAGE ?= dev
INSTALLED := .venv/installed
# The first Python that is new enough, among the usual names.
PYTHON = $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1 && echo $$name && break; done)

.PHONY: help install dashboard run serve demo test test-deploy test-dynamodb test-integrations check docs clean deploy destroy

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "  make %-18s %s\n", $$1, $$2}'

install: $(INSTALLED)  ## what developing and running locally need, into .venv

dashboard: $(INSTALLED)  ## build the dashboard, if web/ has changed; the server runs without it too
	@$(BIN)/python -m infra.dashboard build || true

run: dashboard  ## emulator, server and a logged training run, until Ctrl-C
	@$(BIN)/python -m infra.local run

serve: dashboard  ## the same without the training run
	@$(BIN)/python -m infra.local run --no-demo

demo: $(INSTALLED)  ## log one more training run into the running server
	@$(BIN)/python -m infra.local demo

test: check dashboard  ## everything that a change must pass
	$(BIN)/pytest -n 2
	@echo "The races once more, on another implementation of DynamoDB:"
	$(BIN)/pytest -n 2 --dynoxide -rs -k _races

deploy: dashboard  ## STAGE=dev into the AWS account of your credentials, or an upgrade in place
	@$(BIN)/python -m infra deploy --stage $(STAGE)

destroy: $(INSTALLED)  ## asks first; keeps table and bucket unless told DATA=delete
	@$(BIN)/python -m infra down --stage $(STAGE) $(if $(filter delete,$(DATA)),--delete-data)

test-deploy: dashboard  ## the part of `make test` that deploys into an emulated account
	$(BIN)/pytest --integrations tests/deploy

test-dynamodb: $(INSTALLED)  ## the tests on the emulator, on another DynamoDB (needs npm)
	$(BIN)/pytest -n 2 --dynoxide -rs

test-integrations: $(INSTALLED)  ## unmodified MLflow clients, and trainings with the real frameworks
	$(BIN)/pytest --integrations -rs tests/integrations

check: $(INSTALLED)  ## the part of `make test` that only reads: lint, format, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m infra.dashboard check

docs: $(INSTALLED)  ## write docs/python-api.md from the client's docstrings
	$(BIN)/python -m docs.python_api

clean:  ## what can be made again; .deardiary, your local data, stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis client/src/deardiary.egg-info exchange/src/*.egg-info
	rm -rf web/node_modules web/generated chalicelib/ui

# Made last, so that an installation that was cut short is done again.
$(INSTALLED): requirements.txt requirements-dev.txt client/pyproject.toml exchange/pyproject.toml
	@test -n "$(PYTHON)" || { echo "DearDiary needs Python 3.10 or newer, and there is none on the PATH." >&2; exit 1; }
	@echo "Installing into .venv (the first time takes a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --requirement requirements-dev.txt
	@touch $@
