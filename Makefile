# Every goal is a line over a command that the README or docs/ explain.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH ?= 2.13.0
PICTURE ?= host/assets/sample.jpg
DEADLINE ?= auto
BOARD ?= nrf52840dk
CODECS ?= pnc-v2,$(if $(REFERENCE),pnc-reference$(comma))jpeg,pjpeg,webp,avif,jxl
CACHE ?= out/accuracy
LINK ?= sim
SLOTS ?= 3 4
CORE_FLAGS := -std=c11 -O2 -Wall -Wextra -Ifirmware/core/include -Iprotocol -Itests/core
SANITIZER ?= address
comma := ,
SOURCES := pyproject.toml setup.py protocol/pnc_wire.h host/board/build_core.py host/codec/build_coder.py \
	$(wildcard firmware/core/src/*.[ch] firmware/core/include/pnc/*.h host/codec/native/*.[ch])

.DEFAULT_GOAL := help
.PHONY: help send recv demo flash fast test hil test-firmware train check check-needs format size cycles stacks explore prove mutants \
	mutants-core mutants-link coverage fuzz faults histories soak bench figures protocol vectors api firmware sim-boards \
	locked lock audit wheel clean

help: ## List the goals
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

send: $(VENV)/.edge ## Set up what is needed, send a picture (PICTURE=FILE DEADLINE=300ms, else measured) and print the answer
	@$(BIN)/python -m host.send $(PICTURE) --deadline $(DEADLINE)

recv: $(VENV)/.edge ## Run the edge server until stopped
	@$(BIN)/python -m host.recv

demo: $(VENV)/.web ## Play pictures through virtual boards and a changing air; the live page shows them (WEB=HOST:PORT)
	@$(BIN)/python -m host.demo $(if $(WEB),--web "$(WEB)")

flash: $(VENV)/.edge ## Write the firmware to a board, built if stale (BOARD=nrf52840dk USB=1 MCUBOOT=KEY SNR= ROLE= ERASE=1 DRY_RUN=1)
	@$(BIN)/python -m host.boards flash --target "$(BOARD)" --snr "$(SNR)" --role "$(ROLE)" $(if $(filter-out 0,$(USB)),--usb) $(if $(MCUBOOT),--mcuboot "$(MCUBOOT)") $(if $(filter-out 0,$(ERASE)),--erase) $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

fast: $(VENV)/.test ## Run the tests that need no real time, no torch, no terminal and no compiler: about a minute on two cores
	@$(BIN)/python -m pytest -n 4 --dist worksteal --fast

test: $(VENV)/.test ## Run all tests but those of test-firmware: about a quarter of an hour on two cores
	@echo "make test: about a quarter of an hour on two cores (make fast: about a minute)"
	@$(BIN)/python -m pytest -n 2 --dist worksteal --ignore=tests/bsim

hil: $(VENV)/.test ## Run the tests of docs/hil.md on LINK=sim, bumble, bsim or hil, with a report in build/hil
	@$(BIN)/python -m pytest tests/hil --link $(LINK) --junitxml build/hil/$(LINK).xml --hil-report build/hil/$(LINK).html

test-firmware: $(VENV)/.test ## Test the firmware on simulated boards, one test after the other (needs Zephyr and BabbleSim)
	@$(BIN)/python -m pytest tests/bsim

faults: $(VENV)/.test ## Run every single fault at every place (SAMPLE=N: some), or pairs of them (HOURS=N, MINUTES=N, SEED=N), in virtual time; with a key: KEY=1
	@$(BIN)/python -m tests.faults $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(HOURS),--hours $(HOURS)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(filter-out 0,$(KEY)),--key)

histories: $(VENV)/.test ## Run the stateful test of the whole system, in virtual time, until RULES=N rules were applied (LINK=bsim: on simulated boards; KEY=1: with keys)
	@$(BIN)/python -m $(if $(filter bsim,$(LINK)),tests.bsim.histories,tests.system) $(if $(RULES),--rules $(RULES)) $(if $(SEED),--seed $(SEED)) \
		$(if $(filter-out 0,$(KEY)),--key)

soak: $(VENV)/.test ## Send 100,000 pictures in virtual time (PICTURES=N); with MINUTES=N pictures in real time for so long (PLOT=FILE)
	@$(BIN)/python -m host.bench soak $(if $(MINUTES),--minutes $(MINUTES) $(if $(PLOT),--plot $(PLOT)),$(if $(PICTURES),--soak $(PICTURES)))

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

cycles: ## Count instructions and cycles of the firmware's core for a packet (needs gcc-arm-none-eabi and qemu-user)
	@$(PYTHON) firmware/core/cycles/count.py

stacks: ## Print how deep the threads of a built firmware use their stacks (BUILD=build/firmware/nrf52840dk_nrf52840)
	@$(PYTHON) firmware/stacks/count.py "$(or $(BUILD),build/firmware/nrf52840dk_nrf52840)"

explore: ## Visit every state of a queue of 3 and of 4 slots (SLOTS="3 4") and compare each call with a naive queue
	@mkdir -p build
	@set -e; for slots in $(SLOTS); do \
		$(CC) $(CORE_FLAGS) -DPNC_QUEUE_SLOTS=$${slots}u tests/core/explore_queue.c -o build/explore$$slots; build/explore$$slots; done
coverage: $(VENV)/.test ## Measure lines, branches and MC/DC of the C code: all 100 % (needs clang-19, llvm-19, qemu-user)
	@$(BIN)/python -m tests.coverage

fuzz: $(VENV)/.test ## Fuzz the C code for MINUTES=9, all targets together (needs clang with libFuzzer; SANITIZER=memory)
	@$(BIN)/python -m tests.fuzz.run --minutes $(or $(MINUTES),9) --sanitizer $(SANITIZER)

prove: ## Prove with Frama-C's Eva that files of the core stay within their memory, whatever bytes come (needs frama-c)
	@$(PYTHON) firmware/core/proof/prove.py

mutants: mutants-core ## Change the sources line by line and count the changes that the tests notice (hours)

mutants-core: $(VENV)/.mutants ## Do that to the firmware's core (FILES="cobs.c ..." SAMPLE=N: N changes of each file)
	@$(BIN)/python -m tests.core.mutants $(FILES) $(if $(SAMPLE),--sample $(SAMPLE))

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

firmware: ## Build the firmware (BOARD=nrf52840dk, nrf52840dongle or a name of Zephyr's; USB=1, MCUBOOT=KEY: docs/firmware.md) with the Zephyr that ZEPHYR_BASE names
	@$(PYTHON) -m host.boards.zephyr "$(BOARD)" $(if $(filter-out 0,$(USB)),--usb) $(if $(MCUBOOT),--mcuboot "$(MCUBOOT)")

sim-boards: $(VENV)/.test ## Run two simulated boards on a simulated radio, in real time, until stopped (needs BabbleSim)
	@$(BIN)/python -m tests.bsim.simulation

locked: $(VENV)/bin/python ## Set up .venv with all extras, each package at the version and digest of locks/ (as CI does)
	@.ci/install $(BIN)/python
	@touch $(VENV)/.edge $(VENV)/.test $(VENV)/.train $(VENV)/.audit $(VENV)/.figures $(VENV)/.web $(VENV)/.mutants-link $(VENV)/.release

lock: $(VENV)/.audit ## Resolve all extras anew and write locks/
	@$(BIN)/python .ci/lock.py $(TORCH)

audit: $(VENV)/.audit ## Check licences and known weaknesses of packages, and write the list of packages (build/sbom.json)
	@$(BIN)/python .ci/audit.py

wheel: $(VENV)/.release ## Build the source archive and this computer's wheel, which needs no compiler, in build/dist
	@rm -rf build/dist
	@$(BIN)/python -m build --no-isolation --outdir build/dist >/dev/null
	@if [ "$$(uname)" = Linux ]; then cd build/dist && PATH="$(CURDIR)/$(BIN):$$PATH" auditwheel repair -w . *-linux_*.whl 2>/dev/null && rm *-linux_*.whl; fi
	@ls build/dist/*

mutants: mutants-link

mutants-link: $(VENV)/.mutants-link ## Do that to host/link (FILES="session ..."; ENDING=3: a tenth of the changes; QUICK=1: tests of 1 s for each)
	@$(BIN)/python -m tests.link.mutants $(FILES) $(if $(ENDING),--ending $(ENDING)) $(if $(QUICK),--quick $(QUICK))

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

$(VENV)/.audit: $(VENV)/.edge
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[audit]'
	@touch $@

$(VENV)/.mutants-link: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[mutants-link]'
	@touch $@

$(VENV)/.release: $(VENV)/.edge
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[release]' 'setuptools>=77'
	@touch $@

$(VENV)/.web: $(VENV)/.edge
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[edge,web]'
	@touch $@

$(VENV)/.mutants: $(VENV)/.test
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[mutants]'
	@touch $@

$(VENV)/.test: $(VENV)/.edge
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@
