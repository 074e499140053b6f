# SPDX-License-Identifier: Apache-2.0
# `make` alone prints the targets. Nothing but git, make and Python >= 3.11 with venv is needed.

SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
WORKERS ?= -n 3 --dist loadfile --no-loadscope-reorder
# Without its caches each process of the tests would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
CODE := notary iot_ingest iot_simulator schemas bench tests

# An environment whose Python is gone, or whose checkout was moved or copied, is made anew.
ifeq ($(shell $(PY) -c '' 2>/dev/null && grep -qF '$(CURDIR)/$(PY)' .venv/bin/pip && echo sound),)
$(shell rm -f .venv/run.stamp .venv/dev.stamp)
VENV := $(PYTHON) -m venv --clear .venv
endif

.PHONY: help run test test-long lint check bench verifier image contract lock clean
.DEFAULT_GOAL := help

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/run.stamp: requirements/build.txt requirements/run.txt requirements/merkletools.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: apt-get install python3 python3-venv"; exit 1; }
	@echo "Setting up .venv with $(PYTHON) ..."
	@$(VENV)
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --use-pep517 --require-hashes -r requirements/merkletools.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

.venv/evm.stamp: .venv/run.stamp requirements/evm.txt
	@$(PIP) install --require-hashes -r requirements/evm.txt
	@touch $@

EVM := $(filter evm,$(LEDGER))

run: .venv/run.stamp $(EVM:%=.venv/%.stamp) ## set everything up and do the main job on real data (ONCE=1: end by itself; LEDGER=evm: anchor on a chain too; LEDGER=bsn: by a mock of BSN's gateway)
	@tools/mosquitto
	@$(EVM:%=tools/anvil)
	@$(PY) -m notary.local.run

test: .venv/dev.stamp ## set up and run the tests
	@tools/mosquitto
	@tools/chromium
	@tools/node
	@tools/anvil
	@$(PY) -m pytest $(WORKERS) $(TESTS)

test-long: .venv/dev.stamp ## the same tests at the sizes that count
	@tools/mosquitto
	@tools/chromium
	@tools/node
	@tools/anvil
	@$(PY) -m pytest --long $(TESTS)

lint: .venv/dev.stamp ## style, types and import contracts
	@$(PY) -m ruff format --check $(CODE)
	@$(PY) -m ruff check $(CODE)
	@$(PY) -m mypy
	@.venv/bin/lint-imports

check: lint .venv/dev.stamp ## lint, and the tests with branch coverage (100 % of notary/core)
	@tools/mosquitto
	@tools/chromium
	@tools/node
	@tools/anvil
	@$(PY) -m pytest --cov=notary.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100 tests/core
	@$(PY) -m pytest

bench: .venv/run.stamp ## measure, beside yardsticks of the same run
	@tools/mosquitto
	@$(PY) -m bench

verifier: .venv/run.stamp ## build/verify.pyz and build/verify.html: the offline verifier, each in one file
	@$(PY) -m notary.local.build_verifier

contract: .venv/run.stamp ## compile the EVM ledger's contract anew (needs npm)
	@tools/node
	@$(PY) -m notary.local.build_contract

image: ## build the container image (docker, podman or buildah)
	@for b in docker podman buildah; do command -v $$b >/dev/null && $$b info >/dev/null 2>&1 && break; b=; done; \
	test -n "$$b" || { echo "None of docker, podman and buildah works here."; exit 1; }; \
	echo "with $$b"; $$b build --tag city-notary .

lock: ## rebuild requirements/*.txt from pyproject.toml (needs uv)
	@echo 'setuptools>=77' | uv pip compile -q --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o requirements/build.txt
	@uv pip compile -q --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra local --extra oidc --extra rfc3161 pyproject.toml -o requirements/run.txt
	@uv pip compile -q --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra evm -c requirements/run.txt pyproject.toml -o requirements/evm.txt
	@echo 'iotcore==0.4.0' | uv pip compile -q --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o requirements/broker.txt
	@uv pip compile -q --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --extra dev pyproject.toml -o requirements/dev.txt

clean: ## remove what was built; ./var with its data stays
	@rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
