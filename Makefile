# make demo   sets up what it needs and runs the main job on the demonstration custody
# make test   sets up what it needs and passes the whole suite
# make verifier   builds the client's verifier as one file, dist/reserveproof-verify.pyz
# make bench   measures time, memory and disk on a ledger of 10,000,000 lines, for hours; make bench-quick on 1,000,000
# make format   puts the code in its form; make long   runs the property tests for longer; make coverage

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYZ := dist/reserveproof-verify.pyz
VERIFIER_SOURCES := $(shell find src/reserveproof/format src/reserveproof/segregation src/reserveproof/chains src/reserveproof/verifier -name '*.py')

# The native kernel is built with Rust; KERNEL=no goes on without it, with trees built in Python.
KERNEL ?= yes
KERNEL_SOURCES := kernel/Cargo.toml kernel/Cargo.lock kernel/pyproject.toml $(wildcard kernel/src/*.rs)
ifeq ($(KERNEL),no)
NATIVE :=
else
NATIVE := $(VENV)/.kernel
endif

.PHONY: demo test lint verifier bench bench-quick format long coverage clean
.DELETE_ON_ERROR:

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "reserveproof needs Python 3.11 or later; '$(PYTHON)' was not found (set PYTHON=...)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "reserveproof needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Two stamps: the demonstration needs less than the tests do.
$(VENV)/.custodian: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[custodian]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.custodian

$(VENV)/.kernel: $(KERNEL_SOURCES) | $(BIN)/python
	@command -v cargo >/dev/null || { echo "Rust 1.88 or later builds the native kernel, and 'cargo' was not found: install Rust, or add KERNEL=no to go on with trees built in Python" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ./kernel
	@touch $@

demo: $(VENV)/.custodian $(NATIVE)
	rm -rf build/demo
	$(BIN)/reserveproof demo build/demo

test: lint $(PYZ) $(NATIVE)
	$(if $(NATIVE),cd kernel && cargo test --quiet --locked --no-default-features)
	$(BIN)/python -m pytest -rs
	@# The verifier's own tests once more, from the one file that clients are given.
	PYTHONPATH=$(PYZ) RESERVEPROOF_PYZ=$(PYZ) $(BIN)/python -m pytest -q tests/format tests/segregation tests/verifier

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

verifier: $(PYZ)

$(PYZ): $(VERIFIER_SOURCES) packaging/build_verifier.py | $(VENV)/.custodian
	$(BIN)/python packaging/build_verifier.py $@

# Exit status 3 says that a bar is not met: make then reports an error, after the table.
ROWS ?= 10000000
RUNS ?= 5
bench: $(VENV)/.dev $(NATIVE)
	PYTHONPATH=tests $(BIN)/python -m bench --rows $(ROWS) --runs $(RUNS) --json build/bench/figures-$(ROWS).json

bench-quick:
	@$(MAKE) bench ROWS=1000000 RUNS=3

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

long: $(VENV)/.dev
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -rs

coverage: $(VENV)/.dev
	$(BIN)/python -m pytest -q --cov=reserveproof --cov-branch --cov-report=term-missing:skip-covered

clean:
	rm -rf build dist kernel/target $(VENV)
