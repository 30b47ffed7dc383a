# `make run` trains a VGG, `make test` proves the code; each target sets up
# what it needs, once.
# FRAMEWORK=torch (or tensorflow, jax, all) is used instead of MXNet,
# PYTHON=3.12 (or a path) asks for one Python, MXNET=cu117 for MXNet's wheel for
# a GPU (or system for one that is not pip's), VENV=folder for another
# environment; ARGS='...' goes to the command of run, test, doctor and bench.

VENV ?= .venv
export VENV
bin := $(VENV)/bin
set_up := sh scripts/setup_env.sh
# What the set-up has found to be asked for, and to have a build here
frameworks = $$(cat "$(VENV)/frameworks")

# Two that set up at once would be in each other's way
.NOTPARALLEL:
.PHONY: help setup run test test-all doctor chapter notebook slides pdf lint format \
	bench clean

help:  ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s%s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

setup:  ## Make the environment, unless it is up to date
	@$(set_up)

run:  ## Train a VGG on Fashion-MNIST and draw its curve (3 minutes)
	@$(set_up)
	@for framework in $(frameworks); do \
		"$(bin)/d2l-vgg" train --framework $$framework \
			--experiment quick $(ARGS) || exit; \
	done

# Two at a time, those of one framework or one file together
pytest = "$(bin)/python" -m pytest -q -n 2

test:  ## Run the tests (4 minutes), except for the slow ones
	@$(set_up) test
	@$(pytest) -m 'not slow' $(ARGS)

test-all:  ## Run all tests (25 minutes)
	@$(set_up) test
	@$(pytest) $(ARGS)

doctor:  ## Tell what this machine can run, and what to do about the rest
	@$(set_up)
	@"$(bin)/d2l-vgg" doctor $(ARGS)

chapter:  ## Build the chapter: a web page and four notebooks
	@$(set_up) chapter
	@"$(bin)/d2l-vgg" chapter $(ARGS)

notebook:  ## Open the chapter as a notebook in JupyterLab
	@$(set_up) notebook
	@"$(bin)/d2l-vgg" chapter --only notebooks --copy-to notebooks
	@set -- $(frameworks); \
	PATH="$$(cd "$(bin)" && pwd):$$PATH" JUPYTER_PREFER_ENV_PATH=1 \
		"$(bin)/jupyter" lab --allow-root $(ARGS) \
		"notebooks/$$(echo "$$1" | sed 's/^torch/pytorch/')/vgg.ipynb"

slides:  ## Build the slides of the chapter
	@$(set_up) chapter
	@"$(bin)/d2l-vgg" chapter --only slides $(ARGS)

pdf:  ## Build the chapter as a PDF (needs LaTeX)
	@$(set_up) chapter
	@"$(bin)/d2l-vgg" chapter --only pdf $(ARGS)

lint:  ## Check style, format and types of the code
	@$(set_up) lint
	@"$(bin)/ruff" check .
	@"$(bin)/ruff" format --check .
	@"$(bin)/mypy"

format:  ## Bring the code into the format
	@$(set_up) lint
	@"$(bin)/ruff" check --fix .
	@"$(bin)/ruff" format .

bench:  ## Time this package beside stock d2l
	@$(set_up)
	@"$(bin)/python" benchmarks/bench.py --framework $(frameworks) $(ARGS)

clean:  ## Remove the environments and every cache; runs/ stays
	rm -rf .venv .venv3* build chapter/_build d2l_vgg.egg-info \
		.mypy_cache .pytest_cache .ruff_cache
	find d2l_vgg scripts tests -name __pycache__ -prune -exec rm -r {} +
