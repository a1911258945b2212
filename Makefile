# `make report` turns this machine into a report; `make test` runs all checks. Works with make 3.81 (macOS's) and sh.
# `make compare` and `make site` put the runs that there are side by side, and into one site.

# The first interpreter that runs and is new enough; name another with `make PYTHON=...`. Trying it is the only sure test:
# macOS has stubs that are on PATH and do not run.
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
PARAMS ?= quick
OUT ?= runs
# Notebooks to run instead of all of the profile's: make report ONLY="01_install 03_binaries"
ONLY ?=

LABKIT := .venv/bin/python -m labkit
PIP := .venv/bin/python -m pip --disable-pip-version-check

.PHONY: report compare site test lint ci lab lock clean

report: .venv/installed
	$(LABKIT) setup
	$(LABKIT) run --params "$(PARAMS)" --out "$(OUT)" $(ONLY:%=--only %)

compare: .venv/installed
	$(LABKIT) compare "$(OUT)" --out comparison

# A run without a record was ended before it could write one; its folder is no page.
site: .venv/installed
	@for record in "$(OUT)"/*/*/record.json; do test -f "$$record" && set -- "$$@" "$${record%/record.json}"; done; \
	  test $$# -gt 0 || { echo "labkit: no run with a record lies in $(OUT)"; echo "  remedy: make report"; exit 2; }; \
	  $(LABKIT) publish "$$@" --out site

test: .venv/tested lint
	.venv/bin/python -m pytest -q

lint: .venv/tested
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

ci:
	.ci/run

lab: .venv/installed
	$(LABKIT) lab

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "labkit: no Python 3.11 or later with venv is on PATH"; \
	  echo "  remedy: brew install python@3.13, or apt-get install python3 python3-venv; or make PYTHON=/path/to/python3"; exit 2; }
	@.venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; echo "making .venv with $(PYTHON)"; "$(PYTHON)" -m venv .venv; }
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/tested: .venv/installed requirements-dev.lock
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# Both lock files, for every platform, from pyproject.toml; needs uv.
UV_COMPILE = uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --python-version 3.11 --extra traps --extra cluster
lock:
	$(UV_COMPILE) --group install pyproject.toml -o requirements.lock
	$(UV_COMPILE) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
