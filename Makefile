# The commands of the bank CRM. A bare machine needs Python >= 3.11 and make, nothing else.
#
#   make demo            a demo bank on http://127.0.0.1:8000    (SIZE=3000 customers, PORT=8000)
#   make test            the whole suite on a real PostgreSQL    (ARGS="tests/core -x")
#   make install         the set-up alone: .venv, front-end files, keys
#   make lint            every linter and the deployment checks
#   make lock            resolve requirements*.in and package.json anew

PYTHON ?= python3
SIZE ?=
PORT ?= 8000
WORKERS ?= 2
ARGS ?=
BIN := .venv/bin
ENVIRONMENT := $(PYTHON) crm/local/environment.py

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test lint format lock

help:
	@sed -n 's/^#   //p' Makefile

install:
	@$(ENVIRONMENT) requirements.txt
	@$(BIN)/python -m crm.local.install

install-dev:
	@$(ENVIRONMENT) requirements-dev.txt
	@$(BIN)/python -m crm.local.install

# exec: Ctrl-C and kill reach the starter itself, not a shell in between.
demo: install
	@exec $(BIN)/python manage.py demo $(if $(SIZE),--customers $(SIZE)) --port $(PORT)

test: install-dev
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	CRM_DEMO= CRM_ALLOWED_HOSTS=crm.example.cn $(BIN)/python manage.py check --deploy --fail-level WARNING

# What the linters can mend themselves.
format: install-dev
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

lock: install-dev
	$(BIN)/python -m crm.local.lock
