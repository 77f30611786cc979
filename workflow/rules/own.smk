# Models of one's own: their catalogue was written by `splitshare catalogue`. They are described, timed on every device of
# their testbeds, placed by every method, and replayed, like the papers' models and apart from them.
OWN_DATA = CONFIG.own_models.data
OWN_FILES = [
    f"{OWN_DATA}/catalogue/{name}.yaml" for name in ("tasks", "architectures", "models", "workloads", "checkpoints")
]
OWN_DESCRIPTIONS = f"{RESULTS}/own/modules.json"
OWN_MODULES = list(OWN.modules(model for name in CONFIG.own_models.workloads for model in OWN.workload(name).models))


def own_profiles():
    """Profiles of the devices of one's own models' testbeds: measured here, measured there, or derived."""
    types = dict.fromkeys(d.device_type for name in TESTBEDS["own"] for d in TESTBED_OF[name].devices)
    return [
        (
            str(own_profile(kind))
            if kind not in MACHINES and own_profile(kind).is_file()
            else f"{RESULTS}/own/profiles/{kind}.json"
        )
        for kind in types
    ]


use rule describe as own_describe with:
    input:
        OWN_FILES,
    output:
        OWN_DESCRIPTIONS,
    log:
        LAYOUT.log("own_describe"),
    benchmark:
        LAYOUT.benchmark("own_describe")
    message:
        "Counting parameters, operations and bytes of the modules of one's own models"


use rule profile_module as own_profile_module with:
    output:
        f"{RESULTS}/own/profiles/modules/{{module}}.json",
    log:
        LAYOUT.log("own_profile_module", "{module}"),
    benchmark:
        LAYOUT.benchmark("own_profile_module", "{module}")
    params:
        definition=lambda wildcards: definition_sha256(OWN.module(wildcards.module)),
        data=f"--data {shlex.quote(OWN_DATA)}",


use rule profile_machine as own_profile_machine with:
    input:
        expand(f"{RESULTS}/own/profiles/modules/{{module}}.json", module=OWN_MODULES),
    output:
        f"{RESULTS}/own/profiles/this-machine.json",
    log:
        LAYOUT.log("own_profile_machine"),
    benchmark:
        LAYOUT.benchmark("own_profile_machine")
    message:
        "Collecting this machine's profile of one's own models"


rule own_derive:
    input:
        device=f"{DATA}/devices/{{device}}.yaml",
        descriptions=OWN_DESCRIPTIONS,
        published=f"{DATA}/published/timm_image_towers.csv",
        measured=measured_device,
        measured_modules=DESCRIPTIONS,
    output:
        f"{RESULTS}/own/profiles/{{device}}.json",
    log:
        LAYOUT.log("own_derive", "{device}"),
    benchmark:
        LAYOUT.benchmark("own_derive", "{device}")
    wildcard_constraints:
        device=r"(?!this-machine\.)[a-z0-9-]+",
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.derive"),
        data=OWN_DATA,
    message:
        "Deriving the times of one's own models on {wildcards.device}"
    shell:
        "splitshare derive {input.device} --data {params.data:q} --modules {input.descriptions}"
        " --measured-modules {input.measured_modules} -o {output} > {log} 2>&1"


use rule instances_canonical as own_instances with:
    input:
        catalogue=OWN_FILES,
        descriptions=OWN_DESCRIPTIONS,
        profiles=own_profiles(),
        testbeds=testbed_paths(TESTBEDS["own"]),
    output:
        INSTANCES["own"],
    log:
        LAYOUT.log("own_instances"),
    benchmark:
        LAYOUT.benchmark("own_instances")
    params:
        data=f"--data {shlex.quote(OWN_DATA)}",
        workloads=flags("--workload", WORKLOADS["own"]),
    message:
        "Writing placement instances of one's own models"


use rule solve_canonical as own_solve with:
    input:
        INSTANCES["own"],
    output:
        placement_files("{method}", INSTANCE_NAMES["own"], "own"),
    log:
        LAYOUT.log("own_solve", "{method}"),
    benchmark:
        LAYOUT.benchmark("own_solve", "{method}")
    message:
        "Placing one's own models with {wildcards.method}"


if CONFIG.own_models.replay:

    rule own_trace:
        input:
            LAYOUT.instance("own", "{instance}"),
        output:
            f"{RESULTS}/own/replay/{{instance}}.trace.parquet",
        log:
            LAYOUT.log("own_trace", "{instance}"),
        benchmark:
            LAYOUT.benchmark("own_trace", "{instance}")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.trace"),
            rate_per_s=CONFIG.own_models.replay.rate_per_s,
            requests=CONFIG.own_models.replay.requests,
            seed=CONFIG.seed,
        message:
            "Drawing requests: {wildcards.instance}"
        shell:
            "splitshare trace {input} --kind poisson --rate-per-s {params.rate_per_s} --requests {params.requests}"
            " --seed {params.seed} -o {output} > {log} 2>&1"

    rule own_simulate:
        input:
            instance=LAYOUT.instance("own", "{instance}"),
            placement=LAYOUT.placement("own", CONFIG.own_models.replay.method, "{instance}"),
            trace=f"{RESULTS}/own/replay/{{instance}}.trace.parquet",
        output:
            f"{RESULTS}/own/replay/{{instance}}.simulated.parquet",
        log:
            LAYOUT.log("own_simulate", "{instance}"),
        benchmark:
            LAYOUT.benchmark("own_simulate", "{instance}")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.simulate"),
        message:
            "Simulating requests: {wildcards.instance}"
        shell:
            "splitshare simulate {input.instance} {input.placement} {input.trace} -o {output} > {log} 2>&1"

    # With the real modules and their weights, by a process a device; memory as modules declare, since a process of
    # Python needs more than a small device has.
    rule own_emulate:
        input:
            catalogue=OWN_FILES,
            instance=LAYOUT.instance("own", "{instance}"),
            placement=LAYOUT.placement("own", CONFIG.own_models.replay.method, "{instance}"),
            trace=f"{RESULTS}/own/replay/{{instance}}.trace.parquet",
        output:
            requests=f"{RESULTS}/own/replay/{{instance}}.emulated.parquet",
            runs=f"{RESULTS}/own/replay/{{instance}}.runs.parquet",
        log:
            LAYOUT.log("own_emulate", "{instance}"),
        benchmark:
            LAYOUT.benchmark("own_emulate", "{instance}")
        threads: WHOLE_MACHINE
        resources:
            mem_mb=2000,
            runtime=60,
        params:
            code=code("stages.emulate", "stages.worker"),
            data=OWN_DATA,
        message:
            "Replaying requests with the real modules on worker processes over shaped links: {wildcards.instance}"
        shell:
            "splitshare emulate {input.instance} {input.placement} {input.trace} --data {params.data:q} --compute real"
            " --limits declared --any-links --runs {output.runs} -o {output.requests} > {log} 2>&1"
