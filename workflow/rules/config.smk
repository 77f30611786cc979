# The configuration of the run, beside its results: figures are drawn by it.
rule run_config:
    output:
        RUN_CONFIG,
    log:
        LAYOUT.log("run_config"),
    params:
        config=CONFIG.to_json(),
    shell:
        "printf '%s' {params.config:q} > {output} 2> {log}"
