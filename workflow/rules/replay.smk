# Request traces, and their replay through the simulator.
SCENARIO = f"{CONFIG.replay.workload}.{CONFIG.replay.testbed}"
SCENARIO_INSTANCE = LAYOUT.instance("canonical", SCENARIO)
ARRIVALS = f"{DATA}/traces/azure_llm_2023_code_arrivals_per_10s.csv"
TRACES = [LAYOUT.trace(kind, rate) for kind in CONFIG.replay.traces for rate in CONFIG.replay.rates_per_s]
REPLAY_TABLES = [f"{RESULTS}/canonical/replay/{name}" for name in ("replay.csv", "idle.csv", "timeline.parquet")]


rule trace:
    input:
        instance=SCENARIO_INSTANCE,
        arrivals=lambda wildcards: ARRIVALS if wildcards.kind == "bursty" else [],
    output:
        LAYOUT.trace("{kind}", "{rate}"),
    log:
        LAYOUT.log("trace", "{kind}-{rate}"),
    benchmark:
        LAYOUT.benchmark("trace", "{kind}-{rate}")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.trace"),
        arrivals=lambda wildcards, input: (f"--arrivals {input.arrivals}" if input.arrivals else ""),
        requests=CONFIG.replay.requests,
        seed=CONFIG.seed,
    message:
        "Drawing a {wildcards.kind} trace of {wildcards.rate} requests/s"
    shell:
        "splitshare trace {input.instance} --kind {wildcards.kind} --rate-per-s {wildcards.rate}"
        " --requests {params.requests} {params.arrivals} --seed {params.seed} -o {output} > {log} 2>&1"


rule sweep:
    input:
        instance=SCENARIO_INSTANCE,
        placements=[path for method in CONFIG.replay.methods for path in placement_files(method, [SCENARIO])],
        traces=TRACES,
    output:
        REPLAY_TABLES[:2],
    log:
        LAYOUT.log("sweep"),
    benchmark:
        LAYOUT.benchmark("sweep")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("stages.sweep"),
        placements=folder_of("placements", 1),
        methods=flags("--method", CONFIG.replay.methods),
        link_models=flags("--link-model", CONFIG.replay.link_models),
        directory=subpath(output[0], parent=True),
    message:
        "Replaying every trace on every method's placement"
    shell:
        "splitshare sweep {input.instance} {input.traces} --placements {params.placements} {params.methods}"
        " {params.link_models} -o {params.directory} > {log} 2>&1"


rule timeline:
    input:
        instance=SCENARIO_INSTANCE,
        placement=placement_files(CONFIG.replay.timeline.method, [SCENARIO]),
        trace=LAYOUT.trace(CONFIG.replay.timeline.trace, CONFIG.replay.timeline.rate_per_s),
    output:
        requests=f"{RESULTS}/canonical/replay/timeline_requests.parquet",
        stages=REPLAY_TABLES[2],
    log:
        LAYOUT.log("timeline"),
    benchmark:
        LAYOUT.benchmark("timeline")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.simulate"),
        link_model=CONFIG.replay.link_models[0],
    message:
        "Replaying the requests of the timeline"
    shell:
        "splitshare simulate {input.instance} {input.placement} {input.trace} --link-model {params.link_model}"
        " --stages {output.stages} -o {output.requests} > {log} 2>&1"
