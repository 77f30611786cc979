"""The onloading problem (J3O): which models clients and edge servers hold, and who answers which queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.onloading.conformance import CHECKS
from splitshare.onloading.contract import FINDER, TIMED_BASELINE
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.onloading.suite import FAMILY
from splitshare.onloading.worth import worth_of
from splitshare.problems.problem import Problem, Recorded, Terms
from splitshare.records import nearest
from splitshare.rounding import without_rounding


def _score(instance: OnloadingInstance, decision: OnloadingDecision) -> Mapping[str, Any]:
    worth = worth_of(instance, decision)
    assert worth is not None  # an answer that decides something
    return vars(worth)


def _worth(decision: OnloadingDecision) -> str:
    left = float(without_rounding(decision.unserved or 0.0))
    unserved = f", {left:.1%} of the queries unserved" if left else ""
    return ("no decision" if decision.objective is None else f"accuracy {decision.objective:.6g}") + unserved


def _recorded(directory: Path, names: Sequence[str]) -> Recorded[OnloadingInstance]:
    """Recorded decisions of the suite.

    Raises:
        InputError: the record or the suite is missing or wrong, or they speak of different instances; or there is no
            such family.
    """
    from splitshare.results.baselines import check_digests
    from splitshare.results.onloading import INSTANCES, RECORD, UNMEASURED, read_record, references

    for family in names:
        if family != FAMILY:
            raise InputError("--family", family, f"no such recorded family; {nearest(family, [FAMILY])}")
    record = read_record(directory / RECORD)
    instances = tuple(read_lines(OnloadingInstance, directory / INSTANCES))
    check_digests(record, {i.name: i.sha256() for i in instances}, directory / INSTANCES, every=True)
    results = record[record["status"] != UNMEASURED].assign(family=FAMILY, workload=lambda rows: rows["instance"])
    known = references(record)["reference"]
    return Recorded({FAMILY: instances}, results.assign(reference=results["instance"].map(known).astype(float)))


def _record(instances: Sequence[Any], **how: Any) -> None:
    from splitshare.results.record_onloading import record  # with what solving does not need

    record(instances, **how)


PROBLEM: Problem[OnloadingInstance, OnloadingDecision] = Problem(
    name="onloading",
    instance=OnloadingInstance,
    answer=OnloadingDecision,
    finder=FINDER,
    solve=solve,
    score=_score,
    worth=_worth,
    decided=lambda decision: None if decision.offloading is None else decision.onloading,
    sense="max",
    unit="",
    terms=Terms(
        does="decides",
        answer="decision",
        decided="onloading",
        reference="the optimum (to the best proved bound where no optimum is proved)",
    ),
    checks=CHECKS,
    families=(FAMILY,),
    timed_baseline=TIMED_BASELINE,
    recorded=_recorded,
    record=_record,
)
