"""``splitshare record``: write recorded baselines, for new algorithms to be held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.placement.certificate import certificate_of
from splitshare.placement.contract import PlacementAlgorithm, load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.record_set import write_set
from splitshare.results.baselines import COLUMNS, instances_file, merge, read_baselines, write_baselines
from splitshare.results.provenance import provenance
from splitshare.results.table import Solved, placements_table
from splitshare.results.write import write_csv
from splitshare.solvers.milp import SOLVERS

PROOFS = "proofs.csv"
"""What each proof of an optimum took, beside the recorded baselines."""
STOCHASTIC_SEEDS = tuple(range(10))


def run(
    instances: Sequence[Path], *, family: str, algorithms: Sequence[str], time_limit_s: float, output: Path
) -> None:
    """Solve ``instances`` to the optimum and with every algorithm, and write the results into ``output``.

    Writes ``instances/<family>.jsonl``, ``placements.parquet`` (and ``.csv``), ``certificates/<instance>.json`` for
    each optimum, proved by every solver, and ``proofs.csv`` with what each proof took; rows of other methods and
    families that are there already are kept.

    Args:
        instances: files of the instances.
        family: what the instances are called together.
        algorithms: what is recorded beside the optimum.
        time_limit_s: seconds for a run.
        output: directory.

    Raises:
        InputError: an instance or an algorithm is wrong, or the file there speaks of other instances.
        WorkError: an optimum is contradicted.
    """
    read = [PlacementInstance.read(path) for path in instances]
    proofs = certify(read, time_limit_s, output / "certificates")
    rows = [results(read, "optimum", load("optimum"), (0,), time_limit_s, family)]
    optima = rows[0]
    for name in track(algorithms, "recording"):
        made = load(name)
        seeds = STOCHASTIC_SEEDS if is_stochastic(made) else (0,)
        rows.append(results(read, name, made, seeds, time_limit_s, family, optima))
    new = pd.concat(rows, ignore_index=True)
    _write_proofs(proofs.assign(family=family), output / PROOFS)
    path = output / "placements.parquet"
    write_baselines(merge(read_baselines(path), new) if path.is_file() else new, path)
    write_set(read, instances_file(output, family))


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


def is_stochastic(algorithm: PlacementAlgorithm) -> bool:
    """Whether an algorithm says that its answer depends on the seed (``stochastic = True``)."""
    return bool(getattr(algorithm, "stochastic", False))


def results(
    instances: Sequence[PlacementInstance],
    method: str,
    algorithm: PlacementAlgorithm,
    seeds: Sequence[int],
    time_limit_s: float,
    family: str,
    optima: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Tidy results of one method, a row an instance and seed; ``optima`` are the optimum's own results."""
    tables = []
    for seed in seeds:
        solved = [Solved(method, i, solve(i, algorithm, seed=seed, time_limit_s=time_limit_s)) for i in instances]
        table = placements_table(solved)
        if optima is not None:
            table["optimum_s"] = table["instance"].map(optima.set_index("instance")["objective_s"])
            table["gap"] = table["objective_s"] / table["optimum_s"] - 1
        table["build_s"] = [s.placement.build_s for s in solved]
        table["solve_s"] = [s.placement.solve_s for s in solved]
        table["solver_version"] = [s.placement.versions.solver or "" for s in solved]
        tables.append(table.assign(seed=seed, family=family, **provenance()))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]
