"""Recording held-out families: what every method does within a time limit, and the best that is known of each instance.

A row is kept as long as its instance and its time limit stay, so a run that was stopped goes on where it was, and a
method that is new costs its own runs only. Exact methods' proofs are no rows of their own: a bound stands in the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from splitshare.choices import ExactSolver
from splitshare.errors import WorkError
from splitshare.methods import Method
from splitshare.placement.contract import FINDER
from splitshare.placement.held_out import held_out
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.run import solve
from splitshare.results.family_record import (
    BEST,
    BEST_COLUMNS,
    COLUMNS,
    KEY,
    RESULTS,
    UNMEASURED,
    check_best,
    plain_rows,
    read_best,
    read_results,
    write_best,
    write_results,
)
from splitshare.results.provenance import provenance
from splitshare.results.recording import FEW_SEEDS, RecordedRun, recorded_runs
from splitshare.results.table import BOUND_TOLERANCE, OPTIMALITY_TOLERANCE
from splitshare.side_by_side import side_by_side

EXACT = tuple(f"optimum-{solver}" for solver in sorted(get_args(ExactSolver)))
NOT_COMPARABLE = ("optimum", "cloud")
"""``optimum`` stands there by its solvers; no family has a device in the cloud."""
ROUNDED = 1e-8
"""How far the digits of a record let equal values be apart, relatively."""


def methods_of_families() -> list[str]:
    """Labels of the methods that are recorded: all that are shipped and place the instance as it stands."""
    plain = [
        name
        for name in FINDER.shipped()
        if name not in NOT_COMPARABLE and getattr(FINDER.load(name), "variant", None) is None
    ]
    # What takes long comes last: the rest is there soon, wherever a run is stopped.
    plain.sort(key=lambda name: bool(getattr(FINDER.load(name), "stochastic", False)))
    return [*plain, *EXACT]


def record_families(
    families: Sequence[str], methods: Sequence[str], *, time_limit_s: float, output: Path, processes: int = 1
) -> pd.DataFrame:
    """Run methods over held-out families and write ``families.csv`` and ``families_best.csv`` into ``output``.

    Rows of other families and methods are kept; of these, a row whose instance or time limit is another is made anew.
    Both files are written after each method and family.

    Args:
        families: names of ``placement.held_out.HELD_OUT``.
        methods: labels.
        time_limit_s: seconds for a run; the limit is the method's to keep, exact ones build their program before it.
        output: directory.
        processes: methods and families that are run side by side, each on a processor of its own.

    Returns:
        What is known best, a row an instance.

    Raises:
        InputError: a method, a family or a file that is there is wrong.
        WorkError: a bound is above a value that was found, or an answer does not hold.
    """
    instances = {family: held_out(family) for family in families}
    path = output / RESULTS
    rows = read_results(path) if path.is_file() else pd.DataFrame(columns=list(COLUMNS))
    rows = rows[~_replaced(rows, instances, [Method.parse(one).label for one in methods], time_limit_s)]
    best = _best(output / BEST)
    done = frozenset(rows[list(KEY[1:])].itertuples(index=False, name=None))
    tasks = [(label, family, part) for label in methods for family, part in instances.items()]
    of = partial(_of_task, done=done, time_limit_s=time_limit_s, seeds=FEW_SEEDS)
    with closing(side_by_side(of, tasks, processes, "recording", in_order=False)) as made:
        for new in made:
            if new.empty:
                continue
            rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
            best = improved(best, rows, instances[new["family"].iloc[0]])
            write_results(rows, path)
            write_best(best, output / BEST)
    return best


def prove_longer(
    families: Sequence[str], methods: Sequence[str], *, time_limit_s: float, output: Path, processes: int = 1
) -> pd.DataFrame:
    """Run methods longer where no optimum is proved yet, and write only what they better into ``families_best.csv``.

    A bound of an instance that nothing has placed is not written: such an instance has no row.

    Args:
        families: names of ``placement.held_out.HELD_OUT``.
        methods: labels.
        time_limit_s: seconds for a run.
        output: directory of the record.
        processes: instances that are run side by side, each on a processor of its own.

    Returns:
        What is known best, a row an instance.

    Raises:
        InputError: a method, a family or the record is wrong, or the record is of other instances.
        WorkError: as ``record_families``.
    """
    instances = {family: held_out(family) for family in families}
    best, recorded = read_best(output / BEST), read_results(output / RESULTS)
    placed = {*best["instance"], *recorded.loc[recorded["objective_s"].notna(), "instance"]}
    nowhere = set(recorded["instance"]) - placed
    digests = {i.name: i.sha256() for part in instances.values() for i in part if i.name not in nowhere}
    check_best(recorded, best, digests, output / BEST)
    for label in methods:
        proved = set(best.loc[best["optimal"] == 1, "instance"])
        tasks = [
            (label, family, (one,)) for family, part in instances.items() for one in part if one.name not in proved
        ]
        of = partial(_of_task, done=frozenset(), time_limit_s=time_limit_s, seeds=(0,))
        with closing(side_by_side(of, tasks, processes, "proving", in_order=False)) as made:
            for new in made:
                if len(new):
                    best = improved(best, new, instances[new["family"].iloc[0]])
                    write_best(best, output / BEST)
    return best


Task = tuple[str, str, tuple[PlacementInstance, ...]]
"""A method's label, a family, and instances of it."""
Done = frozenset[tuple[str, str, int]]
"""Instance, method and seed of runs that are there."""


