# The configuration of the run, beside its results: figures are drawn by it.
rule run_config:
    output:
        RUN_CONFIG,
    log:
        LAYOUT.log("run_config"),
    benchmark:
        LAYOUT.benchmark("run_config")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        config=CONFIG.to_json(),
    message:
        "Keeping the configuration of the run"
    shell:
        "printf '%s' {params.config:q} > {output} 2> {log}"
