# Tables and figures, a rule each; canonical ones are committed, this machine's stay under results/local/.
from splitshare.figures.registry import FIGURES as FIGURE_SPECS

FIGURE_DIRECTORIES = {"canonical": PAPER_FIGURES, "local": LOCAL_FIGURES}
FIGURES = [
    f"{FIGURE_DIRECTORIES[scope]}/{name}"
    for spec in FIGURE_SPECS.values()
    for scope in spec.scopes
    if scope in SCOPES
    for name in spec.files()
]
COMMITTED_PROFILES = sorted(map(str, Path("profiles").glob("*.json")))
SPLIT_CHECKS = (
    [f"{RESULTS}/local/split/{name}.csv" for name in ("split_equivalence", "differences")] if WORKLOADS["local"] else []
)


# All models are compared once, on request (`make record-split`), and the claims read that record; a run compares those
# that it measures.
rule check_split:
    input:
        CATALOGUE_FILES,
    output:
        SPLIT_CHECKS,
    log:
        f"{RESULTS}/logs/check_split.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_split.tsv"
    threads: workflow.cores
    resources:
        mem_mb=6000,
    params:
        code=code("stages.check_split"),
        models=[
            f"--model {model}"
            for model in dict.fromkeys(m for w in WORKLOADS["local"] for m in CATALOG.workload(w).models)
        ],
        directory=subpath(output[0], parent=True),
        seed=CONFIG.seed,
    message:
        "Holding the split models' answers against the whole models'"
    shell:
        "splitshare check-split {params.models} --seed {params.seed} -o {params.directory}" " > {log} 2>&1"


for spec in FIGURE_SPECS.values():
    for scope in spec.scopes:
        if scope not in SCOPES:
            continue

        rule:
            name:
                f"figure_{scope}_{spec.name.replace('-', '_')}"
            input:
                results=[f"{RESULTS}/{scope}/{path}" for path in spec.inputs],
                config=RUN_CONFIG,
                records=[f"data/baselines/{path}" for path in spec.records],
                profiles=(
                    COMMITTED_PROFILES
                    if spec.every_profile
                    else profiles_of(TESTBEDS[scope]) if spec.uses_profiles else []
                ),
                zoos=ZOOS if spec.uses_zoos else [],
                accuracy=ACCURACY if spec.uses_accuracy else [],
            output:
                tables=[
                    f"{FIGURE_DIRECTORIES[scope]}/{name}.{suffix}" for name in spec.tables for suffix in ("csv", "tex")
                ],
                drawn=report(
                    [
                        f"{FIGURE_DIRECTORIES[scope]}/{name}.{suffix}"
                        for name in spec.drawn
                        for suffix in ("png", "pdf")
                    ],
                    caption="../report/figure.rst",
                    category=spec.category,
                    labels={"scope": scope, "name": spec.name},
                ),
            log:
                f"{RESULTS}/logs/figures/{scope}-{spec.name}.log",
            params:
                code=code("stages.figures", f"figures.{spec.module}"),
                name=spec.name,
                caption=spec.caption,
                results=subpath(input.config, parent=True),
                scope=scope,
                directory=subpath(output[0], parent=True),
            message:
                f"Drawing {spec.name} ({scope})"
            shell:
                "splitshare figures {params.name} --results {params.results}/{params.scope} --config {input.config}"
                " -o {params.directory} > {log} 2>&1"
