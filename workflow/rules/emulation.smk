# Placements replayed by worker processes over shaped links, beside the simulator. Times differ from run to run: a run's own
# stay under results/local/, what the figures show was recorded (`make record-emulation`).
EMULATED = (
    [f"{RESULTS}/local/emulation/{name}.csv" for name in ("fidelity", "links", "timeline")] if CONFIG.emulation else []
)
CAMPAIGN = (
    [f"{RESULTS}/local/fidelity/{name}.csv" for name in ("fidelity", "links", "timeline", "recovery", "recoveries")]
    if CONFIG.emulation
    else []
)
OVER_NAMESPACES = (
    [f"{RESULTS}/local/fidelity-namespaces/{name}.csv" for name in ("fidelity", "links", "timeline")]
    if CONFIG.emulation and CONFIG.emulation.namespaces
    else []
)
IN_BATCHES = (
    [f"{RESULTS}/local/fidelity-batches/{name}.csv" for name in ("fidelity", "links", "timeline")]
    if CONFIG.emulation
    else []
)
SHAPED = (
    [
        f"{RESULTS}/local/shaping/{network}.csv"
        for network in ("proxy", *(("namespaces",) if CONFIG.emulation.namespaces else ()))
    ]
    if CONFIG.emulation
    else []
)
EXPLAINED = (
    [f"{RESULTS}/local/fidelity-real/{name}.csv" for name in ("fidelity", "links", "timeline", "causes", "computing")]
    if CONFIG.emulation
    else []
)


