# Placement instances: canonical ones from the committed profiles, local ones from this machine's.
def profiles_of(testbeds):
    """Profiles of the devices of testbeds, each device once, in order."""
    types = dict.fromkeys(device.device for name in testbeds for device in TESTBED_OF[name].devices)
    return [LOCAL_PROFILE if name == "this-machine" else f"profiles/{name}.json" for name in types]


def testbed_files(testbeds):
    return [f"data/testbeds/{name}.yaml" for name in testbeds]


rule instances_canonical:
    input:
        catalogue=CATALOGUE_FILES,
        descriptions=DESCRIPTIONS,
        profiles=profiles_of(TESTBEDS["canonical"]),
        testbeds=testbed_files(TESTBEDS["canonical"]),
        pinned=[CONFIG.pinned_instances] if CONFIG.pinned_instances else [],
    output:
        INSTANCES["canonical"],
    params:
        code=code("commands.instances"),
        directory=f"{RESULTS}/canonical/instances",
        profiles=lambda wildcards, input: [f"--profile {path}" for path in input.profiles],
        testbeds=lambda wildcards, input: [f"--testbed {path}" for path in input.testbeds],
        workloads=[f"--workload {name}" for name in CONFIG.workloads],
        pinned=lambda wildcards, input: [f"--pinned {path}" for path in input.pinned],
    log:
        f"{RESULTS}/logs/instances_canonical.log",
    message:
        "Writing canonical placement instances"
    shell:
        "splitshare instances --modules {input.descriptions} {params.profiles} {params.testbeds}"
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
    params:
        code=code("commands.instances"),
        directory=f"{RESULTS}/local/instances",
        profiles=lambda wildcards, input: [f"--profile {path}" for path in input.profiles],
        testbeds=lambda wildcards, input: [f"--testbed {path}" for path in input.testbeds],
        workloads=[f"--workload {name}" for name in CONFIG.workloads],
        pinned=[],
    log:
        f"{RESULTS}/logs/instances_local.log",
    message:
        "Writing this machine's placement instances"
