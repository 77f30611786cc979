# Studies around the placements: the edge against the cloud, prompts encoded beforehand, readings of the greedy.
CLOUD_TESTBEDS = list(
    dict.fromkeys(
        name
        for pair in [CONFIG.cloud, *(CONFIG.measured.clouds if CONFIG.measured else [])]
        for name in (pair.edge_testbed, pair.cloud_testbed)
    )
)


rule cloud_grid:
    input:
        catalogue=CATALOGUE_FILES,
        config=RUN_CONFIG,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(CLOUD_TESTBEDS),
        testbeds=testbed_paths(CLOUD_TESTBEDS),
    output:
        tables(f"{RESULTS}/canonical", "cloud_grid", "cloud_pairs", "cloud_readings"),
    log:
        LAYOUT.log("cloud_grid"),
    benchmark:
        LAYOUT.benchmark("cloud_grid")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("stages.cloud_grid"),
        profiles=from_inputs("--profile", "profiles"),
        directory=subpath(output[0], parent=True),
    message:
        "Holding the edge against the cloud"
    shell:
        "splitshare cloud-grid --config {input.config} --modules {input.descriptions} {params.profiles}"
        " -o {params.directory} > {log} 2>&1"


rule prompt_cache:
    input:
        catalogue=CATALOGUE_FILES,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(TESTBEDS["canonical"]),
        testbeds=testbed_paths(TESTBEDS["canonical"]),
    output:
        f"{RESULTS}/canonical/prompt_cache.csv",
    log:
        LAYOUT.log("prompt_cache"),
    benchmark:
        LAYOUT.benchmark("prompt_cache")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.prompt_cache"),
        profiles=from_inputs("--profile", "profiles"),
        testbeds=from_inputs("--testbed", "testbeds"),
        workloads=flags("--workload", CONFIG.workloads),
    message:
        "Placing with class prompts encoded beforehand"
    shell:
        "splitshare prompt-cache --modules {input.descriptions} {params.profiles} {params.testbeds} {params.workloads}"
        " -o {output} > {log} 2>&1"


rule ablation:
    input:
        instances=INSTANCES["canonical"],
        optima=placement_files(CONFIG.optimum, INSTANCE_NAMES["canonical"]),
    output:
        f"{RESULTS}/canonical/ablation.csv",
    log:
        LAYOUT.log("ablation"),
    benchmark:
        LAYOUT.benchmark("ablation")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("stages.ablation"),
        placements=folder_of("optima", 1),
        optimum=CONFIG.optimum,
    message:
        "Trying every reading of the greedy"
    shell:
        "splitshare ablation {input.instances} --placements {params.placements} --optimum {params.optimum}"
        " -o {output} > {log} 2>&1"
