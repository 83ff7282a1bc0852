# Two commands on a fresh machine: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: demo ui test promises promises-all promises-some soak world lint bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   the whole product against the sandbox, no credentials: make demo DAYS=30 for more"
	@echo "            make demo DEMO=whole: then people edit, void, delete, merge, a run fails; the night tells or mends each, to the cent"
	@echo "make ui     look at what the demo moved, in Dagster's UI"
	@echo "make test   the tests, on SQLite and on PostgreSQL"
	@echo "make promises      what is promised, tried until it hurts: two seeds of today for each random one"
	@echo "make promises-all  the same with twenty seeds; writes docs/promises.md"
	@echo "make promises-some TESTS=mlc_dagster_tests/promises/test_c38_lines.py  these alone, beside what stands there"
	@echo "make soak   an hour of mixed faults, 1,000,000 records: make soak SECONDS=300 RECORDS=0 for less"
	@echo "make world  all that can happen, in any order: 1,000,000 steps; make world STEPS=20000 for less (docs/world.md)"
	@echo "make lint   ruff and mypy"
	@echo "make bench  speed and memory, beside dlt"

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/pyvenv.cfg pyproject.toml constraints.txt
	@echo "installing into .venv ..."
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

.venv/installed-bench: .venv/installed-dev
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

DAYS ?= 7
demo: .venv/installed
	@$(BIN)/mlc demo --days $(DAYS) $(if $(filter whole,$(DEMO)),--whole)

ui: .venv/installed
	@$(BIN)/mlc ui

test: .venv/installed-dev
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow"

promises: .venv/installed-dev
	@$(BIN)/python -m pytest -m "promise or slow" -n 3 --dist loadgroup

promises-all: .venv/installed-dev
	@MLC_SEEDS=20 $(BIN)/python -m mlc_dagster_tests.promises.report docs/promises.md -n 3 --dist loadgroup

TESTS ?= mlc_dagster_tests/promises
promises-some: .venv/installed-dev
	@$(BIN)/python -m mlc_dagster_tests.promises.report docs/promises.md $(TESTS) -n 2 --dist loadgroup

SECONDS ?= 3600
RECORDS ?= 1000000
soak: .venv/installed-dev
	@$(BIN)/python -m mlc_dagster_tests.promises.soak --seconds $(SECONDS) --records $(RECORDS)

STEPS ?= 1000000
world: .venv/installed-dev
	@$(BIN)/python -m mlc_dagster_tests.world --steps $(STEPS) $(if $(SEED),--seed $(SEED))

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	MYPYPATH=.:mlc_dagster_tests/seventh $(BIN)/mypy -p tally_books

bench: .venv/installed-bench
	@$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build *.egg-info
	@echo "kept: .mlc (your ledger and rows) and .mlc-demo (the demo's)"
