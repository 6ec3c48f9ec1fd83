# Every target installs what it needs first, so that each works on a fresh Debian or Ubuntu.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE := .claudeops
CLI := $(STATE)/cli/node_modules/.bin/claude
UV := $(STATE)/uv/bin/uv
# $(call need,PROGRAM,PACKAGES): installs Debian's packages unless the program is there.
need = command -v $(1) >/dev/null || bash packaging/install.sh $(2)
# Settings of whoever calls make never reach a test or a benchmark.
CLEAN_ENV := env -i PATH="$$PATH" HOME="$(abspath $(STATE))/home" LANG=C.UTF-8 CI="$$CI" TERM=dumb

.PHONY: help setup setup-test cli run test unit fuzz check image-check unit-check kills bench evaluate screenshots icons css lock docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.run ## the virtual environment, from the locked requirements, and all of the program compiled
	@$(BIN)/python -m compileall -q daemon ipc schema webui
	@$(BIN)/python -m webui.rendering
setup-test: setup $(VENV)/.test cli $(STATE)/.browser ## what the tests need besides: pytest, the claude CLI, Chromium
	@$(call need,curl,curl)
	@$(call need,openssl,openssl)
	@$(call need,systemd-analyze,systemd)
cli: $(STATE)/cli/.installed ## the pinned claude CLI from npm

run: setup cli ## the daemon on http://127.0.0.1:8080, in demo; LIVE=1 runs real sessions with your credentials
	@$(call need,curl,curl)
	@bash packaging/run.sh $(LIVE)

test: setup-test ## everything: lint, types, contracts, then all tests
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) bash packaging/check.sh
	$(CLEAN_ENV) bash packaging/test.sh

unit: $(VENV)/.test ## the unit tests alone, in seconds
	@$(call need,systemd-analyze,systemd)
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) $(BIN)/python -m pytest tests/unit

fuzz: $(VENV)/.test ## the property tests with thousands of new examples, and the API with hundreds; some minutes
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/unit tests/acceptance/test_api_contract.py --timeout 3600

check: $(VENV)/.test ## lint, types, import contracts, generated files
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) bash packaging/check.sh

image-check: ## build the container image, run it as compose would, and break it; some minutes
	@bash packaging/container/check.sh

unit-check: cli ## boot a virtual machine, install the systemd unit in it, and break it; as root, some minutes
	@bash packaging/systemd/boot-check.sh

kills: setup-test ## kill the worker two hundred times while services flap, and the web process as often; some minutes
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) CLAUDEOPS_TEST_KILLS=200 $(BIN)/python -m pytest -n 0 -s tests/acceptance/test_service_kills.py tests/acceptance/test_streams.py -k kills

bench: setup-test ## measure, against a floor or a peer in the same run; writes docs/performance.md
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) $(BIN)/python -m benchmarks

evaluate: setup-test ## score sessions on prepared faults, live, with your ANTHROPIC_API_KEY; costs money
	$(BIN)/python -m tests.evaluations --live --write

screenshots: setup-test ## pictures of every page, phone and desk, dark and light, into .claudeops/screenshots
	@mkdir -p $(STATE)/home
	$(CLEAN_ENV) $(BIN)/python -m tests.browser.screenshots $(STATE)/screenshots

icons: setup-test ## redraw the PNG icons in webui/static from packaging/icons
	$(BIN)/python packaging/icons/render.py

css: ## rebuild webui/static/app.css from the templates
	@$(call need,npm,nodejs npm)
	npm install --prefix packaging/css --no-save --no-audit --no-fund --silent
	npm run --prefix packaging/css --silent build

docs: $(VENV)/.run ## rebuild the generated reference pages and the annotated environment file
	$(BIN)/python packaging/generate.py

lock: $(UV) ## resolve requirements/*.txt anew
	$(UV) pip compile -q --python-version 3.11 --universal --generate-hashes --extra build pyproject.toml -o requirements/run.txt --custom-compile-command 'make lock'
	$(UV) pip compile -q --python-version 3.11 --universal --generate-hashes --extra build --extra test pyproject.toml -o requirements/test.txt --custom-compile-command 'make lock'
	$(UV) pip compile -q --python-version 3.11 --universal --generate-hashes requirements/peers.in -o requirements/peers.txt --custom-compile-command 'make lock'

clean: ## remove what these targets made; the demo's state too
	rm -rf $(VENV) $(STATE) packaging/css/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); bash packaging/install.sh python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt
	@touch $@

# In an environment of its own: the other one holds what is locked, and no more.
$(UV): | $(VENV)/bin/python
	$(BIN)/python -m venv $(STATE)/uv
	$(STATE)/uv/bin/python -m pip install -q --disable-pip-version-check uv==0.13.8

$(STATE)/cli/.installed: packaging/claude-cli/package-lock.json
	@$(call need,npm,nodejs npm)
	@mkdir -p $(STATE)/cli && cp packaging/claude-cli/package.json packaging/claude-cli/package-lock.json $(STATE)/cli/
	npm ci --prefix $(STATE)/cli --no-audit --no-fund --loglevel=error
	@touch $@

$(STATE)/.browser:
	@mkdir -p $(STATE)
	@$(call need,chromium,chromium fonts-dejavu-core)
	@touch $@
