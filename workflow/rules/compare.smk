# New algorithms against the recorded baselines, each a verdict of its own.
def verdict_directory(algorithm):
    """Where an algorithm's verdict goes: by its name, or by its file and class."""
    return f"{RESULTS}/compare/{Path(algorithm).name.replace('.py:', '-')}"


def shipped_code(algorithm):
    """Digest of the code of an algorithm of ours, of either problem."""
    placement = Path(f"src/splitshare/placement/algorithms/{algorithm.replace('-', '_')}.py")
    return solving_code(algorithm) if placement.is_file() else onloading_code("compare")


for algorithm in CONFIG.compared:

    rule:
        name:
            f"compare_{Path(algorithm).name.replace('.py:', '_').replace('-', '_')}"
        input:
            # of both problems: which of them an algorithm solves is known once its file runs, in a process of its own
            records=["data/baselines/placements.parquet", "data/baselines/onloading.csv"],
            instances=[
                *(f"data/baselines/instances/{family}.jsonl" for family in ("s2m3", "random-test")),
                "data/baselines/onloading_instances.jsonl",
            ],
            file=[algorithm.partition(":")[0]] if ".py:" in algorithm else [],
        output:
            [
                f"{verdict_directory(algorithm)}/{name}"
                for name in (
                    *("verdict.json", "verdict.txt", "results.csv", "summary.csv", "summary.md", "summary.tex"),
                    *("performance_profile.pdf", "performance_profile.png"),
                )
            ],
        log:
            f"{RESULTS}/logs/compare/{Path(algorithm).name}.log",
        params:
            code=(
                code("commands.compare", "commands.onloading.compare"),
                "" if ".py:" in algorithm else shipped_code(algorithm),
            ),
            algorithm=algorithm,
            directory=subpath(output[0], parent=True),
            seed=CONFIG.seed,
        message:
            f"Judging {algorithm}"
        shell:
            "splitshare compare --algorithm {params.algorithm:q} --seed {params.seed} -o {params.directory}"
            " > {log} 2>&1 && cat {log}"


VERDICTS = [f"{verdict_directory(algorithm)}/verdict.json" for algorithm in CONFIG.compared]
