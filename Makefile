# `make demo` and `make test` do all their own set-up, which is quick once nothing has changed.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
# Parallel processes each compute in one thread.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help setup browser demo test test-all lint style bench wheel lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+(-%)?:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## From a simulated sky to a picture of a microlensing light curve
	$(BIN)/roman-db demo

test: style browser ## Linters and tests; types are checked beside the tests, in what these leave of two processors
	types=$$(mktemp); $(BIN)/mypy >"$$types" 2>&1 & mypy=$$!; \
	trap 'kill $$mypy 2>/dev/null || true; rm -f "$$types"' EXIT; \
	$(BIN)/pytest -n 2 --dist worksteal -m "not heavy" --hypothesis-profile fixed && failed=0 || failed=$$?; \
	wait $$mypy || failed=$$?; \
	cat "$$types"; exit $$failed

test-all: lint browser ## The same with the slow and memory-hungry tests, and other examples each time
	$(BIN)/pytest -n 2 --dist worksteal

lint: style ## Style, types and who imports whom
	$(BIN)/mypy

style: setup ## Style, and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

bench: setup ## All measurements beside a peer or a limit
	$(BIN)/python -m bench

bench-%: setup ## The measurements of one area
	$(BIN)/python -m bench $*

setup: ## PostgreSQL with q3c, the virtual environment, what browsers load
	@setup/run.sh

browser: ## Chromium for the tests of the portal, where it can be installed
	@setup/chromium.sh

wheel: setup ## A wheel and a source distribution with all data, in dist
	$(BIN)/hatchling build

lock: setup ## Choose the versions of all requirements anew
	$(BIN)/uv pip compile pyproject.toml --extra test --python-version 3.11 --upgrade --quiet \
	    --generate-hashes --no-header --no-emit-index-url --output-file requirements.lock

clean: ## Remove the virtual environment and what tools left; data stays
	rm -rf .venv build dist roman_db/portal/bundle roman_db/portal/browser/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
