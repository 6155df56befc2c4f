PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo run chat test check bench lock

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install  ## the playground: chat with the bot in a browser, no token and no key
	$(BIN)/rivulet playground

run: install  ## the bot, with config.toml and .env
	$(BIN)/rivulet run --config config.toml

chat: install  ## talk to the model in this terminal
	$(BIN)/rivulet chat

test: install
	$(BIN)/python -m pytest

check: install  ## what a change must pass
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench: install
	$(BIN)/python -m tests.bench

lock: install  ## after a change of dependencies in pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --group dev pyproject.toml -o requirements.lock
