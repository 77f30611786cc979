"""``splitshare onloading record``: solve the suite by every method and write the results down, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.onloading.contract import OnloadingAlgorithm, load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.record_set import read_set
from splitshare.results.onloading import COLUMNS, KEY, read_record, references, row, write_record
from splitshare.results.provenance import provenance
from splitshare.solvers.milp import SizeLimitError

STOCHASTIC_SEEDS = tuple(range(10))


def run(instances: Path, *, methods: Sequence[str], time_limit_s: float, output: Path) -> None:
    """Solve every instance by every method and write a row each into ``output``.

    The file is written after every row, and rows that are there already (for the same instance, by its digest) are
    kept, so that a run that was stopped is resumed by the same command.

    Args:
        instances: the suite, an instance a line.
        methods: algorithms, or ``optimum-<solver>``.
        time_limit_s: seconds of solving for each run.
        output: ``data/baselines/onloading.csv``.

    Raises:
        InputError: the suite or a method is wrong.
        WorkError: solvers contradict each other.
    """
    read = read_set(OnloadingInstance, instances)
    digests = {instance.name: instance.sha256() for instance in read}
    rows = read_record(output) if output.is_file() else pd.DataFrame(columns=list(COLUMNS))
    rows = rows[rows["instance"].map(digests) == rows["instance_sha256"]]
    facts = provenance()
    for method in methods:
        algorithm = method_of(method)
        for seed in STOCHASTIC_SEEDS if getattr(algorithm, "stochastic", False) else (0,):
            for instance in track(read, f"recording {method}"):
                if ((rows["instance"] == instance.name) & (rows["method"] == method) & (rows["seed"] == seed)).any():
                    continue
                try:
                    decision = solve(instance, algorithm, seed=seed, time_limit_s=time_limit_s)
                except SizeLimitError:
                    decision = None
                new = pd.DataFrame([row(instance, method, seed, decision, facts)])
                rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
                write_record(rows, output)
    order = {name: i for i, name in enumerate(digests)}
    rows = rows.sort_values(list(KEY), key=lambda c: c.map(order) if c.name == "instance" else c, kind="stable")
    references(rows)
    write_record(rows, output)


def method_of(method: str) -> OnloadingAlgorithm:
    """The algorithm of a method: itself, or the optimum by a solver (``optimum-highs``).

    Raises:
        InputError: there is no such algorithm.
    """
    solver = method.removeprefix("optimum-")
    return load("optimum", solver=solver) if solver != method else load(method)
