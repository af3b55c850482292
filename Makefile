# `make view`: the dashboard on the studies that come along. `make serve`: the small one's checkpoints, to be probed there.
# `make test`: the tests that find nearly everything, in some minutes. `make check`: these, and all else.
PYTHON ?= python3
BIN := .venv/bin
# Tests on all cores; those of one file stay together, since they share what they ingested. Some wait for a browser, or
# for a server that is told to be silent: with one process more than there are cores, no core waits along.
CORES := -n $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)") --dist loadfile
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# Compiled code is kept, whatever the environment says: else each process (of which tests start hundreds) compiles all of
# Driftline, and each that collects tests all of those, which is half of what collecting takes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: view serve test check check-alone check-served lint types contracts docs slow lake real bench pictures lock clean

view: .venv/ready
	$(BIN)/driftline view

serve: .venv/ready-local
	$(BIN)/driftline serve smol

# The first tier: what needs nothing but Python, without what takes long and is rarely the only one to fail.
test: .venv/ready-dev
	$(BIN)/python -m pytest $(CORES) -m "not slow and not browser and not real and not lake"

check: check-alone check-served

# What needs no server of models, so that these can be made meanwhile; and what needs them, or the computer for itself.
check-alone: lint types contracts docs test slow lake
check-served: real bench

# In the order of their names: the browser's come first, few and long, and the many short ones fill up the end.
slow: .venv/ready-dev
	$(BIN)/python -m pytest $(CORES) --no-loadscope-reorder -m "(slow or browser) and not real"

# Stores in a real PostgreSQL, which the tests start: those that several processes share, and of the tests of all stores
# those that write or ask the most different things. What is left out, and why: tests/lakes.py.
LAKE := tests/loaders/store tests/loaders/test_ingest.py tests/loaders/test_roots.py tests/loaders/metrics/test_settled.py \
	tests/dashboard/review tests/dashboard/queries/test_catalogue.py tests/dashboard/queries/test_samples.py \
	tests/dashboard/queries/test_judged.py tests/dashboard/queries/test_known_logs.py tests/dashboard/test_answers.py

lake: .venv/ready-dev
	$(BIN)/python -m pytest $(CORES) -m lake
	DRIFTLINE_TEST_STORE=lake $(BIN)/python -m pytest $(CORES) -m "not slow and not browser and not real and not lake" $(LAKE)

real: .venv/ready-dev
	$(BIN)/python -m pytest -m real

lint: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready-dev
	$(BIN)/mypy

contracts: .venv/ready-dev
	$(BIN)/lint-imports

# The documentation as files; a broken link in it, or something of the code that it leaves out, is a failure.
docs: .venv/ready
	$(BIN)/driftline docs --out site

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Driftline needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/ready: .venv/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/ready-dev: .venv/ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

# What `driftline serve` needs without a vLLM: llama.cpp's server, which is built here, and the small study's base weights.
# Built in isolation: what builds llama.cpp (scikit-build-core, cmake, ninja) is no part of this environment. And not for
# this very processor: some name instructions (AMX) that their virtual machine refuses, and the server dies of the first
# prompt; a home folder may be shared by different ones, too. Without what reads pictures and sound, which is more than a
# quarter of what is compiled. CMAKE_ARGS of the environment go first, for a GPU say.
.venv/ready-local: .venv/ready requirements-local.lock
	CMAKE_ARGS="$${CMAKE_ARGS:--DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF}" $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --require-hashes -r requirements-local.lock
	touch $@

# The pictures in the documentation, from the demo study.
pictures: .venv/ready-dev
	$(BIN)/python -m tests.browser.pictures

# Speed, as ratios measured in one run.
bench: .venv/ready-dev
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s

# Versions and hashes, and no registry's host. Needs uv.
lock:
	uv pip compile $(LOCK) pyproject.toml --extra lake --group build --group dev --output-file requirements-dev.lock
	uv pip compile $(LOCK) pyproject.toml --group build --constraint requirements-dev.lock --output-file requirements.lock
	uv pip compile $(LOCK) pyproject.toml --extra local --constraint requirements-dev.lock --output-file requirements-local.lock

clean:
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
