# `make demo` runs everything on a made-up fleet; `make test` proves it. Both set themselves up.
SHELL := /bin/bash
PYTHON ?= python3
ARGS ?=
JOBS ?= 3
RUNS ?= 200
BIN := .venv/bin
THOUSANDS := test_thousands_of_workflows_keep_their_order_todays_run_first_and_memory_is_flat
export PYTHONDONTWRITEBYTECODE :=  # each process would compile every module, and pytest rewrite every test
CHROMIUM := $(shell command -v chromium chromium-browser google-chrome | head -n 1)

.DEFAULT_GOAL := help

help:  ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

setup: .venv/ready  ## virtual environment with the locked packages

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "T3 needs Python 3.11, 3.12 or 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo "Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the locked packages (about 1.3 GB on disk) ..."
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip sync --compile-bytecode --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## everything on a made-up fleet, with live uploads (ARGS=--once stops once the dashboard answers)
	@$(BIN)/t3 demo $(ARGS)

test: setup chromium  ## every test
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

quick: setup  ## the tests that take under two minutes together
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile -m "not slow" $(ARGS)

faults: setup  ## every fault test, each repeated RUNS times (takes hours; RUNS=200 by default)
	T3_FAULT_RUNS=$(RUNS) $(BIN)/python -m pytest -m "" tests/faults \
		tests/integration/mail/test_lost_senders.py::test_killed_sender_leaves_no_duplicate \
		tests/integration/worker/test_worker.py::$(THOUSANDS) $(ARGS)

chromium:
	@test -n "$(CHROMIUM)" || echo "No Chromium: the browser tests will be skipped; to run them: apt-get install chromium"

check: setup  ## formatting, lint, types, and the contract of notebooks; writes docs/reasons.md from the rules
	@$(BIN)/python -m t3lib.warehouse.checks.codes > docs/.reasons 2> /dev/null \
		&& mv docs/.reasons docs/reasons.md || rm -f docs/.reasons  # the contract says what is wrong with the rules
	$(BIN)/pre-commit run --all-files --show-diff-on-failure

audit: setup  ## known vulnerabilities in the locked versions (needs the internet; passes without it and says so)
	@$(BIN)/python -m scheduler.advisories || test $$? -eq 3

benchmarks: setup  ## every benchmark beside its peers (ARGS=--quick for smaller loads)
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-peers
	@VIRTUAL_ENV=$(CURDIR)/.venv-peers $(BIN)/uv pip install --quiet --require-hashes \
		-r requirements.lock -r benchmarks/requirements.lock
	for script in notebook_start ingest small_files arrival scale_out growth report dashboard tabs; do \
		$(BIN)/python benchmarks/$$script.py $(ARGS) || exit 1; done
	PYTHONPATH=. .venv-peers/bin/python benchmarks/clean.py $(ARGS)

images: setup  ## make the README's pictures from the demo
	$(BIN)/python -m scheduler.pictures.readme docs/images

gallery: setup  ## screenshots of the pages at every size and in both themes, in outputs/gallery
	$(BIN)/python -m scheduler.pictures.gallery outputs/gallery

proofs: setup  ## pictures of every mail and PDF, in outputs/proofs
	$(BIN)/python -m scheduler.pictures.proofs outputs/proofs

lock: setup  ## update requirements.lock from pyproject.toml, for every platform
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --group dev --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --group bench --constraint requirements.lock \
		--custom-compile-command "make lock" --output-file benchmarks/requirements.lock

clean:  ## remove what can be made again (keeps .t3, the embedded services' data)
	rm -rf .venv outputs/runs outputs/staging outputs/dry_runs outputs/gallery outputs/proofs .pytest_cache .ruff_cache .mypy_cache .hypothesis

.PHONY: help setup demo test quick faults chromium check audit images gallery proofs benchmarks lock clean
