# Every command that works on this project is here, once. `make run` and `make test` need only python3 (3.11+), make and
# pip: they set up .venv once, and again only when a pyproject.toml or a requirements file has changed. tox calls these
# targets in its environments, and .ci/run calls them with what a machine must have.

PYTHON ?= python3
SPEC ?= specs/openclipart.yaml
# More arguments for pytest: `make test ARGS=--quick`.
ARGS ?=
# For `make tryout`; without any, those that tools/tryout.py names.
PAGES ?=
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(sort $(wildcard plugins/*/pyproject.toml plugins/*/*/pyproject.toml)))
MANIFESTS := pyproject.toml $(PLUGINS:%=%/pyproject.toml)
CONSTRAINTS := requirements/constraints.txt
# Needs a large library, Ray, that only users of a cluster need: the tests do without it; `make install RAY=1` and
# `make clusters` install it.
LARGE := plugins/executors/ray
# What is installed: this tree. `make wheels` installs wheels instead.
DISTRIBUTIONS := --no-build-isolation -e . $(addprefix -e ,$(filter-out $(LARGE),$(PLUGINS)))
BARE := --no-build-isolation $(addprefix -e ,$(LARGE))
# One more than there are cores: tests that start commands and servers wait for them a good deal.
TESTERS = $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')
# Whether the programs are there that start clusters.
CLUSTERED = which slurmctld slurmd munged ip > /dev/null 2>&1
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install run test long clusters labelers check lint types docs bench gpu dist wheels tryout release clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed $(if $(RAY),$(VENV)/.ray) ## set up the environment in .venv; with RAY=1 also for Ray clusters

run: $(VENV)/.installed ## set up if needed, then run SPEC (default specs/openclipart.yaml) and write its page
	@$(BIN)/alharness run --report $(SPEC)

test: $(VENV)/.tested ## set up if needed, then run the test suite, in up to four processes
	$(BIN)/pytest --numprocesses=$(TESTERS) --dist=worksteal $(ARGS)

long: $(VENV)/.tested ## run the tests that repeat whole runs: kills, stand-ins, claims of reports (3 minutes)
	$(BIN)/pytest --numprocesses=$(TESTERS) --dist=worksteal -m long $(ARGS)

clusters: $(VENV)/.clustered ## install Slurm and Ray if needed, and run the tests that start clusters
	@if $(CLUSTERED) || .ci/install slurm-wlm munge iproute2; then :; else unset CI; fi; \
	  $(BIN)/pytest -m cluster $(ARGS)

labelers: $(VENV)/.tested ## install Label Studio into .labelers, and run the tests of labeling tools with its server
	$(BIN)/python tools/labelers.py $(ARGS)

check: lint types ## lint, import rules and types

lint: $(VENV)/.linted ## ruff, import rules, and the changelog's fragments
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/towncrier build --draft --version next > /dev/null
	@! grep -L '[^[:space:]]' changelog.d/*.md | sed 's/$$/: is empty; say what changed/' | grep .

types: $(VENV)/.linted ## mypy --strict
	$(BIN)/mypy --strict

docs: $(VENV)/.documented ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W -q docs docs/_build
	@echo "docs/_build/index.html"

bench: $(VENV)/.benchmarked ## measure kernels, training and whole runs, into docs/explanation/speed.md (45 minutes)
	$(BIN)/python -m benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(BEFORE),--before "$(BEFORE)")

gpu: $(VENV)/.installed ## check and measure what needs a GPU, into docs/explanation/gpu.md (5 minutes)
	$(BIN)/python -m benchmarks.gpu

dist: $(VENV)/.released ## build every distribution into dist/: the sdist, and from it the wheel
	rm -rf dist
	@for folder in . $(PLUGINS); do $(BIN)/python -m build --no-isolation --outdir dist $$folder > /dev/null || exit 1; done
	@ls dist

wheels: dist ## run the tests of the unpacked sdist on the wheels in dist/, in an environment of their own
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	  tar -xzf dist/alharness-[0-9]*.tar.gz -C "$$folder" --strip-components=1; \
	  $(MAKE) -C "$$folder" test VENV=.venv BARE="$$(echo $(CURDIR)/dist/alharness_ray-*.whl)" \
	    DISTRIBUTIONS="$$(ls $(CURDIR)/dist/*.whl | grep -v /alharness_ray- | xargs)"

tryout: dist ## do what pages say, as a new user: with the wheels in dist/, in empty folders; PAGES="..." for some of them
	$(BIN)/python tools/tryout.py $(PAGES)

release: $(VENV)/.released ## make the release VERSION, see RELEASING.md; with DRY_RUN=1 throw it away again
	$(BIN)/python tools/release.py $(if $(DRY_RUN),--dry-run) $(VERSION)

clean: ## remove the environment and everything built
	rm -rf $(VENV) docs/_build dist .mypy_cache .ruff_cache .pytest_cache

# venv is missing from some minimal Pythons. virtualenv does the same; --target is allowed also where a distribution
# forbids pip to touch its own packages. tox makes the environment itself.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(0 if sys.version_info >= (3, 11) else f"alharness needs Python 3.11 or newer, and this is {v}: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV): about two minutes, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || \
	  { rm -rf $(VENV); $(PYTHON) -m pip install -qq --target $(VENV)/bootstrap virtualenv && \
	    PYTHONPATH=$(VENV)/bootstrap $(PYTHON) -m virtualenv --quiet $(VENV); }
	@touch $@

# torch comes first and is held: an open range would take the newest accelerator build, of several GB.
$(VENV)/.installed: $(VENV)/.created $(MANIFESTS) $(CONSTRAINTS) requirements/build.txt
	@echo "  1/2 torch and the build tools"
	@$(PIP) install torch -r requirements/build.txt -c $(CONSTRAINTS)
	@echo "  2/2 alharness, its samplers and their dependencies"
	@$(PIP) install -c $(CONSTRAINTS) $(DISTRIBUTIONS)
	@touch $@

$(VENV)/.tested: $(VENV)/.installed requirements/test.txt requirements/oracles.txt
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/test.txt
	@$(PIP) install --no-deps -r requirements/oracles.txt
	@$(PIP) install --no-deps $(BARE)
	@touch $@

$(VENV)/.clustered: $(VENV)/.tested requirements/clusters.txt
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/clusters.txt
	@touch $@

$(VENV)/.ray: $(VENV)/.installed requirements/clusters.txt $(LARGE)/pyproject.toml
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/clusters.txt $(BARE)
	@touch $@

$(VENV)/.linted: $(VENV)/.tested requirements/lint.txt
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/lint.txt
	@touch $@

$(VENV)/.documented: $(VENV)/.installed requirements/docs.txt
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/docs.txt
	@touch $@

$(VENV)/.released: $(VENV)/.created requirements/build.txt requirements/release.txt
	@$(PIP) install -r requirements/build.txt -r requirements/release.txt
	@touch $@

# bmdal-reg declares what its own experiments take, plots and downloads of data among it: its selection needs none.
$(VENV)/.benchmarked: $(VENV)/.tested requirements/peers.txt
	@$(PIP) install -c $(CONSTRAINTS) -r requirements/peers.txt
	@$(PIP) install --no-deps bmdal-reg==3.0.2
	@touch $@
