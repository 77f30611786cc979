# The onloading problem (J3O): the suite decided again, sweeps, what the parts of J3O are worth, and the replay.
ONLOADING = f"{RESULTS}/canonical/onloading"
ONLOADING_TABLES = [f"{ONLOADING}/{name}.csv" for name in ("results", "sweep", "ablation", "convergence", "replay")]
ZOOS = sorted(str(path) for path in Path(DATA, "zoos").glob("*.json"))


rule onloading_suite:
    input:
        suite=str(found(CONFIG.onloading.suite)),
        record=str(found(CONFIG.onloading.record)),
    output:
        results=f"{ONLOADING}/results.csv",
        times=f"{RESULTS}/canonical/runs/onloading.csv",
    log:
        LAYOUT.log("onloading_suite"),
    benchmark:
        LAYOUT.benchmark("onloading_suite")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=onloading_code("solve_suite"),
        sizes=flags("--size", CONFIG.onloading.sizes),
    message:
        "Deciding the onloading suite by J3O"
    shell:
        "splitshare onloading solve-suite {input.suite} --record {input.record} {params.sizes}"
        " --times {output.times} -o {output.results} > {log} 2>&1"


rule onloading_sweep:
    input:
        config=RUN_CONFIG,
        zoo=str(found(CONFIG.onloading.zoo)),
    output:
        f"{ONLOADING}/sweep.csv",
    log:
        LAYOUT.log("onloading_sweep"),
    benchmark:
        LAYOUT.benchmark("onloading_sweep")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=onloading_code("sweep"),
    message:
        "Onloading with more and less memory, demand, bandwidth and clients"
    shell:
        "splitshare onloading sweep --config {input.config} --zoo {input.zoo} -o {output} > {log} 2>&1"


rule onloading_study:
    input:
        suite=str(found(CONFIG.onloading.suite)),
        record=str(found(CONFIG.onloading.record)),
    output:
        ablation=f"{ONLOADING}/ablation.csv",
        convergence=f"{ONLOADING}/convergence.csv",
    log:
        LAYOUT.log("onloading_study"),
    benchmark:
        LAYOUT.benchmark("onloading_study")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=onloading_code("study"),
        size=CONFIG.onloading.ablation_size,
        converging=flags("--converging", CONFIG.onloading.converging),
        directory=subpath(output.ablation, parent=True),
    message:
        "Taking J3O apart"
    shell:
        "splitshare onloading study {input.suite} --record {input.record} --size {params.size} {params.converging}"
        " -o {params.directory} > {log} 2>&1"


rule onloading_replay:
    input:
        suite=str(found(CONFIG.onloading.suite)),
        config=RUN_CONFIG,
    output:
        f"{ONLOADING}/replay.csv",
    log:
        LAYOUT.log("onloading_replay"),
    benchmark:
        LAYOUT.benchmark("onloading_replay")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=onloading_code("replay"),
    message:
        "Replaying J3O's decisions"
    shell:
        "splitshare onloading replay {input.suite} --config {input.config} -o {output} > {log} 2>&1"
