"""Results of the onloading problem as tidy tables, and the record of them in ``data/baselines/onloading.csv``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from splitshare.errors import InputError, WorkError
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.parquet import check_types, refusals
from splitshare.results.table import BOUND_TOLERANCE
from splitshare.results.write import write_csv

RECORD = "onloading.csv"
"""The record, below ``data/baselines``."""
HUGE_RECORD = "huge/onloading.csv"
"""That of the large family."""
INSTANCES, DIGESTS = "onloading_instances.jsonl", "onloading_instances.json"
"""The suite that it speaks of, and its digests."""
KEY = ("instance", "method", "seed")
"""What makes a row one of a kind."""
FACTS = ("zoo", "size", "batching", "clients", "servers", "tasks", "models", "instance_sha256")
OUTCOME = ("status", "objective", "bound", "unserved", "iterations")
RUN = ("build_s", "solve_s", "solver_version", "machine", "revision", "date")
COLUMNS = (*KEY, *FACTS, *OUTCOME, *RUN)
NUMBERS = ("seed", *FACTS[3:-1], *OUTCOME[1:], "build_s", "solve_s")
TEXTS = ("instance", "method", "zoo", "size", "instance_sha256", "status")
FIRST_ZOO = "published"
OWN = "own"
"""Zoo or size of an instance that was not drawn from a zoo, or for the suite."""
UNMEASURED = "unmeasured"
"""Status of a row that a solver's licence refused for its size."""


def size_of(instance: OnloadingInstance) -> str:
    """What tables call an instance's size class: a further zoo's name stands before it."""
    if instance.size_class is None:
        return OWN
    size = instance.size_class
    return size if instance.zoo in (FIRST_ZOO, None) else f"{instance.zoo}-{size}"


def title_of(instance: str) -> str:
    """What figures call an instance of the suite: ``Small 16, batching`` for ``small-16-batching``."""
    named, batching, rest = instance.partition("-batching")
    if rest or not re.fullmatch(r"[a-z-]+-[0-9]+", named):
        return instance
    return named.replace("-", " ").capitalize() + (", batching" if batching else "")


def facts(instance: OnloadingInstance) -> dict[str, object]:
    """What a table says of an instance."""
    return {
        "zoo": instance.zoo or OWN,
        "size": size_of(instance),
        "batching": instance.batching,
        "clients": len(instance.clients),
        "servers": len(instance.servers),
        "tasks": len(instance.tasks),
        "models": len(instance.models),
        "instance_sha256": instance.sha256(),
    }


def row(
    instance: OnloadingInstance,
    method: str,
    seed: int,
    decision: OnloadingDecision | None,
    provenance: Mapping[str, str],
) -> dict[str, object]:
    """A row of the record; without a decision, that of a run that a licence refused."""
    fields: dict[str, object] = {"instance": instance.name, "method": method, "seed": seed, **facts(instance)}
    if decision is None:
        fields["status"] = UNMEASURED
    else:
        fields |= {name: getattr(decision, name) for name in (*OUTCOME, "build_s", "solve_s")}
        fields["solver_version"] = decision.versions.solver
    fields |= {name: provenance[name] for name in ("machine", "revision", "date")}
    return {name: fields.get(name) for name in COLUMNS}


def read_record(path: Path) -> pd.DataFrame:
    """Read the record.

    Raises:
        InputError: it is missing, no CSV, or has other columns, or columns of another kind.
    """
    if not path.is_file():
        raise InputError(path, "", "no recorded results there; record them with `make record-onloading`")
    with refusals(path):
        table = pd.read_csv(path, low_memory=False)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(path, missing[0], "column is missing; record the results again")
    check_types(path, table, NUMBERS, TEXTS)
    return table[list(COLUMNS)]


def write_record(rows: pd.DataFrame, path: Path) -> None:
    """Write the record, whole or not at all."""
    write_csv(rows[list(COLUMNS)], path)


def references(record: pd.DataFrame) -> pd.DataFrame:
    """What each instance's results are held against, from all rows with a proved bound; indexed by instance.

    ``reference`` is the proved optimum, or where none was proved in time the least bound that was, by a solver or by
    J3O's prices. No decision exceeds it: a gap to it is an upper bound on the gap to the optimum.

    Raises:
        WorkError: two solvers contradict each other, or a result exceeds a proved bound.
    """
    exact = record[record["method"].str.startswith("optimum-") & (record["status"] != UNMEASURED)]
    rows = []
    for instance, part in exact.groupby("instance", sort=False):
        every = record[record["instance"] == instance]
        bound = float(every["bound"].min())
        best = float(part["objective"].max())
        best_of_all = float(every["objective"].max())
        if best_of_all > bound * (1 + BOUND_TOLERANCE):
            raise WorkError(f"{instance}: a decision of {best_of_all!r} exceeds the proved bound {bound!r}")
        proved = bool((part["status"] == "optimal").any())
        rows.append({"instance": instance, "proved": proved, "reference": best if proved else bound, "bound": bound})
    columns = ["instance", "proved", "reference", "bound"]
    return pd.DataFrame(rows, columns=columns).set_index("instance")


def with_reference(results: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Results with ``reference``, ``proved`` and ``ratio``, the objective as a share of the reference."""
    joined = results.join(reference[["proved", "reference"]], on="instance")
    return joined.assign(ratio=joined["objective"].fillna(0.0) / joined["reference"])


def results_table(rows: pd.DataFrame, reference: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """What does not vary from run to run: a row an instance and method, seeds of a stochastic method averaged.

    ``ratio`` and ``objective`` have six digits after the point: more would differ between processors.
    """
    shown = rows[rows["status"] != UNMEASURED]
    averaged = shown.groupby(["instance", "method"], sort=False, as_index=False).agg(
        **{name: (name, "first") for name in (*FACTS[:-1], "status")},
        objective=("objective", "mean"),
        bound=("bound", "mean"),
        unserved=("unserved", "mean"),
    )
    table = with_reference(averaged, reference)
    for column in ("objective", "bound", "unserved", "reference", "ratio"):
        table[column] = table[column].astype(float).round(6)
    position = {name: i for i, name in enumerate(order)}
    return table.sort_values(
        ["instance", "method"], key=lambda c: c.map(position) if c.name == "instance" else c, kind="stable"
    ).reset_index(drop=True)
