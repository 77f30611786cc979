# Placements under load, from idle to saturation: a job a testbed, method and few seeds, and their tables.
LOAD = CONFIG.load_sweep
LOADED = ("points", "knees", "latencies", "utilisation")
LOAD_TABLES = tables(f"{RESULTS}/canonical/load", *LOADED) if LOAD else []
LOAD_PARTS = [
    LAYOUT.load_part(testbed, method, str(seed), table)
    for testbed in (LOAD.testbeds if LOAD else [])
    for method in LOAD.methods
    for seed in range(CONFIG.seed, CONFIG.seed + LOAD.seeds, LOAD.seeds_a_job)
    for table in LOADED
]

if LOAD:

    rule load_sweep:
        input:
            instance=LAYOUT.instance("canonical", f"{LOAD.workload}.{{testbed}}"),
            placements=placement_files("{method}", [f"{LOAD.workload}.{{testbed}}"]),
            reference=placement_files(LOAD.reference, [f"{LOAD.workload}.{{testbed}}"]),
        output:
            [LAYOUT.load_part("{testbed}", "{method}", "{seed}", table) for table in LOADED],
        log:
            LAYOUT.log("load_sweep", "{testbed}-{method}-{seed}"),
        benchmark:
            LAYOUT.benchmark("load_sweep", "{testbed}-{method}-{seed}")
        wildcard_constraints:
            testbed="|".join(LOAD.testbeds),
            seed="[0-9]+",
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            code=code("stages.load_sweep"),
            placements=folder_of("placements", 1),
            method=lambda wildcards: METHOD_IN[wildcards.method].label,
            reference=LOAD.reference,
            seeds=lambda wildcards: min(LOAD.seeds_a_job, CONFIG.seed + LOAD.seeds - int(wildcards.seed)),
            shares=flags("--share", LOAD.shares) + flags("--latencies-at", LOAD.latencies_at),
            limits=f"--limit-factor {LOAD.limit_factor} --attainment {LOAD.attainment}",
            requests=LOAD.requests,
            link_model=LOAD.link_model,
            directory=subpath(output[0], parent=True),
        message:
            "Loading {wildcards.method} on {wildcards.testbed}, seeds from {wildcards.seed} on"
        shell:
            "splitshare load-sweep {input.instance} --placements {params.placements} --method {params.method:q}"
            " --reference {params.reference:q}"
            " {params.shares} {params.limits} --requests {params.requests} --first-seed {wildcards.seed}"
            " --seeds {params.seeds} --link-model {params.link_model} -o {params.directory} > {log} 2>&1"

    rule load_tables:
        input:
            LOAD_PARTS,
        output:
            LOAD_TABLES,
        log:
            LAYOUT.log("load_tables"),
        benchmark:
            LAYOUT.benchmark("load_tables")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.load_tables"),
            parts=list(dict.fromkeys(str(Path(part).parent) for part in LOAD_PARTS)),
            directory=subpath(output[0], parent=True),
        message:
            "Putting the loaded placements together"
        shell:
            "splitshare load-tables {params.parts} -o {params.directory} > {log} 2>&1"
