"""How a problem's baselines are recorded and read where it does not do that in a way of its own (ours).

``<problem>/<family>.jsonl`` holds the instances, one a line, and ``<problem>/results.csv`` a row a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitshare.errors import InputError
from splitshare.jsonl import read_lines, write_lines
from splitshare.parquet import check_types, refusals
from splitshare.problems.problem import Problem, Recorded
from splitshare.records import nearest
from splitshare.results.baselines import check_digests
from splitshare.results.provenance import provenance
from splitshare.results.recording import recorded_runs
from splitshare.results.write import write_csv

KEY = ("family", "instance", "method", "seed")
NUMBERS = ("seed", "objective", "bound", "build_s", "solve_s")
TEXTS = ("family", "instance", "method", "instance_sha256", "status")
COLUMNS = (*KEY, "instance_sha256", "status", "objective", "bound", "build_s", "solve_s", "machine", "revision", "date")
RESULTS = "results.csv"


def read_recorded(problem: Problem[Any, Any], directory: Path, families: Sequence[str]) -> Recorded[Any]:
    """Recorded instances and results of some families of a problem.

    Args:
        problem: the problem.
        directory: of all recorded baselines.
        families: which.

    Raises:
        InputError: a file is missing or wrong, there is no such family, or instances are not the recorded ones.
    """
    if problem.recorded is not None:
        return problem.recorded(directory, families)
    own = directory / problem.name
    results = _read(own / RESULTS)
    instances = {}
    for family in families:
        path = own / f"{family}.jsonl"
        if not path.is_file():
            known = sorted(p.stem for p in own.glob("*.jsonl"))
            raise InputError("--family", family, f"no such recorded family; {nearest(family, known)}")
        instances[family] = tuple(read_lines(problem.instance, path))
        check_digests(results, {i.name: i.sha256() for i in instances[family]}, path, every=True)
    return Recorded(instances, results.assign(workload=results["instance"], reference=_references(problem, results)))


def write_recorded(
    problem: Problem[Any, Any],
    instances: Sequence[Any],
    *,
    methods: Sequence[str],
    family: str,
    time_limit_s: float,
    output: Path,
) -> None:
    """Solve instances by several methods and write down what ``read_recorded`` reads; other rows there are kept.

    Args:
        problem: the problem.
        instances: of one family.
        methods: labels of methods.
        family: what the instances are called together.
        time_limit_s: seconds for a run.
        output: directory of all recorded baselines.

    Raises:
        InputError: a method is wrong, or the record there speaks of other instances.
        WorkError: an answer does not hold.
    """
    if problem.record is not None:
        problem.record(instances, methods=methods, family=family, time_limit_s=time_limit_s, output=output)
        return
    facts = provenance()
    rows = [
        {"family": family, "instance": run.instance.name, "method": run.method, "seed": run.seed}
        | {"instance_sha256": run.instance.sha256(), "status": run.answer.status, "objective": run.answer.objective}
        | {"bound": getattr(run.answer, "bound", None)}
        | {"build_s": run.answer.build_s, "solve_s": run.answer.solve_s, **facts}
        for run in recorded_runs(
            methods, instances, finder=problem.finder, solve=problem.solve, time_limit_s=time_limit_s
        )
        if run.answer is not None
    ]
    new = pd.DataFrame(rows)[list(COLUMNS)].astype(dict.fromkeys(("objective", "bound"), float))
    own = output / problem.name
    if (own / RESULTS).is_file():
        old = _read(own / RESULTS)
        check_digests(old, dict(zip(new["instance"], new["instance_sha256"], strict=True)), "new results")
        keys = new.set_index(list(KEY)).index
        new = pd.concat([old[~old.set_index(list(KEY)).index.isin(keys)], new], ignore_index=True)
    write_csv(new.sort_values(list(KEY), kind="stable"), own / RESULTS)
    write_lines(instances, own / f"{family}.jsonl")


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(path, "", "no recorded results there; record them with `splitshare record`")
    with refusals(path):
        table = pd.read_csv(path, low_memory=False)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(path, missing[0], "column is missing; record the results again")
    check_types(path, table, NUMBERS, TEXTS)
    return table[list(COLUMNS)]


def _references(problem: Problem[Any, Any], results: pd.DataFrame) -> pd.Series[float]:
    """Of each row's instance: the proved optimum, or the best bound where none is proved, or nothing."""
    least = problem.sense == "min"
    optimal = results["objective"].where(results["status"] == "optimal")
    proved = optimal.groupby(results["instance"]).agg("min" if least else "max")
    bounds = results["bound"].replace([np.inf, -np.inf], np.nan).groupby(results["instance"])
    known = proved.fillna(bounds.agg("max" if least else "min"))
    return results["instance"].map(known).astype(float)
