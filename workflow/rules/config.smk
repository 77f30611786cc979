# The configuration of the run, beside its results: figures are drawn by it.
rule run_config:
    output:
        RUN_CONFIG,
    log:
        f"{RESULTS}/logs/run_config.log",
    params:
        config=CONFIG.to_json(),
    shell:
        "printf '%s' {params.config:q} > {output} 2> {log}"
