# `make demo` and `make test` set up everything they need in .venv. Needs Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
RATE_TESTS := -m 'alone and not torture' tests/emulator tests/end_to_end
OTHER_TESTS := -m 'not torture and not alone'
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
.DEFAULT_GOAL := help

.PHONY: help workflows demo test unit check coverage all docs torture bench results guard soak cluster conformance clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/run  ## run a job against a local server: run, kill -9, resume, check, report (30 s)
	$(BIN)/harvester demo

test: .venv/dev  ## run all tests except the long crash and fault runs; those that fail, once more
	$(PYTEST) $(RATE_TESTS) || $(PYTEST) $(RATE_TESTS) --last-failed
	$(PYTEST) $(OTHER_TESTS) $(PARALLEL) --durations=10 || $(PYTEST) $(OTHER_TESTS) --last-failed

unit: .venv/dev  ## run the unit tests only (under a minute)
	$(BIN)/python -m pytest tests/unit -q

check: .venv/dev  ## check lint, format, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

all: check test  ## run check and test

docs: .venv/dev .venv-docs/run  ## update the generated parts of docs/; build the site in .site/html
	$(BIN)/python scripts/import_graph.py
	$(BIN)/python scripts/option_tables.py
	$(BIN)/python scripts/reference_tables.py
	$(BIN)/python scripts/schemas.py
	.venv-docs/bin/python scripts/build_site.py

.venv-docs/run: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet 'zensical>=0.0.57'
	touch $@

coverage: .venv/dev  ## measure the branches that the tests of one process reach, against a floor
	$(BIN)/python -m coverage run -m pytest -q tests/unit tests/contract tests/recorded tests/emulator
	$(BIN)/python -m coverage report

torture: .venv/dev  ## run the long crash and fault tests
	$(BIN)/python -m pytest -m torture

.venv/run: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[report]'
	touch $@

.venv/dev: .venv/run
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

bench: .venv/dev .venv-conformance/run  ## measure every step and other clients (15 min)
	$(BIN)/python -W ignore -m benchmarks

results: .venv/dev .venv-conformance/run  ## the same, written to benchmarks/results
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -W ignore -m benchmarks --write

guard: .venv/dev  ## fail if a hot path became 20 % slower
	$(BIN)/python -W ignore -m benchmarks.guard

soak: .venv/dev  ## harvest 2 million UIDs twice, with faults and kill -9 (some minutes)
	$(BIN)/python -m benchmarks.soak

cluster: .venv/dev  ## harvest with Redis, an object store and Dask, killing parts of them (2 min)
	$(BIN)/python -m benchmarks.cluster

conformance: .venv/dev .venv-conformance/run  ## compare clients under NCBI's faults, into docs/conformance.md (10 min)
	$(BIN)/python -m benchmarks.conformance .venv-conformance/bin/python

.venv-conformance/run: benchmarks/conformance/requirements.txt
	$(PYTHON) -m venv .venv-conformance
	.venv-conformance/bin/python -m pip install --quiet --requirement $<
	touch $@

workflows: .venv-workflows/run  ## install Snakemake, cwltool and planemo for their tests

.venv-workflows/run: Makefile
	$(PYTHON) -m venv .venv-workflows
	.venv-workflows/bin/python -m pip install --quiet 'snakemake>=9' 'cwltool>=3.1' 'planemo>=0.75'
	touch $@

clean:  ## delete environments and caches
	rm -rf .venv .venv-workflows .venv-docs .site .venv-conformance .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
