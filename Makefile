# qsubnet: `make demo` and `make test` are all that a fresh machine needs (Python 3.11+ and make).
# `make help` lists the rest.

# The first interpreter on the PATH that is new enough; override with `make PYTHON=... demo`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; \
	done)

VENV := .venv
BIN := $(VENV)/bin

# Two cores are enough for every test; idle OpenMP threads must sleep instead of spinning on them.
THREADS := OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench bench-detection bench-gpu soak lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 17

demo: $(VENV)/.stamp ## run the whole subnet on this machine and print the board
	$(BIN)/qsubnet localnet --epochs 3 --seed 7 --state .demo

test: $(VENV)/.stamp ## every test and doctest but the long ones
	$(THREADS) $(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.stamp ## formatting, lint, types, import floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.stamp ## rewrite the code to the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.stamp ## run every benchmarks/bench_*.py, one by one
	@set -eu; found=; \
	for script in benchmarks/bench_*.py; do \
		[ -e "$$script" ] || continue; \
		found=1; echo "== $$script"; $(THREADS) $(BIN)/python "$$script"; \
	done; \
	[ -n "$$found" ] || echo "no benchmark yet: make bench runs benchmarks/bench_*.py, and none is there"

# One thread a process, two processes; what is done is kept in .detection, so a stopped run goes on.
bench-detection: $(VENV)/.stamp ## every cheat and every honest world; rewrites docs/detection.md (hours)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.detection --write docs/detection.md

bench-gpu: .venv-gpu/.stamp ## Aer on a GPU against the processor; rewrites the tables of docs/gpu.md
	.venv-gpu/bin/python -m benchmarks.gpu --write docs/gpu.md

soak: $(VENV)/.stamp ## the long tests: repeated kills, long runs
	$(THREADS) $(BIN)/python -m pytest -m soak

lock: $(BIN)/uv ## resolve pyproject.toml anew into requirements.lock (UPGRADE=1: to the newest)
	$(UV) pip compile pyproject.toml --quiet --extra all --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
		--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --output-file requirements.lock

clean: ## remove the environment and all caches
	rm -rf $(VENV) .venv-gpu .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# --------------------------------------------------------------------------- the environment

# uv trusts the system's certificates, like pip, so that it works behind the same proxies.
UV := $(BIN)/uv --system-certs

# Nothing is built and nothing is fetched without a hash. Where uv can not reach an index (pip alone
# knows of a mirror, say), pip installs the same files from the same lock, only slower.
$(VENV)/.stamp: requirements.lock pyproject.toml | $(BIN)/uv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes --no-build --compile-bytecode \
		requirements.lock \
		|| { echo "uv could not install; trying pip, which takes minutes"; \
		     $(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock; }
	$(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	touch $@

# Aer's GPU build has the CPU build's import name, so it gets an environment of its own, of some 4 GB.
.venv-gpu/.stamp: requirements.lock | $(BIN)/uv
	@command -v nvidia-smi >/dev/null || { echo "no nvidia-smi, so no NVIDIA card: see docs/gpu.md; python -m benchmarks.gpu --cpu-only measures the processor"; exit 1; }
	$(BIN)/python -m venv --without-pip .venv-gpu
	$(UV) pip sync --quiet --python .venv-gpu/bin/python --require-hashes --no-build requirements.lock
	$(UV) pip uninstall --quiet --python .venv-gpu/bin/python qiskit-aer
	$(UV) pip install --quiet --python .venv-gpu/bin/python --only-binary :all: \
		"qiskit-aer-gpu==$$(sed -n 's/^qiskit-aer==\([0-9.]*\).*/\1/p' requirements.lock)"
	touch $@

# uv alone, by pip and with its hashes: the lines of the lock from `uv==` to the first that does not go on.
$(BIN)/uv: | $(BIN)/python
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r $(VENV)/uv.lock

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "need Python 3.11 or newer on the PATH, found none (or say make PYTHON=/path/to/python3)"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
