# Placements replayed by worker processes over shaped links, beside the simulator. Times differ from run to run: a run's own
# stay under results/local/, what the figures show was recorded (`make record-emulation`).
EMULATED, CAMPAIGN, OVER_NAMESPACES, IN_BATCHES, SHAPED, EXPLAINED = [], [], [], [], [], []


if CONFIG.emulation:
    REPLAYED = ("fidelity", "links", "timeline")
    EMULATED = tables(f"{RESULTS}/local/emulation", *REPLAYED)
    CAMPAIGN = tables(f"{RESULTS}/local/fidelity", *REPLAYED, "recovery", "recoveries")
    IN_BATCHES = tables(f"{RESULTS}/local/fidelity-batches", *REPLAYED)
    EXPLAINED = tables(f"{RESULTS}/local/fidelity-real", *REPLAYED, "causes", "computing")
    NETWORKS = ["proxy", "namespaces"] if CONFIG.emulation.namespaces else ["proxy"]
    SHAPED = tables(f"{RESULTS}/local/shaping", *NETWORKS)

    # Requests of each trace at least, and runs of it, in a campaign.
    THOROUGHLY = f"--least-requests {CONFIG.emulation.least_requests} --repeats {CONFIG.emulation.repeats}"

    # Emulated time is real time: the run has the machine for itself. How links were shaped is reported, not a reason to
    # stop: a busy machine is no mistake.
    rule emulate_campaign:
        input:
            instances=instance_files(CONFIG.emulation.campaign),
            placements=placement_files(CONFIG.emulation.method, CONFIG.emulation.campaign),
        output:
            CAMPAIGN,
        log:
            LAYOUT.log("emulate_campaign"),
        benchmark:
            LAYOUT.benchmark("emulate_campaign")
        threads: WHOLE_MACHINE
        resources:
            mem_mb=4000,
            runtime=90,
        params:
            code=code("stages.fidelity", "stages.worker", "placement.algorithms.s2m3_greedy"),
            placements=folder_of("placements", 1),
            method=CONFIG.emulation.method,
            load=CONFIG.emulation.load,
            requests=CONFIG.emulation.requests,
            more=f"{THOROUGHLY} --crash {CONFIG.emulation.crash} --crashes {CONFIG.emulation.crashes}",
            seed=CONFIG.seed,
            directory=subpath(output[0], parent=True),
        message:
            "Holding the emulator against the simulator (half an hour)"
        shell:
            "splitshare fidelity {input.instances} --placements {params.placements} --method {params.method}"
            " --load {params.load} --requests {params.requests} --seed {params.seed} {params.more}"
            " -o {params.directory} > {log} 2>&1"

    use rule emulate_campaign as emulate_every_run with:
        input:
            instances=instance_files(CONFIG.emulation.every_run.instances),
            placements=placement_files(CONFIG.emulation.method, CONFIG.emulation.every_run.instances),
        output:
            EMULATED,
        log:
            LAYOUT.log("emulate_every_run"),
        benchmark:
            LAYOUT.benchmark("emulate_every_run")
        params:
            requests=CONFIG.emulation.every_run.requests,
            more="--any-links",
        message:
            "Replaying requests on worker processes over shaped links"

    if CONFIG.emulation.namespaces:
        OVER_NAMESPACES = tables(f"{RESULTS}/local/fidelity-namespaces", *REPLAYED)

        use rule emulate_campaign as emulate_namespaces with:
            input:
                instances=instance_files(CONFIG.emulation.namespaces),
                placements=placement_files(CONFIG.emulation.method, CONFIG.emulation.namespaces),
            output:
                OVER_NAMESPACES,
            log:
                LAYOUT.log("emulate_namespaces"),
            benchmark:
                LAYOUT.benchmark("emulate_namespaces")
            params:
                code=code(
                    "stages.fidelity",
                    "stages.worker",
                    "placement.algorithms.s2m3_greedy",
                    "replay.emulator.namespaces",
                ),
                more=f"{THOROUGHLY} --network namespaces",
            message:
                "Holding the emulator over network namespaces against the simulator (4 minutes)"

    rule batch_curves:
        input:
            CATALOGUE_FILES,
            instance=f"{RESULTS}/canonical/instances/{{workload}}.{{testbed}}.json",
            testbed=lambda wildcards: testbed_paths([wildcards.testbed]),
            profiles=lambda wildcards: profiles_of([wildcards.testbed]),
        output:
            f"{RESULTS}/canonical/batch_curves/{{workload}}.{{testbed}}.json",
        log:
            LAYOUT.log("batch_curves", "{workload}.{testbed}"),
        benchmark:
            LAYOUT.benchmark("batch_curves", "{workload}.{testbed}")
        wildcard_constraints:
            testbed="|".join(TESTBEDS["canonical"]),
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.batch_curves"),
            profiles=from_inputs("--profile", "profiles"),
        message:
            "Writing what batches take: {wildcards.workload}.{wildcards.testbed}"
        shell:
            "splitshare batch-curves {input.instance} --testbed {input.testbed} {params.profiles} -o {output} > {log} 2>&1"

    use rule emulate_campaign as emulate_batches with:
        input:
            instances=instance_files(CONFIG.emulation.batches.instances),
            placements=placement_files(CONFIG.emulation.method, CONFIG.emulation.batches.instances),
            curves=expand(f"{RESULTS}/canonical/batch_curves/{{name}}.json", name=CONFIG.emulation.batches.instances),
        output:
            IN_BATCHES,
        log:
            LAYOUT.log("emulate_batches"),
        benchmark:
            LAYOUT.benchmark("emulate_batches")
        params:
            load=CONFIG.emulation.batches.load,
            more=lambda wildcards, input: (
                f"{THOROUGHLY} --max-batch {CONFIG.emulation.batches.max_batch}"
                f" --batch-curves {Path(input.curves[0]).parent}"
            ),
        message:
            "Holding the emulator with batches against the simulator (6 minutes)"

    rule measure_shaping:
        output:
            f"{RESULTS}/local/shaping/{{network}}.csv",
        log:
            LAYOUT.log("shaping", "{network}"),
        benchmark:
            LAYOUT.benchmark("shaping", "{network}")
        wildcard_constraints:
            network="proxy|namespaces",
        threads: WHOLE_MACHINE
        resources:
            mem_mb=2000,
            runtime=60,
        params:
            code=code("stages.shaping", "stages.worker", "replay.emulator.namespaces"),
            repeats=CONFIG.emulation.repeats,
        message:
            "Measuring how well links are shaped: {wildcards.network} (1 minute)"
        shell:
            "splitshare shaping --network {wildcards.network} --repeats {params.repeats} -o {output} > {log} 2>&1"

    use rule emulate_campaign as emulate_real with:
        input:
            CATALOGUE_FILES,
            instances=instance_files(CONFIG.emulation.real),
            placements=placement_files(CONFIG.emulation.method, CONFIG.emulation.real),
        output:
            EXPLAINED,
        log:
            LAYOUT.log("emulate_real"),
        benchmark:
            LAYOUT.benchmark("emulate_real")
        resources:
            mem_mb=6000,
            runtime=60,
        params:
            requests=CONFIG.emulation.real_requests,
            more=f"--repeats {CONFIG.emulation.repeats} --compute real",
        message:
            "Explaining what real modules take by measured causes (3 minutes)"
