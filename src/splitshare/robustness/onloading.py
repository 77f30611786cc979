"""J3O's claims (J1, J2) on instances whose times are off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.onloading.algorithms.j3o_batching import J3OBatching
from splitshare.onloading.algorithms.optimum import Optimum
from splitshare.onloading.instance import Compute, OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.results.claims_j3o import ABSTRACT, onloading_accuracy, onloading_run_time
from splitshare.results.onloading import references, row, with_reference
from splitshare.results.onloading_time import J3O, SOLVER, WORK_S, time_table
from splitshare.robustness.draws import Finding, Pair, findings
from splitshare.robustness.placement import Factor

UNKNOWN = dict.fromkeys(("machine", "revision", "date"), "")


def pairs(instances: Sequence[OnloadingInstance]) -> set[Pair]:
    """Device classes and models that have a time."""
    return {(device, model.name) for instance in instances for model in instance.models for device in model.compute}


def with_times(instance: OnloadingInstance, factor: Factor) -> OnloadingInstance:
    """The instance with the times of each model on each device class multiplied."""
    models = [
        model.model_copy(
            update={
                "compute": {
                    device: Compute(start_s=c.start_s * by, per_query_s=c.per_query_s * by)
                    for device, c in model.compute.items()
                    for by in (factor(device, model.name),)
                }
            }
        )
        for model in instance.models
    ]
    return instance.with_changes(models=tuple(models))


def proofs_worth_timing(record: pd.DataFrame, most: int) -> list[str]:
    """Instances on which HiGHS works for longer than J2 is read from, to its proof: those with the shortest proofs."""
    table = time_table(record)
    long_enough = table[(table["highs_s"] > 2 * WORK_S) & table["proved"]].sort_values("highs_s", kind="stable")
    return list(long_enough["instance"].head(most))


def solved(instances: Sequence[OnloadingInstance], factor: Factor, time_limit_s: float) -> pd.DataFrame:
    """Rows of a record: J3O and the optimum on every instance, with its times multiplied."""
    rows = []
    for instance in instances:
        changed = with_times(instance, factor)
        for method, algorithm in ((J3O, J3OBatching()), (SOLVER, Optimum())):
            decision = solve(changed, algorithm, time_limit_s=time_limit_s)
            rows.append(row(changed, method, 0, decision, UNKNOWN))
    return pd.DataFrame(rows)


def accuracy_findings(record: pd.DataFrame) -> list[Finding]:
    """What a draw says of J1."""
    return findings([onloading_accuracy(with_reference(record, references(record)))])


def run_time_findings(record: pd.DataFrame) -> list[Finding]:
    """What a draw says of J2, over the instances on which the solver works for as long as the claim is read from."""
    return findings(claim for claim in onloading_run_time(record) if claim.reading == ABSTRACT)
