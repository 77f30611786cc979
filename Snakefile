# The whole pipeline: catalogue and measurements to tables and figures. This file wires the stages together and names
# the targets; each stage is a file in workflow/rules/, and every command in them can be run by hand.
from splitshare.places import CONFIG as DEFAULT_CONFIG

# Another configuration stands alone: Snakemake would merge this one into it.
if not workflow.configfiles and "schema" not in config:

    configfile: DEFAULT_CONFIG


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/config.smk"
include: "workflow/rules/profiles.smk"
include: "workflow/rules/instances.smk"


if CONFIG.embedded:

    include: "workflow/rules/embedded.smk"


include: "workflow/rules/solve.smk"


if CONFIG.own_models:

    include: "workflow/rules/own.smk"


include: "workflow/rules/studies.smk"
include: "workflow/rules/replay.smk"
include: "workflow/rules/load.smk"
include: "workflow/rules/benchmarks.smk"
include: "workflow/rules/onloading.smk"
include: "workflow/rules/emulation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/compare.smk"


onsuccess:
    keep_digests()


onerror:
    keep_digests()


localrules:
    all,
    profiles,
    instances,
    embedded,
    solve,
    replay,
    onloading,
    figures,
    compare,
    benchmarks,
    accuracy,
    own,


# Everything: canonical tables and figures, and this machine's own under results/local.
rule all:
    default_target: True
    input:
        RUN_CONFIG,
        FIGURES,
        GALLERY,
        SPLIT_CHECKS,
        EMBEDDED_RESULTS,
        EMULATED,
        OWN_RESULTS,
        [f"{RESULTS}/{scope}/placements.csv" for scope in SCOPES],


# Measure this machine, module by module.
rule profiles:
    input:
        list(LOCAL_PROFILES.values()),


# Placement instances, canonical and local.
rule instances:
    input:
        INSTANCES["canonical"] + INSTANCES[MEASURED],
        INSTANCES["local"] + EMBEDDED_INSTANCES,


# The embedded benchmark: trained and evaluated on this machine.
rule embedded:
    input:
        EMBEDDED_RESULTS,


# Placements by every method, as tables.
rule solve:
    input:
        [f"{RESULTS}/{scope}/placements.csv" for scope in SCOPES],


# Request traces replayed through the simulator, and placements under load.
rule replay:
    input:
        REPLAY_TABLES,
        LOAD_TABLES,


# The onloading problem (J3O): the suite, sweeps, ablation, replay.
rule onloading:
    input:
        ONLOADING_TABLES,


# Every table and figure.
rule figures:
    input:
        FIGURES,
        GALLERY,


# The benchmarks of the configuration, fetched from the hub (`--configfile config/paper.yaml`; needs the network).
rule benchmarks:
    input:
        BENCHMARK_LOCKS,


# Accuracy on the fetched benchmarks, whole, split and shared: measured, as tables and figure, and claim S3.
rule accuracy:
    input:
        ACCURACY,
        [f"{PAPER_FIGURES}/{name}" for name in declared_figures()["accuracy"].files()],


# Models of one's own (`own_models` in the configuration): placed by every method, and replayed.
rule own:
    input:
        OWN_RESULTS,


# New algorithms (`compared` in the configuration) against the recorded baselines.
rule compare:
    input:
        VERDICTS,


# Requests replayed by worker processes over shaped links.
rule emulate:
    input:
        EMULATED,


# Emulator against simulator, with repeated runs and a crash, and with real modules.
rule fidelity:
    input:
        CAMPAIGN,
        EXPLAINED,
        OVER_NAMESPACES,
        IN_BATCHES,
        SHAPED,
