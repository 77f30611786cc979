# Two commands do everything: `make reproduce` and `make test`. Each makes its virtual environment if there is none.
# The first of the supported ones that runs, unless PYTHON says which.
PYTHONS := python3.11 python3.12 python3.13
PYTHON ?= $(firstword $(foreach name,$(PYTHONS),$(shell $(name) -c 'print("$(name)")' 2>/dev/null)))
VENV ?= .venv
CORES ?= all
CONFIG ?= config/config.yaml
BIN := $(VENV)/bin
BASELINES := s2m3-greedy local random first-fit best-fit worst-fit heft cpop greedy-local-search simulated-annealing
RECORD = -o data/baselines $(foreach name,$(BASELINES),--method $(name))
ADVERSARIAL_RULES := memory-tight communication-bound heavy-sharing min-max
ADVERSARIAL_METHODS := s2m3-greedy heft cpop peft min-min max-min sufferage best-fit greedy-local-search
ONLOADING_METHODS := optimum-highs optimum-gurobi j3o-batching j3o-decomposed j3o lp-rounding accuracy-greedy density-greedy random \
  edge-only local-only cloud-only
# The onloading instance of the studies.
STUDIED := medium-06-batching
ZOOS := data/zoos/published.json $(filter-out data/zoos/published.json,$(wildcard data/zoos/*.json))
READY := $(VENV)/.installed
# Expanded where it is used, by the CONFIG that a target sets.
RUN = $(BIN)/python workflow/run.py --cores $(CORES) --config-file $(CONFIG)
# PyTorch has a lock of its own, for its build differs from machine to machine.
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --quiet --override $(VENV)/overrides.txt $(UPGRADE)
# First line of targets that write committed files: those are made of the default configuration's results.
COMMITTED = $(if $(filter-out config/config.yaml,$(CONFIG)),$(error $@ writes committed files, from config/config.yaml: leave CONFIG out))

# The run with the benchmarks, all samples or so many of each.
PAPER = $(BIN)/python workflow/run.py --config-file config/paper.yaml --cores $(CORES)
SELECTED = $(if $(1),--config 'benchmarks={"samples": $(1)}')
# How many were fetched of each: judging takes as many, and does not fetch whole splits because nobody said so again.
FETCHED = results/paper/samples

# What takes times, or most of the machine, runs alone; the rest first, file by file on two cores.
tests = $(BIN)/pytest -m "$(1) and not alone" --numprocesses 2 --dist loadfile && $(BIN)/pytest -m "$(1) and alone"

.PHONY: help install reproduce smoke profiles instances embedded solve replay emulate fidelity onloading figures benchmarks accuracy compare report remeasure record-profiles record-machine-profile record-split record-baselines record-families record-adversarial record-onloading record-studies record-huge record-robustness record-emulation record-accuracy record-zoo record-perception pin lock schemas docs test coverage test-all lint clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {n = split($$1, names, " "); for (i = 1; i <= n; i++) \
	  printf "  %-24s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

$(READY): requirements-dev.lock requirements-torch.lock pyproject.toml
	$(if $(PYTHON),,$(error there is none of $(PYTHONS) here: install one of them, or say PYTHON=path/to/python))
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-torch.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

install: $(READY) ## Make the virtual environment from the lock

reproduce: $(READY) ## Measure, place, prove, replay, draw: everything, end to end
	$(RUN) all

smoke: CONFIG = config/smoke.yaml
smoke: $(READY) ## The same path on the smallest input
	$(if $(filter command,$(origin CONFIG)),$(error smoke has a configuration of its own: leave CONFIG out, or make reproduce CONFIG=$(CONFIG)))
	$(RUN) all

profiles instances embedded solve replay emulate fidelity onloading figures: $(READY) ## One stage and what it needs
	$(RUN) $@

benchmarks: $(READY) ## The papers' ten benchmarks, fetched from the hub: make benchmarks SAMPLES=500 (whole without)
	-$(BIN)/splitshare benchmarks --check $(if $(SAMPLES),--samples $(SAMPLES))
	@mkdir -p $(dir $(FETCHED)) && echo "$(SAMPLES)" > $(FETCHED)
	$(PAPER) benchmarks --keep-going $(call SELECTED,$(SAMPLES))

accuracy: $(READY) ## Train heads and judge the 14 models on what was fetched
	$(PAPER) accuracy $(call SELECTED,$(or $(SAMPLES),$(shell cat $(FETCHED) 2>/dev/null)))

compare: $(READY) ## A new algorithm against the recorded baselines: make compare ALGORITHM=mine.py:Mine
	$(if $(ALGORITHM),,$(error name it: make compare ALGORITHM=mine.py:Mine))
	$(RUN) compare --config 'compared=["$(ALGORITHM)"]'

report: $(READY) ## One HTML page with every figure and table: results/report.html
	$(RUN) all explore
	$(RUN) all explore --report results/report.html

remeasure: $(READY) ## Measure this machine again, then everything that depends on it
	$(RUN) all --forcerun profile_module

record-profiles: $(READY) ## Write the committed device profiles again from their rules
	$(COMMITTED)
	$(RUN) describe
	for device in $$(grep -L 'rule: measured-' data/devices/*.yaml); do \
	  $(BIN)/splitshare derive $$device --modules results/canonical/modules.json -o profiles/$$(basename $$device .yaml).json || exit; \
	done

record-machine-profile: $(READY) ## Measure all modules on this machine while it is quiet and keep it as a device type in profiles/
	$(BIN)/splitshare record-profile $(if $(MACHINE),--device-name $(MACHINE)) --budget-s 0.3 -o profiles

record-split: $(READY) ## Compare all split models with the whole ones again and record it for claim S3
	$(COMMITTED)
	$(BIN)/splitshare check-split -o results/local/record-split
	cp results/local/record-split/split_equivalence.csv data/baselines/

record-baselines: $(READY) ## Record the baselines that `splitshare compare` holds new algorithms against
	$(COMMITTED)
	$(RUN) instances
	$(BIN)/splitshare record results/canonical/instances/*.json --family s2m3 $(RECORD)
	$(BIN)/splitshare random-instances --name random-tuning --first-seed 0 -o results/random/tuning
	$(BIN)/splitshare record $$(ls -v results/random/tuning/*.json) --family random-tuning $(RECORD)
	$(BIN)/splitshare random-instances --name random-test --first-seed 10000 -o results/random/test
	$(BIN)/splitshare record $$(ls -v results/random/test/*.json) --family random-test $(RECORD)

record-families: $(READY) ## Record all methods and the best known over the held-out families (resumes where it was stopped)
	$(COMMITTED)
	$(BIN)/splitshare record-families -o data/baselines
	$(BIN)/splitshare record-families -o data/baselines --only-best --method optimum-builtin --time-limit-s 60

define ADVERSARIAL_START
$(BIN)/splitshare random-instances --rules $(1) --name $(1) --first-seed 0 --count 1 -o results/adversarial/starts

endef

# The worst cases against the optimum are kept, as a family to judge on; all others are in results/adversarial.
record-adversarial: $(READY) ## Search for the worst case of each algorithm against each, and keep those against the optimum
	$(COMMITTED)
	rm -rf results/adversarial
	$(foreach rules,$(ADVERSARIAL_RULES),$(call ADVERSARIAL_START,$(rules)))
	$(BIN)/splitshare adversarial $(foreach rules,$(ADVERSARIAL_RULES),results/adversarial/starts/$(rules)-0.json) \
	  $(foreach name,$(ADVERSARIAL_METHODS),--of $(name) --against $(name)) --against optimum-builtin \
	  --steps 150 --processes 2 -o results/adversarial
	rm -rf data/adversarial
	mkdir -p data/adversarial
	cp results/adversarial/instances/*-against-optimum*.json data/adversarial/
	cp results/adversarial/worst.csv data/baselines/adversarial.csv

record-onloading: $(READY) ## Record optima, J3O and baselines over the onloading suite (resumes where it was stopped)
	$(BIN)/splitshare record data/baselines/onloading_instances.jsonl --family j3o --time-limit-s 30 -o data/baselines \
	  $(foreach name,$(ONLOADING_METHODS),--method $(name))

# The solver and J3O up to a thousand clients; the decomposed method on all.
record-huge: $(READY) ## Record how time and gap of onloading methods grow over the large family (resumes where it was stopped)
	$(BIN)/splitshare onloading huge data/zoos/published.json --most-clients 1000 -o results/huge/to-1000
	$(BIN)/splitshare record $$(ls -v results/huge/to-1000/*.json) --time-limit-s 60 -o data/baselines/huge \
	  --method optimum-highs --method j3o-batching
	$(BIN)/splitshare onloading huge data/zoos/published.json -o results/huge/all
	$(BIN)/splitshare record $$(ls -v results/huge/all/*.json) --time-limit-s 120 -o data/baselines/huge --method j3o-decomposed

record-studies: $(READY) ## Record what room for queues, unknown demand and change do to one medium onloading instance
	$(BIN)/python -c 'import splitshare; i = {i.name: i for i in splitshare.instances("j3o")}["$(STUDIED)"]; \
	  i.write("results/studies/instance.json")'
	$(BIN)/splitshare onloading headroom results/studies/instance.json -o results/studies/headroom
	$(BIN)/splitshare onloading uncertain results/studies/instance.json --samples 40 --draws 40 -o results/studies/uncertain
	$(BIN)/splitshare onloading follow results/studies/instance.json -o results/studies/follow
	mkdir -p data/baselines/studies
	cp results/studies/instance.json data/baselines/studies/
	cp results/studies/headroom/replays.csv data/baselines/studies/headroom.csv
	cp results/studies/uncertain/draws.csv data/baselines/studies/uncertain.csv
	cp results/studies/follow/over_time.csv data/baselines/studies/follow.csv

record-robustness: $(READY) ## Record in how many draws of times that are off the claims hold, on a quiet machine
	$(COMMITTED)
	$(RUN) instances
	$(BIN)/splitshare robustness --modules results/canonical/modules.json \
	  $(addprefix --profile ,$(sort $(wildcard profiles/*.json))) -o data/baselines/robustness.csv

record-accuracy: $(READY) ## Train and judge the embedded benchmark's models again and record their accuracy
	$(COMMITTED)
	$(RUN) embedded
	$(BIN)/splitshare embedded evaluate results/local/embedded/weights --precision float16 --precision bfloat16 \
	  -o results/local/embedded_accuracy_by_precision.json
	$(BIN)/splitshare embedded record results/local/embedded_accuracy_by_precision.json -o data/baselines/accuracy.json

record-zoo: $(READY) ## Train, judge and time the trained zoo's models on this machine (resumes where it was stopped)
	$(BIN)/splitshare onloading train-zoo --work results/zoo -o data/zoos/trained.json

record-perception: $(READY) ## Count and time the perception zoo's models on this machine (resumes where it was stopped)
	$(BIN)/splitshare onloading perception-zoo data/published/multitask_zoo.csv --work results/perception -o data/perception --zoo data/zoos/perception.json

record-emulation: $(READY) ## Record emulated beside simulated replays and how links are shaped, on a quiet machine
	$(COMMITTED)
	$(RUN) fidelity --forcerun emulate_campaign emulate_real emulate_namespaces emulate_batches measure_shaping
	mkdir -p data/baselines/emulation
	cp results/local/fidelity/*.csv results/local/fidelity-real/causes.csv results/local/fidelity-real/computing.csv \
	  data/baselines/emulation/
	cp results/local/fidelity-batches/fidelity.csv data/baselines/emulation/fidelity-batches.csv
	cp results/local/shaping/proxy.csv data/baselines/emulation/shaping-proxy.csv
	if [ -f results/local/shaping/namespaces.csv ]; then \
	  cp results/local/shaping/namespaces.csv data/baselines/emulation/shaping-namespaces.csv && \
	  cp results/local/fidelity-namespaces/fidelity.csv data/baselines/emulation/fidelity-namespaces.csv; fi

pin: $(READY) ## Pin the digests of the canonical instances (after a meant change)
	$(COMMITTED)
	$(RUN) instances_canonical --config pinned_instances=
	$(BIN)/splitshare pin results/canonical/instances/*.json -o data/baselines/instances.json
	$(BIN)/splitshare onloading suite $(ZOOS) -o data/baselines

lock: $(READY) ## Write the locks again, for every platform and with digests; UPGRADE=--upgrade takes newer versions
	echo "torch ; sys_platform == 'never'" > $(VENV)/overrides.txt
	$(LOCK) --extra all --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

schemas: $(READY) ## Write the JSON Schemas again (after a meant change of a file's fields)
	$(BIN)/splitshare schemas -o schemas

docs: $(READY) ## The documentation as a site, notebooks executed: results/site
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/sphinx-build --quiet --nitpicky --fail-on-warning --keep-going --builder html docs results/site

test: $(READY) ## The default tests
	$(call tests,not slow and not gpu and not network)

coverage: $(READY) ## The default tests with the share of lines that they run, by file: results/coverage/index.html
	$(BIN)/pytest -m "not slow and not gpu and not network and not alone" --numprocesses 2 --dist loadfile \
	  --cov --cov-report=html:results/coverage --cov-report=term:skip-covered

test-all: $(READY) ## The default tests and the slow ones
	$(call tests,not gpu and not network)

lint: $(READY) ## Format, types, workflow, spelling, licences
	$(BIN)/ruff format --check src tests workflow benchmarks docs
	$(BIN)/ruff check src tests workflow benchmarks docs
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/python workflow/lint.py
	$(BIN)/codespell
	$(BIN)/reuse lint --quiet

clean: ## Remove what runs have computed
	rm -rf results .snakemake
