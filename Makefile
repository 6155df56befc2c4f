PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install demo run chat test lint check bench crash soak gallery reliability lock

help:  ## what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

install: $(STAMP)  ## makes .venv; every other target does so by itself

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rivulet needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install  ## try the bot in a browser, with no token and no key
	$(BIN)/rivulet playground

run: install  ## run the bot with config.toml and .env
	$(BIN)/rivulet run --config config.toml

chat: install  ## talk to the model in this terminal
	$(BIN)/rivulet chat

test: install  ## the tests
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache

check: lint test  ## what a change must pass: format, lint, types, imports, tests

bench: install  ## how long readers wait, measured against the least possible
	$(BIN)/python -m tests.bench

crash: install  ## kills the bot 500 times while it answers; half an hour
	$(BIN)/python -m tests.crash

soak: install  ## 50 answers at once for half an hour: nothing may be left behind
	$(BIN)/python -m tests.soak --minutes 30

gallery: install  ## docs/gallery.md: pictures of answers on both platforms; needs Chromium
	$(BIN)/python -m tests.gallery

reliability: install  ## docs/reliability.md: what becomes of a question when something goes wrong
	$(BIN)/python -m tests.faults

lock: install  ## after a change of dependencies in pyproject.toml; needs uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--no-header --group dev pyproject.toml -o requirements.lock
