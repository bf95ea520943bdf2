# make chat   set everything up in .venv and open the web chat
# make test   the same, with what the tests need, then all tests
# make check  lint and types
# make bench  speed, memory and growth, beside sentence-transformers and FAISS (BENCH="--quick" for a small run)
#
# PyTorch's CPU build is enough (see README): make chat TORCH_INDEX=<address of PyTorch's CPU packages>

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: chat test check bench clean

chat: $(VENV)/.installed
	$(BIN)/python app.py

test: $(VENV)/.installed-dev chromium
	$(BIN)/python -m pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m qa.bench $(BENCH)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Verbatim needs Python 3.11 or newer: make PYTHON=python3.12 chat' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ $(SUDO) apt-get update -qq && $(SUDO) apt-get install -qq -y python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'Installing (a few minutes the first time)...'
	$(if $(TORCH_INDEX),$(PIP) torch==2.13.0 --index-url $(TORCH_INDEX))
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	touch $@

.PHONY: chromium
chromium:
	@[ -x /usr/bin/chromium ] || { echo 'Installing Chromium for the browser tests...'; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -qq -y chromium >/dev/null; }

clean:
	rm -rf $(VENV) build *.egg-info
