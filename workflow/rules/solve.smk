# Placements by every method, and their tables. A job solves all instances with one method: starting Python costs more
# than a placement.
rule solve_canonical:
    input:
        INSTANCES["canonical"],
    output:
        placement_files("{method}", INSTANCE_NAMES["canonical"]),
    log:
        LAYOUT.log("solve_canonical", "{method}"),
    benchmark:
        LAYOUT.benchmark("solve_canonical", "{method}")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=lambda wildcards: solving_code(wildcards.method),
        method=lambda wildcards: method_options(wildcards.method),
        time_limit_s=CONFIG.time_limit_s,
        seed=CONFIG.seed,
        directory=subpath(output[0], parent=True),
    message:
        "Solving the canonical instances with {wildcards.method}"
    shell:
        "mkdir -p {params.directory} && "
        "splitshare solve {input} {params.method} --seed {params.seed}"
        " --time-limit-s {params.time_limit_s} -o {params.directory} > {log} 2>&1"


use rule solve_canonical as solve_local with:
    input:
        INSTANCES["local"] + EMBEDDED_INSTANCES,
    output:
        placement_files("{method}", INSTANCE_NAMES["local"] + EMBEDDED_NAMES, "local"),
    log:
        LAYOUT.log("solve_local", "{method}"),
    benchmark:
        LAYOUT.benchmark("solve_local", "{method}")
    message:
        "Solving this machine's instances with {wildcards.method}"


if CONFIG.measured:

    use rule solve_canonical as solve_measured with:
        input:
            INSTANCES[MEASURED],
        output:
            placement_files("{method}", INSTANCE_NAMES[MEASURED], MEASURED),
        log:
            LAYOUT.log("solve_measured", "{method}"),
        benchmark:
            LAYOUT.benchmark("solve_measured", "{method}")
        message:
            "Solving the measured testbeds' instances with {wildcards.method}"


# Solve times differ from run to run, so they are kept apart from the tables that do not.
rule collect:
    input:
        placements=placements_of,
        instances=instances_of,
    output:
        f"{RESULTS}/{{scope}}/placements.csv",
        f"{RESULTS}/{{scope}}/latencies.csv",
        f"{RESULTS}/{{scope}}/assignments.csv",
        f"{RESULTS}/{{scope}}/runs/runs.parquet",
        f"{RESULTS}/{{scope}}/runs/runs.csv",
    log:
        LAYOUT.log("collect", "{scope}"),
    benchmark:
        LAYOUT.benchmark("collect", "{scope}")
    wildcard_constraints:
        scope="|".join(TESTBEDS),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.collect"),
        placements=folder_of("placements", 1),
        directory=subpath(output[0], parent=True),
        methods=flags("--method", CONFIG.methods),
    message:
        "Collecting the {wildcards.scope} placements"
    shell:
        "splitshare collect {input.instances} --placements {params.placements} {params.methods}"
        " --runs {params.directory}/runs -o {params.directory} > {log} 2>&1"
