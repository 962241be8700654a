# Every goal is a line over a command that the README or docs/ explain.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= 2.13.0
PICTURE ?= host/assets/sample.jpg
BOARD ?= nrf52840dk
CODECS ?= pnc-v2,$(if $(REFERENCE),pnc-reference$(comma))jpeg,pjpeg,webp,avif,jxl
CACHE ?= out/accuracy
LINK ?= sim
comma := ,
SOURCES := pyproject.toml setup.py protocol/pnc_wire.h host/board/build_core.py host/codec/build_coder.py \
	$(wildcard firmware/core/src/*.[ch] firmware/core/include/pnc/*.h host/codec/native/*.[ch])

.DEFAULT_GOAL := help
.PHONY: help send recv flash fast test hil test-firmware train check check-needs format size bench figures protocol vectors api firmware \
	sim-boards clean

help: ## List the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

send: $(VENV)/.edge ## Set up what is needed, send a picture (PICTURE=FILE) and print the answer
	@$(BIN)/python -m host.send $(PICTURE)

recv: $(VENV)/.edge ## Run the edge server until stopped
	@$(BIN)/python -m host.recv

flash: $(VENV)/.edge ## Write the firmware to a board, built if stale (BOARD=nrf52840dk USB=1 SNR= ROLE= ERASE=1 DRY_RUN=1)
	@$(BIN)/python -m host.boards flash --target "$(BOARD)" --snr "$(SNR)" --role "$(ROLE)" $(if $(filter-out 0,$(USB)),--usb) $(if $(filter-out 0,$(ERASE)),--erase) $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

fast: $(VENV)/.test ## Run the tests that need no real time, no torch, no terminal and no compiler: half a minute on two cores
	@$(BIN)/python -m pytest -n 4 --dist worksteal --fast

test: $(VENV)/.test ## Run all tests but those of test-firmware: about six minutes on two cores
	@echo "make test: about six minutes on two cores (make fast: half a minute)"
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore=tests/bsim

hil: $(VENV)/.test ## Run the tests of docs/hil.md on LINK=sim, bumble, bsim or hil, with a report in build/hil
	@$(BIN)/python -m pytest tests/hil --link $(LINK) --junitxml build/hil/$(LINK).xml --hil-report build/hil/$(LINK).html

test-firmware: $(VENV)/.test ## Test the firmware on simulated boards, one test after the other (needs Zephyr and BabbleSim)
	@$(BIN)/python -m pytest tests/bsim

train: $(VENV)/.train ## Set up what training needs, then: .venv/bin/python -m host.train --help

check: check-needs $(VENV)/.test ## Lint, formats, types, and that generated files are fresh (needs clang-format and torch)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python protocol/generate.py --check
	$(BIN)/python docs/make_api.py --check
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h' ':!protocol/pnc_wire.h')

check-needs:
	@.ci/need check clang-format torch

format: $(VENV)/.test ## Format the sources, and write docs/api.md
	$(BIN)/ruff format .
	$(BIN)/python docs/make_api.py
	clang-format -i $$(git ls-files '*.c' '*.h' ':!protocol/pnc_wire.h')

size: ## Print code and RAM of the firmware's core on a Cortex-M4 (needs gcc-arm-none-eabi and its C library)
	@$(PYTHON) firmware/core/size.py

bench: $(VENV)/.edge ## Measure the link's goodput and the codec's speed, against the air's limit and other codecs
	@$(BIN)/python -m host.bench link
	@$(BIN)/python -m host.bench codec
	@$(BIN)/python -m host.bench server

figures: $(VENV)/.figures ## Measure all codecs and write docs/accuracy.* (DATA=FOLDER LABELS=CSV: docs/evaluation.md)
	@test -n "$(DATA)" -a -n "$(LABELS)" || { echo "usage: make figures DATA=FOLDER LABELS=CSV" >&2; exit 2; }
	$(BIN)/python -m host.evaluate $(DATA) --labels $(LABELS) --codec $(CODECS) --fine --cache $(CACHE) \
		$(if $(REFERENCE),--weights $(REFERENCE)) --plot docs/accuracy.svg --table docs/accuracy.md --csv docs/accuracy.csv

protocol: $(VENV)/.edge ## Generate the files of protocol/ from wire.toml
	$(BIN)/python protocol/generate.py

vectors: $(VENV)/.test ## Generate protocol/vectors
	$(BIN)/python tests/wire/make_vectors.py

api: ## Write docs/api.md from the docstrings
	@$(PYTHON) docs/make_api.py

firmware: ## Build the firmware (BOARD=nrf52840dk, nrf52840dongle or a name of Zephyr's; USB=1: docs/firmware.md) with the Zephyr that ZEPHYR_BASE names
	@$(PYTHON) -m host.boards.zephyr "$(BOARD)" $(if $(filter-out 0,$(USB)),--usb)

sim-boards: $(VENV)/.test ## Run two simulated boards on a simulated radio, in real time, until stopped (needs BabbleSim)
	@$(BIN)/python -m tests.bsim.simulation

clean: ## Remove what was built and set up
	rm -rf $(VENV) build out *.egg-info host/board/_core.* host/codec/_coder.* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.train: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH)
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test,tflite,train]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.edge: $(VENV)/bin/python $(SOURCES)
	@echo "Setting up $(VENV) ..." >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[edge]'
	@touch $@

$(VENV)/.figures: $(VENV)/.edge $(if $(REFERENCE),$(VENV)/.train)
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[evaluate,baselines,plot]'
	@touch $@

$(VENV)/.test: $(VENV)/.edge
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@
