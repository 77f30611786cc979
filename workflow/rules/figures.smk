# Tables and figures, a rule each; canonical ones are committed, this machine's stay under results/local/.
from splitshare.figures.declaration import CATEGORIES
from splitshare.figures.registry import figures as declared_figures

FIGURE_DIRECTORIES = {"canonical": PAPER_FIGURES, "local": LOCAL_FIGURES}
DRAWN = [
    (figure, scope)
    for figure in declared_figures().values()
    for scope in figure.scopes
    if scope in SCOPES and (CONFIG.measured or not figure.measured) and (CONFIG.load_sweep or not figure.loaded)
]
FIGURES = [f"{FIGURE_DIRECTORIES[scope]}/{name}" for figure, scope in DRAWN for name in figure.files()]
GALLERY = f"{PAPER_FIGURES}/README.md"
COMMITTED_PROFILES = sorted(map(str, PROFILES.glob("*.json")))
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
        LAYOUT.log("check_split"),
    benchmark:
        LAYOUT.benchmark("check_split")
    # It takes no times, and most of it is building models: nothing has to wait for it.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
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


for figure, scope in DRAWN:

    rule:
        name:
            f"figure_{scope}_{figure.name.replace('-', '_')}"
        input:
            results=[f"{RESULTS}/{scope}/{path}" for path in figure.inputs],
            config=RUN_CONFIG,
            records=[f"{DATA}/baselines/{path}" for path in figure.records],
            profiles={
                "all": COMMITTED_PROFILES,
                "clouds": profiles_of(TESTBEDS[scope] + CLOUD_TESTBEDS),
                "testbeds": profiles_of(TESTBEDS[MEASURED if figure.measured else scope]),
            }.get(figure.profiles, []),
            testbeds=[LOCAL_TESTBED] if scope == "local" and figure.profiles else [],
            zoos=ZOOS if figure.zoos else [],
            accuracy=[*ACCURACY, PUBLISHED_ACCURACY] if figure.accuracy else [],
        output:
            # Once each: the table as CSV, the figure as PNG.
            [
                report(
                    f"{FIGURE_DIRECTORIES[scope]}/{name}.{suffix}",
                    caption=f"../report/{what}.rst",
                    category=heading(figure),
                    labels={"scope": scope, "name": name, "what": what},
                )
                for names, suffix, what in ((figure.drawn, "png", "figure"), (figure.tables, "csv", "table"))
                for name in names
            ],
            [f"{FIGURE_DIRECTORIES[scope]}/{name}" for name in figure.files() if not name.endswith((".csv", ".png"))],
        log:
            LAYOUT.log("figures", f"{scope}-{figure.name}"),
        benchmark:
            LAYOUT.benchmark("figures", f"{scope}-{figure.name}")
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            code=code("stages.figures", f"figures.{figure.module}"),
            name=figure.name,
            caption=figure.caption,
            takeaway=figure.takeaway,
            told=[f"{FIGURE_DIRECTORIES[scope]}/{name}.caption.txt" for name in figure.drawn[:1]],
            results=subpath(input.config, parent=True),
            scope=scope,
            directory=subpath(output[0], parent=True),
        message:
            f"Drawing {figure.name} ({scope})"
        shell:
            "splitshare figures {params.name} --results {params.results}/{params.scope} --config {input.config}"
            " -o {params.directory} > {log} 2>&1"


rule gallery:
    input:
        [f"{PAPER_FIGURES}/{name}" for figure, scope in DRAWN if scope == "canonical" for name in figure.files()],
    output:
        GALLERY,
    log:
        LAYOUT.log("gallery"),
    benchmark:
        LAYOUT.benchmark("gallery")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.gallery"),
        directory=subpath(output[0], parent=True),
    message:
        "Writing the gallery of figures"
    shell:
        "splitshare gallery {params.directory} -o {output} > {log} 2>&1"


# On request, and the last page of the report: it needs splitshare[explore].
rule explore:
    input:
        placements=f"{RESULTS}/canonical/placements.csv",
    output:
        report(
            f"{RESULTS}/explore.html",
            caption="../report/explore.rst",
            category="99 Every result",
            labels={"scope": "canonical", "name": "explore", "what": "page"},
        ),
    log:
        LAYOUT.log("explore"),
    benchmark:
        LAYOUT.benchmark("explore")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("stages.explore"),
        results=subpath(input.placements, parent=True),
    message:
        "Writing the page of every result"
    shell:
        "splitshare explore --results {params.results} -o {output} > {log} 2>&1"
