# Modules: what they are (counted from the architecture), and how long they take on this machine (measured).
from splitshare.profiling.definition import definition_sha256

PROFILED_MODULES = list(
    CATALOG.modules(model for workload in WORKLOADS["local"] for model in CATALOG.workload(workload).models)
)


rule describe:
    input:
        CATALOGUE_FILES,
    output:
        DESCRIPTIONS,
    log:
        LAYOUT.log("describe"),
    benchmark:
        LAYOUT.benchmark("describe")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.describe"),
        data=subpath(input[0], ancestor=2),
    message:
        "Counting parameters, operations and bytes of every module"
    shell:
        "splitshare describe --data {params.data} -o {output} > {log} 2>&1"


use rule describe as embedded_describe with:
    input:
        EMBEDDED_FILES,
    output:
        EMBEDDED_DESCRIPTIONS,
    log:
        LAYOUT.log("embedded_describe"),
    benchmark:
        LAYOUT.benchmark("embedded_describe")
    message:
        "Counting parameters, operations and bytes of the embedded benchmark's modules"


# A profile is measured again when the module's definition changes or when it is asked for (--forcerun
# profile_module), not when the measuring code does: times are kept until somebody wants new ones.
rule profile_module:
    output:
        f"{RESULTS}/local/profiles/{{module}}.json",
    log:
        LAYOUT.log("profile_module", "{module}"),
    benchmark:
        LAYOUT.benchmark("profile_module", "{module}")
    # All cores, so that nothing else runs while times are taken.
    threads: WHOLE_MACHINE
    resources:
        **({"gpu": 1} if CONFIG.profiling.torch_device != "cpu" else {}),
        mem_mb=4000,
        runtime=60,
    params:
        definition=lambda wildcards: definition_sha256(CATALOG.module(wildcards.module)),
        data="",
        machine="this-machine",
        budget_s=CONFIG.profiling.budget_s,
        longest_run_s=CONFIG.profiling.longest_run_s,
        torch_device=CONFIG.profiling.torch_device,
        torch_threads=(f"--threads {CONFIG.profiling.threads}" if CONFIG.profiling.threads else ""),
        seed=CONFIG.seed,
    message:
        "Measuring {wildcards.module} on this machine"
    shell:
        "splitshare profile {params.data} --module {wildcards.module} --budget-s {params.budget_s}"
        " --longest-run-s {params.longest_run_s}"
        " --device-name {params.machine} --torch-device {params.torch_device} {params.torch_threads} --seed {params.seed}"
        " -o {output} > {log} 2>&1"


rule profile_machine:
    input:
        expand(f"{RESULTS}/local/profiles/{{module}}.json", module=PROFILED_MODULES),
    output:
        LOCAL_PROFILES["this-machine"],
    log:
        LAYOUT.log("profile_machine"),
    benchmark:
        LAYOUT.benchmark("profile_machine")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.merge_profiles"),
    message:
        "Collecting this machine's profile"
    shell:
        "splitshare merge-profiles {input} -o {output} > {log} 2>&1"


if GPU_TYPES:

    use rule profile_module as profile_gpu_module with:
        output:
            f"{RESULTS}/local/profiles/{{gpu}}/{{module}}.json",
        log:
            LAYOUT.log("profile_gpu_module", "{gpu}", "{module}"),
        benchmark:
            LAYOUT.benchmark("profile_gpu_module", "{gpu}", "{module}")
        resources:
            mem_mb=4000,
            runtime=60,
            gpu=1,
        params:
            machine="{gpu}",
            torch_device=lambda wildcards: MACHINES[wildcards.gpu],
        message:
            "Measuring {wildcards.module} on {wildcards.gpu}"

    use rule profile_machine as profile_gpu with:
        input:
            expand(f"{RESULTS}/local/profiles/{{gpu}}/{{module}}.json", module=PROFILED_MODULES, allow_missing=True),
        output:
            f"{RESULTS}/local/{{gpu}}.json",
        log:
            LAYOUT.log("profile_gpu", "{gpu}"),
        benchmark:
            LAYOUT.benchmark("profile_gpu", "{gpu}")
        wildcard_constraints:
            gpu="|".join(GPU_TYPES),
        message:
            "Collecting the profile of {wildcards.gpu}"


if CONFIG.local_testbed:

    rule local_testbed:
        input:
            LOCAL_TESTBED_BASE,
        output:
            LOCAL_TESTBED,
        log:
            LAYOUT.log("local_testbed"),
        benchmark:
            LAYOUT.benchmark("local_testbed")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.local_testbed"),
            gpus=len(GPU_TYPES),
        message:
            "Writing the testbed that this machine stands in"
        shell:
            "splitshare local-testbed {input} --gpus {params.gpus} -o {output} > {log} 2>&1"
