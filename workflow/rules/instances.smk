# Placement instances: canonical ones from the committed profiles, local ones from this machine's.
rule instances_canonical:
    input:
        catalogue=CATALOGUE_FILES,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(TESTBEDS["canonical"]),
        testbeds=testbed_files(TESTBEDS["canonical"]),
        pinned=[CONFIG.pinned_instances] if CONFIG.pinned_instances else [],
    output:
        INSTANCES["canonical"],
    log:
        f"{RESULTS}/logs/instances_canonical.log",
    params:
        code=code("commands.instances"),
        data="",
        directory=subpath(output[0], parent=True),
        profiles=lambda wildcards, input: [f"--profile {path}" for path in input.profiles],
        testbeds=lambda wildcards, input: [f"--testbed {path}" for path in input.testbeds],
        workloads=[f"--workload {name}" for name in WORKLOADS["canonical"]],
        pinned=lambda wildcards, input: [f"--pinned {path}" for path in input.pinned],
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
        testbeds=testbed_files(TESTBEDS["local"]),
        pinned=[],
    output:
        INSTANCES["local"],
    log:
        f"{RESULTS}/logs/instances_local.log",
    params:
        code=code("commands.instances"),
        data="",
        directory=subpath(output[0], parent=True),
        profiles=lambda wildcards, input: [f"--profile {path}" for path in input.profiles],
        testbeds=lambda wildcards, input: [f"--testbed {path}" for path in input.testbeds],
        workloads=[f"--workload {name}" for name in WORKLOADS["local"]],
        pinned=[],
    message:
        "Writing this machine's placement instances"
