"""What there is to place, and on what: models, modules, tasks, benchmarks, devices, testbeds, workloads.

The catalogue is our own selection (the papers' lists could not be read); it is data under ``data/``.
"""