def _of_task(task: Task, *, done: Done, time_limit_s: float, seeds: tuple[int, ...]) -> pd.DataFrame:
    label, family, part = task
    runs = recorded_runs(
        [label], part, finder=FINDER, solve=solve, time_limit_s=time_limit_s, done=done, seeds=seeds, shown=False
    )
    return _rows(runs, family, time_limit_s)


def improved(best: pd.DataFrame, rows: pd.DataFrame, instances: Iterable[PlacementInstance]) -> pd.DataFrame:
    """``best`` with every value that ``rows`` lower and every bound that they raise.

    Of the runs in ``rows`` that reach a value or a bound the fastest is named; one that is not in ``rows`` stays named
    as long as none of them reaches what it found.

    Args:
        best: what was known best.
        rows: runs, as ``family_record.COLUMNS`` has them.
        instances: what they are of; of one without a run nothing changes.

    Raises:
        WorkError: a bound is above a value.
    """
    known: dict[str, dict[str, Any]] = {row["instance"]: row for row in plain_rows(best)}
    for instance in instances:
        part = rows[(rows["instance"] == instance.name) & (rows["instance_sha256"] == instance.sha256())]
        if part.empty:
            continue
        row = known.get(instance.name)
        if row is None or row["instance_sha256"] != instance.sha256():
            row = _nothing_known(instance, part["family"].iloc[0])
        least, most = float(part["objective_s"].min()), float(part["bound_s"].max())
        if least <= row["objective_s"] * (1 + ROUNDED):
            equal = part[part["objective_s"] <= least * (1 + ROUNDED)]
            row = row | {"objective_s": min(least, row["objective_s"]), **_who(_fastest(equal), "found")}
        if most >= row["bound_s"] * (1 - OPTIMALITY_TOLERANCE):
            equal = part[part["bound_s"] >= most * (1 - OPTIMALITY_TOLERANCE)]
            row = row | {"bound_s": max(most, row["bound_s"]), **_who(_fastest(equal), "proved")}
        if row["bound_s"] > row["objective_s"] * (1 + BOUND_TOLERANCE):
            told = (
                f"{row['proved_by']} proves {row['bound_s']!r} s, and {row['found_by']} finds {row['objective_s']!r} s"
            )
            raise WorkError(f"{instance.name}: {told}: one of them is wrong")
        row["bound_s"] = min(row["bound_s"], row["objective_s"])
        row["optimal"] = int(row["bound_s"] >= row["objective_s"] * (1 - OPTIMALITY_TOLERANCE))
        known[instance.name] = row
    return pd.DataFrame(known.values(), columns=list(BEST_COLUMNS))


def _nothing_known(instance: PlacementInstance, family: str) -> dict[str, Any]:
    """Every value is below infinity, and no latency is below zero."""
    return {
        "family": family,
        "instance": instance.name,
        "instance_sha256": instance.sha256(),
        "devices": len(instance.devices),
        "modules": len(instance.modules),
        "requests": len(instance.requests),
        "objective_s": np.inf,
        "bound_s": 0.0,
        **{f"{did}_{what}": "" for did in ("found", "proved") for what in ("by", "version", "date")},
    }


def _fastest(rows: pd.DataFrame) -> dict[str, Any]:
    return min(plain_rows(rows), key=lambda row: row["build_s"] + row["solve_s"])


def _who(row: Mapping[str, Any], did: str) -> dict[str, str]:
    solver = f", {row['solver_version']}" if row["solver_version"] else ""
    version = f"splitshare {row['splitshare']}{solver}"
    return {f"{did}_by": row["method"], f"{did}_version": version, f"{did}_date": row["date"][:10]}


def _best(path: Path) -> pd.DataFrame:
    return read_best(path) if path.is_file() else pd.DataFrame(columns=list(BEST_COLUMNS))


def _replaced(
    rows: pd.DataFrame,
    instances: Mapping[str, Sequence[PlacementInstance]],
    methods: Sequence[str],
    time_limit_s: float,
) -> pd.Series[bool]:
    """Rows that are made anew, and those whose instance is no longer held out."""
    digests = {i.name: i.sha256() for part in instances.values() for i in part}
    of_family = rows["family"].isin(list(instances))
    other = of_family & (rows["instance"].map(digests) != rows["instance_sha256"])
    return other | (of_family & rows["method"].isin(list(methods)) & (rows["time_limit_s"] != time_limit_s))


def _rows(runs: Iterable[RecordedRun[PlacementInstance]], family: str, time_limit_s: float) -> pd.DataFrame:
    facts = {name: value for name, value in provenance().items() if name in COLUMNS}
    rows = [
        {
            "family": family,
            "instance": run.instance.name,
            "method": run.method,
            "seed": run.seed,
            "instance_sha256": run.instance.sha256(),
            "time_limit_s": time_limit_s,
            **_outcome(run.answer, time_limit_s),
            **facts,
        }
        for run in runs
    ]
    numbers = dict.fromkeys(("objective_s", "bound_s"), float)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(numbers)


def _outcome(answer: Placement | None, time_limit_s: float) -> dict[str, object]:
    """What became of a run; without an answer, that a licence refused it."""
    if answer is None:
        none = dict.fromkeys(("objective_s", "bound_s", "build_s", "solve_s"), np.nan)
        return {"status": UNMEASURED, "at_limit": 0, "solver_version": "", **none}
    late = answer.status == "time_limit" or answer.solve_s >= time_limit_s
    return {
        "status": answer.status,
        "objective_s": answer.objective,
        "bound_s": answer.bound,
        "at_limit": int(late),
        "build_s": answer.build_s,
        "solve_s": answer.solve_s,
        "solver_version": answer.versions.solver or "",
    }
