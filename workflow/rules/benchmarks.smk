# Benchmarks from the hub: fetched one by one, so that one that fails leaves the others alone; heads; accuracy.
JUDGED = CONFIG.benchmarks
BENCHMARK_LOCKS = [f"{RESULTS}/benchmarks/locks/{name}.json" for name in JUDGED.names] if JUDGED else []
ACCURACY = [f"{RESULTS}/canonical/accuracy.json"] if JUDGED else []
BENCHMARK_FILES = [*CATALOGUE_FILES, f"{DATA}/catalogue/benchmarks.yaml"]
PUBLISHED_ACCURACY = f"{DATA}/catalogue/published_accuracy.yaml"
SELECTION = f"--samples {JUDGED.samples}" if JUDGED and JUDGED.samples else ""


if JUDGED:

    # What was fetched stays below results/benchmarks/ when a job fails, and the next run goes on from there.
    rule fetch_benchmark:
        input:
            BENCHMARK_FILES,
        output:
            # Updated, not made anew: an earlier fetch's digests are what this one must find.
            update(f"{RESULTS}/benchmarks/locks/{{benchmark}}.json"),
        log:
            LAYOUT.log("benchmarks", "{benchmark}"),
        benchmark:
            LAYOUT.benchmark("benchmarks", "{benchmark}")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=240,
        params:
            code=code("stages.benchmarks"),
            directory=f"{RESULTS}/benchmarks",
            selection=SELECTION,
            seed=CONFIG.seed,
        message:
            "Fetching {wildcards.benchmark} from the hub"
        shell:
            "splitshare benchmarks {wildcards.benchmark} -o {params.directory} --lock {output} {params.selection}"
            " --seed {params.seed} > {log} 2>&1"

    # Heads and models that cannot be had (no published weights, none pinned) are told of in the log, and are empty rows in
    # the table: what could be done of the rest counts.
    rule fit_heads:
        input:
            catalogue=BENCHMARK_FILES,
            hub=f"{DATA}/catalogue/hub.yaml",
            locks=BENCHMARK_LOCKS,
        output:
            directory(f"{RESULTS}/heads"),
        log:
            LAYOUT.log("fit_heads"),
        benchmark:
            LAYOUT.benchmark("fit_heads")
        threads: WHOLE_MACHINE
        resources:
            mem_mb=8000,
            runtime=1440,
            gpu=1,  # asked of a cluster; `--set-resources` takes it back
        params:
            code=code("stages.fit_heads"),
            fetched=f"{RESULTS}/benchmarks",
            work=f"{RESULTS}/accuracy",
            locks=from_inputs("--lock", "locks"),
            selection=SELECTION,
            weights=JUDGED.weights,
            batch=JUDGED.batch,
            seed=CONFIG.seed,
        message:
            "Training the heads that nobody has published"
        shell:
            "splitshare fit-heads --fetched {params.fetched} --work {params.work} {params.locks} {params.selection}"
            " --weights {params.weights} --batch {params.batch} --threads {threads} --seed {params.seed} -o {output}"
            " --keep-going > {log} 2>&1"

    rule judge_models:
        input:
            catalogue=BENCHMARK_FILES,
            hub=f"{DATA}/catalogue/hub.yaml",
            class_names=f"{DATA}/catalogue/class_names.yaml",
            locks=BENCHMARK_LOCKS,
            heads=f"{RESULTS}/heads",
        output:
            ACCURACY,
        log:
            LAYOUT.log("accuracy"),
        benchmark:
            LAYOUT.benchmark("accuracy")
        threads: WHOLE_MACHINE
        resources:
            mem_mb=24000,
            runtime=1440,
            gpu=1,  # asked of a cluster; `--set-resources` takes it back
        params:
            code=code("stages.accuracy"),
            fetched=f"{RESULTS}/benchmarks",
            work=f"{RESULTS}/accuracy",
            locks=from_inputs("--lock", "locks"),
            selection=SELECTION,
            weights=JUDGED.weights,
            batch=JUDGED.batch,
            decoder_batch=JUDGED.decoder_batch,
            seed=CONFIG.seed,
        message:
            "Judging whole, split and shared models on the benchmarks"
        shell:
            "splitshare accuracy --fetched {params.fetched} --work {params.work} --heads {input.heads} {params.locks}"
            " {params.selection} --weights {params.weights} --batch {params.batch}"
            " --decoder-batch {params.decoder_batch} --threads {threads} --seed {params.seed} --keep-going -o {output}"
            " > {log} 2>&1"
