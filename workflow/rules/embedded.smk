# The embedded benchmark: train its small models here, answer the test set whole, split and shared, and profile and place
# its modules like any other model's. Its catalogue is its own, apart from the papers' 14 models.
from splitshare.benchmarks.embedded.groups import training_groups
from splitshare.modules.registry import BUILDERS

EMBEDDED_TESTBEDS = TESTBEDS["local"]
EMBEDDED_MODULES = list(EMBEDDED.modules(m for w in EMBEDDED_WORKLOADS for m in EMBEDDED.workload(w).models))
TRAINING_CODE = code(
    "benchmarks.embedded.training",
    "benchmarks.embedded.requests",
    *(BUILDERS[entry.builder].removeprefix("splitshare.") for entry in EMBEDDED.architectures.values()),
)
EMBEDDED_GROUPS = training_groups(EMBEDDED)


# One thread a training, so that weights repeat to the last bit and two trainings share two cores.
for group in EMBEDDED_GROUPS:

    rule:
        name:
            f"embedded_train_{group[0].name.replace('-', '_')}"
        input:
            EMBEDDED_FILES,
        output:
            trained_files(group),
        log:
            LAYOUT.log("embedded_train", group[0].name),
        benchmark:
            LAYOUT.benchmark("embedded_train", group[0].name)
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=TRAINING_CODE,
            data=subpath(input[0], ancestor=2),
            model=group[0].name,
            epochs=CONFIG.embedded.epochs,
            seed=CONFIG.seed,
            directory=subpath(output[0], parent=True),
        message:
            f"Training {', '.join(model.name for model in group)}"
        shell:
            "splitshare embedded train --data {params.data} --model {params.model} --epochs {params.epochs}"
            " --seed {params.seed} -o {params.directory} > {log} 2>&1"


rule embedded_evaluate:
    input:
        catalogue=EMBEDDED_FILES,
        weights=[path for group in EMBEDDED_GROUPS for path in trained_files(group)],
    output:
        EMBEDDED_ACCURACY,
    log:
        LAYOUT.log("embedded_evaluate"),
    benchmark:
        LAYOUT.benchmark("embedded_evaluate")
    threads: 1
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code("stages.embedded.evaluate"),
        data=subpath(input[0], ancestor=2),
        weights=folder_of("weights"),
    message:
        "Answering the embedded benchmark's test requests, whole, split and shared"
    shell:
        "splitshare embedded evaluate {params.weights} --data {params.data} -o {output} > {log} 2>&1"


use rule profile_module as embedded_profile_module with:
    output:
        f"{RESULTS}/local/embedded/profiles/{{module}}.json",
    log:
        LAYOUT.log("embedded_profile_module", "{module}"),
    benchmark:
        LAYOUT.benchmark("embedded_profile_module", "{module}")
    params:
        definition=lambda wildcards: definition_sha256(EMBEDDED.module(wildcards.module)),
        data=f"--data {EMBEDDED_DATA}",


use rule profile_machine as embedded_profile_machine with:
    input:
        expand(f"{RESULTS}/local/embedded/profiles/{{module}}.json", module=EMBEDDED_MODULES),
    output:
        f"{RESULTS}/local/embedded/this-machine.json",
    log:
        LAYOUT.log("embedded_profile_machine"),
    benchmark:
        LAYOUT.benchmark("embedded_profile_machine")
    message:
        "Collecting this machine's profile of the embedded benchmark's modules"


if GPU_TYPES:

    use rule profile_gpu_module as embedded_profile_gpu_module with:
        output:
            f"{RESULTS}/local/embedded/profiles/{{gpu}}/{{module}}.json",
        log:
            LAYOUT.log("embedded_profile_gpu_module", "{gpu}", "{module}"),
        benchmark:
            LAYOUT.benchmark("embedded_profile_gpu_module", "{gpu}", "{module}")
        params:
            definition=lambda wildcards: definition_sha256(EMBEDDED.module(wildcards.module)),
            data=f"--data {EMBEDDED_DATA}",

    use rule profile_gpu as embedded_profile_gpu with:
        input:
            expand(
                f"{RESULTS}/local/embedded/profiles/{{gpu}}/{{module}}.json",
                module=EMBEDDED_MODULES,
                allow_missing=True,
            ),
        output:
            f"{RESULTS}/local/embedded/{{gpu}}.json",
        log:
            LAYOUT.log("embedded_profile_gpu", "{gpu}"),
        benchmark:
            LAYOUT.benchmark("embedded_profile_gpu", "{gpu}")
        message:
            "Collecting the profile of {wildcards.gpu} for the embedded benchmark's modules"


rule embedded_derive:
    input:
        device=f"{DATA}/devices/{{device}}.yaml",
        descriptions=EMBEDDED_DESCRIPTIONS,
        published=f"{DATA}/published/timm_image_towers.csv",
        measured=measured_device,
        measured_modules=DESCRIPTIONS,
    output:
        f"{RESULTS}/local/embedded/devices/{{device}}.json",
    log:
        LAYOUT.log("embedded_derive", "{device}"),
    benchmark:
        LAYOUT.benchmark("embedded_derive", "{device}")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.derive"),
    message:
        "Deriving the embedded benchmark's times on {wildcards.device}"
    shell:
        "splitshare derive {input.device} --modules {input.descriptions} --measured-modules {input.measured_modules}"
        " -o {output} > {log} 2>&1"


use rule instances_canonical as embedded_instances with:
    input:
        catalogue=EMBEDDED_FILES,
        descriptions=EMBEDDED_DESCRIPTIONS,
        profiles=[
            (
                f"{RESULTS}/local/embedded/{Path(path).name}"
                if path in LOCAL_PROFILES.values()
                else f"{RESULTS}/local/embedded/devices/{Path(path).name}"
            )
            for path in profiles_of(EMBEDDED_TESTBEDS)
        ],
        testbeds=testbed_paths(EMBEDDED_TESTBEDS),
    output:
        EMBEDDED_INSTANCES,
    log:
        LAYOUT.log("embedded_instances"),
    benchmark:
        LAYOUT.benchmark("embedded_instances")
    params:
        data=f"--data {EMBEDDED_DATA}",
        workloads=flags("--workload", EMBEDDED_WORKLOADS),
    message:
        "Writing the embedded benchmark's placement instances"
