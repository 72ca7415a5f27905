# The verbs of this project. `make run` and `make test` need git, make and a 64-bit Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HASS := .venv-ha
CLIENTS := .venv-clients
OPENWAKEWORD := .venv-openwakeword
HA_PYTHON ?= python3.13
HA_VERSION ?= 2025.4.4
REQUIRE_ALL ?=

EXTRAS ?= whisper,mcp
SUITE ?= bookworm

.PHONY: run test test-systemd test-clients test-wake test-ha check bench install uninstall system-deps clean

run: $(VENV)/.run
	@$(BIN)/python -m airos_edge run --demo

test: $(VENV)/.dev $(VENV)/.npm
	REQUIRE_ALL=$(REQUIRE_ALL) PYTHONASYNCIODEBUG= $(BIN)/python -m pytest -q $(TESTS)

# Installs Realtime clients of other frameworks, once: some hundred packages.
test-clients: $(VENV)/.dev $(CLIENTS)/.made
	CLIENTS_PYTHON=$(CLIENTS)/bin/python $(BIN)/python -m pytest -q tests/e2e/with_clients.py

$(CLIENTS)/.made:
	$(PYTHON) -m venv --clear $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check \
		livekit-plugins-openai==1.8.9 'pipecat-ai[openai]==1.14.0' 'pydantic-ai-slim[openai-realtime]==2.68.0'
	@touch $@

# Installs openWakeWord itself, once, beside the TFLite that stands in for tflite-runtime, which it asks for.
test-wake: $(VENV)/.dev $(OPENWAKEWORD)/.made
	OPENWAKEWORD_PYTHON=$(OPENWAKEWORD)/bin/python $(BIN)/python -m pytest -q tests/engines/with_openwakeword.py

$(OPENWAKEWORD)/.made:
	$(PYTHON) -m venv --clear $(OPENWAKEWORD)
	$(OPENWAKEWORD)/bin/python -m pip install --quiet --disable-pip-version-check \
		ai-edge-litert onnxruntime pyopen-wakeword scipy scikit-learn tqdm requests
	$(OPENWAKEWORD)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps openwakeword==0.6.0
	@touch $@

# Installs Home Assistant, once; each version wants a Python of its own: 2026.11.0 wants 3.14.
test-ha: $(VENV)/.dev $(HASS)/.made
	HASS=$(HASS)/bin/hass $(BIN)/python -m pytest -q --timeout=300 tests/e2e/with_home_assistant.py

$(HASS)/.made:
	$(HA_PYTHON) -m venv --clear $(HASS)
	$(HASS)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(HASS)/bin/uv pip install --quiet --python $(HASS)/bin/python homeassistant==$(HA_VERSION)
	@touch $@

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

# A container with a systemd of its own, of Debian 12 or, with SUITE=trixie, 13; needs root. Its root and the
# packages are kept in .systemd-root.
test-systemd: $(VENV)/.dev
	SUITE=$(SUITE) $(BIN)/python -m pytest -q --timeout=900 tests/systemd/service.py

install:
	@sh scripts/install "$(PYTHON)" "$(EXTRAS)"

uninstall:
	@sh scripts/uninstall

system-deps:
	sh scripts/system-deps

# The marks are made last: what was interrupted on the way to the first is begun again from nothing.
$(VENV)/.run: pyproject.toml
	@test -e $@ || sh scripts/prerequisites "$(PYTHON)"
	test -e $@ || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing what airos is made of; this takes half a minute or more."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS),dev]'
	@touch $@

# Where npm is absent or gets nothing, the tests that need its servers are skipped.
$(VENV)/.npm: tests/npm/package-lock.json | $(VENV)/.dev
	@if command -v npm >/dev/null && sh scripts/npm-servers $(VENV)/npm; then touch $@; fi

clean:
	rm -rf $(VENV) $(CLIENTS) $(OPENWAKEWORD) $(HASS) .systemd-root .mypy_cache .ruff_cache .pytest_cache