if CONFIG.emulation:

    # Emulated time is real time: the run has the machine for itself. How links were shaped is reported, not a reason to
    # stop: a busy machine is no mistake.
    rule emulate_here:
        input:
            instances=[f"{RESULTS}/canonical/instances/{name}.json" for name in CONFIG.emulation.here],
            placements=[
                f"{RESULTS}/canonical/placements/{CONFIG.emulation.method}/{name}.json"
                for name in CONFIG.emulation.here
            ],
        output:
            EMULATED,
        log:
            f"{RESULTS}/logs/emulate_here.log",
        benchmark:
            f"{RESULTS}/benchmarks/emulate_here.tsv"
        threads: workflow.cores
        resources:
            mem_mb=4000,
        params:
            code=code("commands.fidelity", "replay.emulator.worker"),
            placements=lambda wildcards, input: str(Path(input.placements[0]).parents[1]),
            method=CONFIG.emulation.method,
            load=CONFIG.emulation.load,
            requests=CONFIG.emulation.here_requests,
            seed=CONFIG.seed,
            directory=subpath(output[0], parent=True),
        message:
            "Replaying requests on worker processes over shaped links"
        shell:
            "splitshare fidelity {input.instances} --placements {params.placements} --method {params.method}"
            " --load {params.load} --requests {params.requests} --any-links --seed {params.seed}"
            " -o {params.directory} > {log} 2>&1"

    rule emulate_campaign:
        input:
            instances=[f"{RESULTS}/canonical/instances/{name}.json" for name in CONFIG.emulation.campaign],
            placements=[
                f"{RESULTS}/canonical/placements/{CONFIG.emulation.method}/{name}.json"
                for name in CONFIG.emulation.campaign
            ],
        output:
            CAMPAIGN,
        log:
            f"{RESULTS}/logs/emulate_campaign.log",
        threads: workflow.cores
        resources:
            mem_mb=4000,
        params:
            code=code("commands.fidelity", "replay.emulator.worker"),
            placements=lambda wildcards, input: str(Path(input.placements[0]).parents[1]),
            method=CONFIG.emulation.method,
            load=CONFIG.emulation.load,
            requests=CONFIG.emulation.requests,
            least_requests=CONFIG.emulation.least_requests,
            repeats=CONFIG.emulation.repeats,
            more=f"--crash {CONFIG.emulation.crash}",
            seed=CONFIG.seed,
            directory=subpath(output[0], parent=True),
        message:
            "Holding the emulator against the simulator (12 minutes)"
        shell:
            "splitshare fidelity {input.instances} --placements {params.placements} --method {params.method}"
            " --load {params.load} --requests {params.requests} --least-requests {params.least_requests}"
            " --repeats {params.repeats} --seed {params.seed} {params.more} -o {params.directory} > {log} 2>&1"

    if CONFIG.emulation.namespaces:

        use rule emulate_campaign as emulate_namespaces with:
            input:
                instances=[f"{RESULTS}/canonical/instances/{name}.json" for name in CONFIG.emulation.namespaces],
                placements=[
                    f"{RESULTS}/canonical/placements/{CONFIG.emulation.method}/{name}.json"
                    for name in CONFIG.emulation.namespaces
                ],
            output:
                OVER_NAMESPACES,
            log:
                f"{RESULTS}/logs/emulate_namespaces.log",
            params:
                code=code("commands.fidelity", "replay.emulator.worker", "replay.emulator.namespaces"),
                more="--network namespaces",
            message:
                "Holding the emulator over network namespaces against the simulator (4 minutes)"

    rule batch_curves:
        input:
            CATALOGUE_FILES,
            instance=f"{RESULTS}/canonical/instances/{{workload}}.{{testbed}}.json",
            testbed="data/testbeds/{testbed}.yaml",
            profiles=lambda wildcards: profiles_of([wildcards.testbed]),
        output:
            f"{RESULTS}/canonical/batch_curves/{{workload}}.{{testbed}}.json",
        log:
            f"{RESULTS}/logs/batch_curves/{{workload}}.{{testbed}}.log",
        wildcard_constraints:
            testbed="|".join(TESTBEDS["canonical"]),
        params:
            code=code("commands.batch_curves"),
            profiles=lambda wildcards, input: [f"--profiles {path}" for path in input.profiles],
        message:
            "Writing what batches take: {wildcards.workload}.{wildcards.testbed}"
        shell:
            "splitshare batch-curves {input.instance} --testbed {input.testbed} {params.profiles} -o {output} > {log} 2>&1"

    use rule emulate_campaign as emulate_batches with:
        input:
            instances=[f"{RESULTS}/canonical/instances/{name}.json" for name in CONFIG.emulation.batches.instances],
            placements=[
                f"{RESULTS}/canonical/placements/{CONFIG.emulation.method}/{name}.json"
                for name in CONFIG.emulation.batches.instances
            ],
            curves=[f"{RESULTS}/canonical/batch_curves/{name}.json" for name in CONFIG.emulation.batches.instances],
        output:
            IN_BATCHES,
        log:
            f"{RESULTS}/logs/emulate_batches.log",
        params:
            load=CONFIG.emulation.batches.load,
            more=lambda wildcards, input: (
                f"--max-batch {CONFIG.emulation.batches.max_batch} --batch-curves {Path(input.curves[0]).parent}"
            ),
        message:
            "Holding the emulator with batches against the simulator (6 minutes)"

    rule measure_shaping:
        output:
            f"{RESULTS}/local/shaping/{{network}}.csv",
        log:
            f"{RESULTS}/logs/shaping/{{network}}.log",
        wildcard_constraints:
            network="proxy|namespaces",
        threads: workflow.cores
        resources:
            mem_mb=2000,
        params:
            code=code("commands.shaping", "replay.emulator.worker", "replay.emulator.namespaces"),
            repeats=CONFIG.emulation.repeats,
        message:
            "Measuring how well links are shaped: {wildcards.network} (1 minute)"
        shell:
            "splitshare shaping --network {wildcards.network} --repeats {params.repeats} -o {output} > {log} 2>&1"

    rule emulate_real:
        input:
            CATALOGUE_FILES,
            instances=[f"{RESULTS}/canonical/instances/{name}.json" for name in CONFIG.emulation.real],
            placements=[
                f"{RESULTS}/canonical/placements/{CONFIG.emulation.method}/{name}.json"
                for name in CONFIG.emulation.real
            ],
        output:
            EXPLAINED,
        log:
            f"{RESULTS}/logs/emulate_real.log",
        threads: workflow.cores
        resources:
            mem_mb=6000,
        params:
            code=code("commands.fidelity", "replay.emulator.worker"),
            placements=lambda wildcards, input: str(Path(input.placements[0]).parents[1]),
            method=CONFIG.emulation.method,
            load=CONFIG.emulation.load,
            requests=CONFIG.emulation.real_requests,
            repeats=CONFIG.emulation.repeats,
            seed=CONFIG.seed,
            directory=subpath(output[0], parent=True),
        message:
            "Explaining what real modules take by measured causes (3 minutes)"
        shell:
            "splitshare fidelity {input.instances} --placements {params.placements} --method {params.method}"
            " --compute real --load {params.load} --requests {params.requests} --repeats {params.repeats}"
            " --seed {params.seed} -o {params.directory} > {log} 2>&1"
