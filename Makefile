# The verbs of this project. `make run` and `make test` need git, make and a 64-bit Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REQUIRE_ALL ?=

.PHONY: run test check bench system-deps clean

run: $(VENV)/.run
	@$(BIN)/python -m airos_edge run --demo

test: $(VENV)/.dev $(VENV)/.npm
	REQUIRE_ALL=$(REQUIRE_ALL) PYTHONASYNCIODEBUG= $(BIN)/python -m pytest -q $(TESTS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

system-deps:
	sh scripts/system-deps

# The marks are made last: what was interrupted on the way to the first is begun again from nothing.
$(VENV)/.run: pyproject.toml
	@test -e $@ || sh scripts/prerequisites "$(PYTHON)"
	test -e $@ || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing what airos is made of; this takes half a minute or more."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[whisper,mcp]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[whisper,mcp,dev]'
	@touch $@

# Where npm is absent or gets nothing, the tests that need its servers are skipped.
$(VENV)/.npm: tests/npm/package-lock.json | $(VENV)/.dev
	@if command -v npm >/dev/null && sh scripts/npm-servers $(VENV)/npm; then touch $@; fi

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
