# The one entry point for people and for CI. Each target does all of its own set-up in .venv; `make help` lists them.
#
#   PYTHON=python3.12   the interpreter to use (3.11 or newer; otherwise the first one that is found)
#   ARGS="..."          more arguments for the program that a target runs

PYTHON ?=
ARGS ?=
JOBS ?= auto
PREPARE = PYTHON="$(PYTHON)" sh scripts/prepare-venv
VENV = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint lock bench bench-model bench-certify bench-pipeline clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r target text; do printf '  make %-14s %s\n' "$$target" "$$text"; done

demo: ## take a model from a commit to certified production, watch it degrade, replace it
	@$(PREPARE) demo
	@$(VENV)/mintage demo $(ARGS)

test: ## run the tests, but for the slow ones
	@$(PREPARE) dev
	@$(VENV)/python -m pytest -m "not slow" -n $(JOBS) --dist loadfile $(ARGS)

test-all: lint ## check style, types and import order, install what is beside Python, run all tests
	@$(PREPARE) ray
	@bash scripts/install-system-parts || echo "Not all system parts could be installed; their tests say what is missing." >&2
	@$(VENV)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: ## check style, types, import order and shell scripts
	@$(PREPARE) dev
	@$(VENV)/python -m ruff check .
	@$(VENV)/python -m ruff format --check .
	@$(VENV)/python -m mypy
	@$(VENV)/lint-imports --no-logo
	@for script in .ci/run scripts/*; do sh scripts/check-shell "$$script" || exit 1; done

lock: ## write requirements/*.txt again from pyproject.toml (needs the network)
	@$(PREPARE) dev
	@sh scripts/write-locks $(ARGS)

bench: ## time each step of the loop: a table, and JSON in bench/results
	@$(PREPARE) dev
	@$(VENV)/python bench/loop.py $(ARGS)

bench-model: ## time a model in Python beside the bare runtime and MLflow's pyfunc (makes .venv-peers)
	@$(PREPARE) dev
	@MINTAGE_VENV=.venv-peers $(PREPARE) peers
	@$(VENV)/python bench/model.py --peers .venv-peers/bin/python $(ARGS)

bench-certify: ## time certification of 100,000 rows, and its searches beside sliceline (makes .venv-peers)
	@$(PREPARE) dev
	@MINTAGE_VENV=.venv-peers $(PREPARE) peers
	@$(VENV)/python bench/certify.py --peers .venv-peers/bin/python $(ARGS)

bench-pipeline: ## time 10 to 1,000 stages, and a run with nothing to do, beside DVC and snakemake (if in .venv-peers)
	@$(PREPARE) dev
	@$(VENV)/python bench/pipeline.py --peers .venv-peers/bin/python $(ARGS)

clean: ## delete what the other targets made (not the demo's repository)
	rm -rf .venv .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} +
