# Placement instances: canonical ones from the committed profiles, local ones from this machine's.
rule instances_canonical:
    input:
        catalogue=CATALOGUE_FILES,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(TESTBEDS["canonical"]),
        testbeds=testbed_paths(TESTBEDS["canonical"]),
        pinned=[str(found(CONFIG.pinned_instances))] if CONFIG.pinned_instances else [],
    output:
        INSTANCES["canonical"],
    log:
        LAYOUT.log("instances_canonical"),
    benchmark:
        LAYOUT.benchmark("instances_canonical")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.instances"),
        data="",
        directory=subpath(output[0], parent=True),
        profiles=from_inputs("--profile", "profiles"),
        testbeds=from_inputs("--testbed", "testbeds"),
        workloads=flags("--workload", WORKLOADS["canonical"]),
        pinned=from_inputs("--pinned", "pinned"),
    message:
        "Writing canonical placement instances"
    shell:
        "splitshare instances {params.data} --modules {input.descriptions} {params.profiles} {params.testbeds}"
        " {params.workloads} {params.pinned} -o {params.directory} 2>&1 | tee {log}"


use rule instances_canonical as instances_local with:
    input:
        catalogue=CATALOGUE_FILES,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(TESTBEDS["local"]),
        testbeds=testbed_paths(TESTBEDS["local"]),
    output:
        INSTANCES["local"],
    log:
        LAYOUT.log("instances_local"),
    benchmark:
        LAYOUT.benchmark("instances_local")
    params:
        workloads=flags("--workload", WORKLOADS["local"]),
    message:
        "Writing this machine's placement instances"


if CONFIG.measured:

    use rule instances_canonical as instances_measured with:
        input:
            catalogue=CATALOGUE_FILES,
            descriptions=DESCRIPTIONS,
            profiles=profiles_of(TESTBEDS[MEASURED]),
            testbeds=testbed_paths(TESTBEDS[MEASURED]),
        output:
            INSTANCES[MEASURED],
        log:
            LAYOUT.log("instances_measured"),
        benchmark:
            LAYOUT.benchmark("instances_measured")
        params:
            workloads=flags("--workload", WORKLOADS[MEASURED]),
        message:
            "Writing placement instances of the measured testbeds"
