# Two commands do all the set-up: `make demo` and `make test`. Needs Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check torture bench results guard soak conformance clean

demo: .venv/run  ## run the main job end to end on a local server, killed and resumed
	$(BIN)/harvester demo

test: .venv/dev  ## pass the tests
	$(BIN)/python -m pytest -m "not torture"

check: .venv/dev  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

torture: .venv/dev  ## the long crash and fault runs
	$(BIN)/python -m pytest -m torture

.venv/run: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/dev: .venv/run
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

bench: .venv/dev .venv-conformance/run  ## what the work costs, beside other clients: a quarter of an hour
	$(BIN)/python -W ignore -m benchmarks

results: .venv/dev .venv-conformance/run  ## the same, into benchmarks/results
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -W ignore -m benchmarks --write

guard: .venv/dev  ## fail where a cost has grown by a fifth
	$(BIN)/python -W ignore -m benchmarks.guard

soak: .venv/dev  ## two million UIDs, faults and deaths: some minutes
	$(BIN)/python -m benchmarks.soak

conformance: .venv/dev .venv-conformance/run  ## this and other clients under NCBI's faults, into docs/conformance.md
	$(BIN)/python -m benchmarks.conformance .venv-conformance/bin/python

.venv-conformance/run: benchmarks/conformance/requirements.txt
	$(PYTHON) -m venv .venv-conformance
	.venv-conformance/bin/python -m pip install --quiet --requirement $<
	touch $@

clean:
	rm -rf .venv .venv-conformance .pytest_cache .mypy_cache .ruff_cache .hypothesis
