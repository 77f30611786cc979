# New algorithms against the recorded baselines, each a verdict of its own.
import re

from splitshare.code_digest import SOURCES
from splitshare.methods import Method
from splitshare.onloading.contract import TIMED_BASELINE as ONLOADING_BASELINE
from splitshare.placement.contract import TIMED_BASELINE as PLACEMENT_BASELINE

PROBLEMS = {"placement": PLACEMENT_BASELINE, "onloading": ONLOADING_BASELINE}
COMPARED = [method for text in CONFIG.compared for method in Method.specs(text)]


def verdict_directory(method):
    """Where an algorithm's verdict goes: by its label."""
    return f"{RESULTS}/compare/{method.folder}"


def rule_name(method):
    """A name of letters, digits and underscores for the rule of an algorithm's verdict."""
    return re.sub(r"\W", "_", f"compare_{method.label}")


def comparing_code(algorithm):
    """Digest of the code that a verdict comes from; whose problem an algorithm is of is known once its file runs."""
    modules = [module for problem, baseline in PROBLEMS.items() for module in algorithm_code(problem, baseline)]
    own = [module for problem in PROBLEMS for module in algorithm_code(problem, algorithm)]
    shipped = [module for module in own if (SOURCES / f"splitshare/{module.replace('.', '/')}.py").is_file()]
    return code("stages.compare", *(f"problems.{problem}" for problem in PROBLEMS), *modules, *shipped)


for compared in COMPARED:

    rule:
        name:
            rule_name(compared)
        input:
            # of both problems: which of them an algorithm solves is known once its file runs, in a process of its own
            records=[f"{DATA}/baselines/placements.parquet", f"{DATA}/baselines/onloading.csv"],
            instances=[
                *(f"{DATA}/baselines/instances/{family}.jsonl" for family in ("s2m3", "random-test")),
                f"{DATA}/baselines/onloading_instances.jsonl",
            ],
            file=[str(compared.file)] if compared.file else [],
        output:
            [
                f"{verdict_directory(compared)}/{name}"
                for name in (
                    *("verdict.json", "verdict.txt", "results.csv", "summary.csv", "summary.md", "summary.tex"),
                    *("performance_profile.pdf", "performance_profile.png"),
                )
            ],
        log:
            LAYOUT.log("compare", compared.folder),
        benchmark:
            LAYOUT.benchmark("compare", compared.folder)
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=comparing_code(compared.algorithm),
            algorithm=compared.spec,
            directory=subpath(output[0], parent=True),
            seed=CONFIG.seed,
        message:
            f"Judging {compared.label}"
        shell:
            "splitshare compare --algorithm {params.algorithm:q} --seed {params.seed} -o {params.directory}"
            " > {log} 2>&1 && cat {log}"


VERDICTS = [f"{verdict_directory(compared)}/verdict.json" for compared in COMPARED]
