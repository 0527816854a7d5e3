# PARS: `make help` lists what there is. Everything is installed into .venv, nothing outside it.
.DEFAULT_GOAL := help
.PHONY: help install demo answer loop docs pictures check test test-slow soak mlproject requirements clean
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

# Asked what they are, since a version manager's command of that name need not lead to one.
SUPPORTED := import sys; (3, 11) <= sys.version_info < (3, 13) and print(sys.executable)
PYTHON ?= $(firstword $(foreach one,python3.11 python3.12 python3,$(shell $(one) -c '$(SUPPORTED)' 2>/dev/null)))
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --no-deps --disable-pip-version-check
SHOW_PROGRESS := | sed -un -E '/^(Collecting|Installing|Successfully)/p' | cut -c 1-100

# `mlflow run --env-manager local` uses the python that stands first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Nothing calls out: each library has its own word for it.
export MLFLOW_DISABLE_TELEMETRY := true
export ORT_DISABLE_TELEMETRY := 1
export VLLM_NO_USAGE_STATS := 1
export BENTOML_DO_NOT_TRACK := True
export HF_HUB_DISABLE_TELEMETRY := 1
# Threads that wait shall sleep: spinning beside other busy processes slows training down several times.
export OMP_WAIT_POLICY := passive

# One after the other: two engines beside each other fail tests for want of time (CONTRIBUTING.md).
PYTEST ?= pytest

help: ## List the targets
	@echo "make TARGET: what it does (what it needs; how long on two cores, once .venv is there, which each makes first)"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: .venv/.installed ## Install what the product needs (CPU build) into .venv (package registries, 5 GB; 4 minutes)
demo: .venv/.installed ## The whole life on embedded data: train, promote, serve, replay (10 minutes)
	@python -m benchmarks demo

answer: .venv/.installed ## After the demo: serve what it made, ask it one question, stop (what `make demo` left)
	@python -m loop.demo.one_answer

loop: .venv/.installed ## The circle: ask an LLM, train, serve; it changes; retrain from the journal (15 minutes)
	@python -m loop loop

docs: .venv/.installed-dev ## Build the site into .site, from docs/ and from the code (some 15 seconds)
	mkdocs build --strict --quiet
	@echo "The site is there: open .site/index.html, or to search it too, python -m http.server --directory .site"

pictures: .venv/.installed-dev ## The docs' pictures, of what demo, loop and docs have left (needs chromium; some 10 minutes)
	python -m pictures $(PICTURES)

check: .venv/.installed-dev ## Format, lint, types, architecture, MLproject, site (two minutes)
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	python -m cli.mlproject --check
	mkdocs build --strict --quiet

test: .venv/.installed-dev ## Tests, with the real engine (half an hour)
	$(PYTEST) -m "not slow"

test-slow: .venv/.installed-dev ## Longer tests with the real engine (half an hour)
	$(PYTEST) -m "slow and not soak"

soak: .venv/.installed-dev ## Load, overload and faults: no request lost, no growth (SOAK_MINUTES, 10 unless given)
	pytest -m soak -s

# The resolver's answer is pinned, and installed without asking pip to resolve it again. The CPU build of torch
# comes from wherever pip is configured to look, or else from PyTorch's own index.
define install_pinned
$(PIP_INSTALL) -r $(1) $(SHOW_PROGRESS) || $(PIP_INSTALL) --extra-index-url $(TORCH_CPU_INDEX) -r $(1) $(SHOW_PROGRESS)
endef

.venv/.installed: requirements/cpu.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "PARS needs Python 3.11 or 3.12, and neither is on the path: install one, or name it with\
	 make PYTHON=/where/python3.12 ..."; exit 1; }
	@echo "Installing some 230 packages (5 GB) into .venv: about 4 minutes ..."
	@$(PYTHON) -m venv .venv
	@$(call install_pinned,requirements/cpu.txt)
	@$(PIP_INSTALL) --no-build-isolation --editable . $(SHOW_PROGRESS)
	@touch $@

.venv/.installed-dev: requirements/dev.txt .venv/.installed .venv/.prometheus
	@$(call install_pinned,requirements/dev.txt)
	@touch $@

# promtool and Prometheus, for the tests of deploy/alerts.yaml: Debian's package, unpacked and not installed, so that
# nobody has to be root. Where it cannot be had, they are skipped and say so.
.venv/.prometheus: | .venv/.installed
	@cd .venv && (apt-get download -q prometheus || (apt-get update -q && apt-get download -q prometheus)) \
	  >.prometheus.log 2>&1 && dpkg-deb --fsys-tarfile prometheus_*.deb \
	  | tar -x -C bin --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool \
	  || echo "Prometheus cannot be had from apt-get (.venv/.prometheus.log): the tests that need it are skipped."
	@rm -f .venv/prometheus_*.deb
	@touch $@

mlproject: .venv/.installed-dev ## Write MLproject anew from the settings of the commands (seconds)
	python -m cli.mlproject

# uv does not read pip's configuration: set UV_EXTRA_INDEX_URL or UV_FIND_LINKS to where torch's CPU build is.
requirements: UV_EXTRA_INDEX_URL ?= $(TORCH_CPU_INDEX)
requirements: export UV_EXTRA_INDEX_URL := $(UV_EXTRA_INDEX_URL)
requirements: export UV_INDEX_STRATEGY := unsafe-best-match
requirements: export UV_CUSTOM_COMPILE_COMMAND := make requirements
# What is pinned is the answer for Python 3.11; that for 3.12 must be the same.
define same_for_3_12
uv pip compile pyproject.toml -p 3.12 $(1) -c $(2) --no-header --no-annotate -q | diff - <(grep -v '^ *#' $(2))
endef
requirements: ## Resolve pyproject.toml anew into requirements/*.txt (package registries, uv)
	uv pip compile pyproject.toml -q -U -p 3.11 --extra cpu -o requirements/cpu.txt
	$(call same_for_3_12,--extra cpu,requirements/cpu.txt)
	uv pip compile pyproject.toml -q -p 3.11 --extra cpu --extra dev -c requirements/cpu.txt -o requirements/dev.txt
	$(call same_for_3_12,--extra cpu --extra dev,requirements/dev.txt)
	env -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	  uv pip compile pyproject.toml -q -p 3.11 --extra cuda -o requirements/cuda.txt
	env -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS $(call same_for_3_12,--extra cuda,requirements/cuda.txt)
	uv pip compile pyproject.toml -q -p 3.11 --extra training -c requirements/cpu.txt -o requirements/training.txt
	$(call same_for_3_12,--extra training,requirements/training.txt)
	sed -i 's/+cpu//' requirements/training.txt

clean: ## Remove what the demo and the tests made (not .venv, not MLflow's runs)
	rm -rf .demo .pars .pytest_cache .mypy_cache .ruff_cache .hypothesis
