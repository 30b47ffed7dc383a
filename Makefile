# `make run` trains a VGG, `make test` proves the code; both do all set-up.
# PYTHON=3.12 (or a path) asks for one Python, MXNET=cu117 for the wheel of a
# GPU, VENV=folder for another environment; ARGS='...' goes to the command of
# run, test and bench.

VENV ?= .venv
export VENV
bin := $(VENV)/bin

.PHONY: help setup run test chapter notebook slides pdf lint format bench \
	clean

help:  ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s%s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

setup:  ## Make the environment, unless it is up to date
	@sh scripts/setup_env.sh

run: setup  ## Train a VGG on Fashion-MNIST and draw its curve (3 minutes)
	@"$(bin)/d2l-vgg" train --experiment quick --allow-stand-in $(ARGS)

test: setup  ## Run the tests
	@"$(bin)/python" -m pytest -q $(ARGS)

chapter: setup  ## Build the chapter: a web page and four notebooks
	@"$(bin)/d2l-vgg" chapter $(ARGS)

notebook: setup  ## Open the chapter as a notebook in JupyterLab
	@"$(bin)/d2l-vgg" chapter --only notebooks --copy-to notebooks
	@PATH="$(abspath $(bin)):$$PATH" JUPYTER_PREFER_ENV_PATH=1 \
		"$(bin)/jupyter" lab $(ARGS) notebooks/mxnet/vgg.ipynb

slides: setup  ## Build the slides of the chapter
	@"$(bin)/d2l-vgg" chapter --only slides $(ARGS)

pdf: setup  ## Build the chapter as a PDF (needs LaTeX)
	@"$(bin)/d2l-vgg" chapter --only pdf $(ARGS)

lint: setup  ## Check style and format of the code
	@"$(bin)/ruff" check .
	@"$(bin)/ruff" format --check .

format: setup  ## Bring the code into the format
	@"$(bin)/ruff" check --fix .
	@"$(bin)/ruff" format .

bench: setup  ## Time this package beside stock d2l
	@"$(bin)/d2l-vgg" bench $(ARGS)

clean:  ## Remove the environments and every cache; runs/ stays
	rm -rf .venv .venv312 build chapter/_build d2l_vgg.egg-info .pytest_cache .ruff_cache
	find d2l_vgg scripts tests -name __pycache__ -prune -exec rm -r {} +
