# warta: `make run` and `make test` are all a newcomer needs; each installs what it uses.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Tests of the pure core (pyproject.toml, [tool.coverage.run]).
PURE   := tests/config tests/crawlers tests/outlets tests/fuzz tests/monitor/test_filters.py tests/scheduler/test_plan.py \
          tests/scheduler/test_policy.py tests/scheduler/test_policy_kinds.py tests/scheduler/test_rhythm.py tests/scheduler/test_pricing.py \
          tests/scheduler/test_caching.py tests/scheduler/delivery/test_policy.py tests/storage/test_export.py \
          tests/storage/test_rhythm.py tests/storage/test_gaps.py tests/storage/test_norm.py tests/storage/test_expectation.py tests/storage/test_content.py \
          tests/scheduler/cli/test_dryrun.py

.DEFAULT_GOAL := help
.PHONY: help run demo test setup dev system schemas lint types format check torture faults coverage fuzz clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: setup ## start the daemon on the embedded default; stop it with Ctrl-C
	@$(BIN)/warta run

demo: setup ## the whole thing against a fictional press, without internet
	@$(BIN)/warta demo

test: dev ## all tests
	$(BIN)/pytest -n 2 --dist loadgroup

setup: $(VENV)/.setup ## create .venv with everything a user needs
dev: $(VENV)/.dev ## what developers need besides

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "warta needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.setup: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing warta into $(VENV) …"
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.setup
	@echo "installing the development tools into $(VENV) …"
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

system: ## Debian packages that the browser tests use
	@if command -v chromium >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
	  echo "installing chromium …"; apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; \
	else echo "chromium is not installed: the browser tests will skip (Debian: apt-get install chromium)" >&2; fi

schemas: setup ## write config/*.schema.json anew from the models
	$(BIN)/python -m config.schema

lint: dev ## ruff, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev ## mypy --strict
	$(BIN)/mypy

format: dev ## let ruff tidy the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint types test ## what CI runs

torture: dev ## 1,000 kills, a quarter of all answers faulty: nothing lost or repeated; minutes=1 for fewer
	$(BIN)/python -m bench.torture --kills 1000 --minutes $(or $(minutes),45)

faults: dev ## a daemon through full disks, dead servers, cut networks: what each costs
	$(BIN)/python -m bench.faults

coverage: dev ## branches of the pure core that the tests take: 95 % at the least
	$(BIN)/pytest -q -n 2 --dist loadgroup --cov --cov-branch --cov-report=term --cov-report=json:.coverage.json $(PURE)
	@$(BIN)/python -c 'import json, sys; share = json.load(open(".coverage.json"))["totals"]["percent_branches_covered"]; \
	  print(f"{share:.1f} % of the branches"); sys.exit(share < 95)'

fuzz: dev ## mutated documents against everything that reads foreign bytes; minutes=30 for longer
	$(BIN)/python -m bench.fuzz --minutes $(or $(minutes),1)

clean: ## remove what was built, not what was crawled
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
