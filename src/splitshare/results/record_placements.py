"""Recording baselines of the placement problem: optima with certificates, and what other methods do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.jsonl import write_lines
from splitshare.placement.certificate import certificate_of
from splitshare.placement.contract import FINDER, load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.results.baselines import (
    COLUMNS,
    instances_file,
    merge,
    read_baselines,
    without_replaced,
    write_baselines,
)
from splitshare.results.provenance import provenance
from splitshare.results.recording import RecordedRun, recorded_runs
from splitshare.results.table import Solved, placements_table
from splitshare.results.write import write_csv
from splitshare.solvers.milp import SOLVERS

PROOFS = "proofs.csv"
"""What each proof of an optimum took, beside the recorded baselines."""
OPTIMUM = "optimum"


def record(
    instances: Sequence[PlacementInstance], *, methods: Sequence[str], family: str, time_limit_s: float, output: Path
) -> None:
    """Solve ``instances`` to the optimum and by every method, and write the results into ``output``.

    Writes ``instances/<family>.jsonl``, ``placements.parquet`` (and ``.csv``), ``certificates/<instance>.json`` for
    each optimum, proved by every solver, and ``proofs.csv`` with what each proof took; rows of other methods and
    families that are there already are kept. Results on instances that have changed are replaced, all methods at once.

    Args:
        instances: the instances.
        methods: what is recorded beside the optimum.
        family: what the instances are called together.
        time_limit_s: seconds for a run.
        output: directory.

    Raises:
        InputError: a method is wrong, or the file there has results on other instances by a method that is left out.
        WorkError: an optimum is contradicted.
    """
    every = [OPTIMUM, *(method for method in methods if method != OPTIMUM)]
    path = output / "placements.parquet"
    old = read_baselines(path) if path.is_file() else None
    if old is not None:
        old = without_replaced(old, family, {i.name: i.sha256() for i in instances}, every, path)
    proofs = certify(instances, time_limit_s, output / "certificates")
    runs = list(recorded_runs(every, instances, finder=FINDER, solve=solve, time_limit_s=time_limit_s))
    new = results(runs, family)
    _write_proofs(proofs.assign(family=family), output / PROOFS)
    write_baselines(new if old is None else merge(old, new), path)
    write_lines(instances, instances_file(output, family))


def certify(instances: Sequence[PlacementInstance], time_limit_s: float, output: Path) -> pd.DataFrame:
    """Write a certificate of each instance's optimum, proved by every solver.

    Returns:
        What each proof took, a row an instance and solver.

    Raises:
        WorkError: a solver does not prove an optimum, or two contradict each other.
    """
    provers = [load("optimum", solver=solver) for solver in SOLVERS]
    rows = []
    for instance in track(instances, "proving"):
        optima = [solve(instance, prover, time_limit_s=time_limit_s) for prover in provers]
        certificate_of(instance, optima).write(output / f"{instance.name}.json")
        rows += [
            {
                "instance": instance.name,
                "solver": solver,
                "version": optimum.versions.solver,
                "build_s": optimum.build_s,
                "solve_s": optimum.solve_s,
            }
            for solver, optimum in zip(SOLVERS, optima, strict=True)
        ]
    known = provenance()
    return pd.DataFrame(rows).assign(machine=known["machine"], date=known["date"])


def _write_proofs(proofs: pd.DataFrame, path: Path) -> None:
    """Write the rows of a family, beside those of other families that are there."""
    if path.is_file():
        old = pd.read_csv(path)
        proofs = pd.concat([old[old["family"] != proofs["family"].iloc[0]], proofs], ignore_index=True)
    columns = ["family", "instance", "solver", "version", "build_s", "solve_s", "machine", "date"]
    write_csv(proofs[columns].sort_values(["family", "instance", "solver"], kind="stable"), path)


def results(runs: Sequence[RecordedRun[PlacementInstance]], family: str) -> pd.DataFrame:
    """Tidy results, a row a run, with the optimum of each instance where it is among them."""
    optima = {run.instance.name: run.answer.objective for run in runs if run.method == OPTIMUM}
    tables = []
    for run in runs:
        table = placements_table([Solved(run.method, run.instance, run.answer)])
        table["optimum_s"] = table["instance"].map(optima)
        table["gap"] = table["objective_s"] / table["optimum_s"] - 1
        tables.append(
            table.assign(
                build_s=run.answer.build_s,
                solve_s=run.answer.solve_s,
                solver_version=run.answer.versions.solver or "",
                seed=run.seed,
            )
        )
    table = pd.concat(tables, ignore_index=True).assign(family=family, **provenance())
    return table[list(COLUMNS)]
