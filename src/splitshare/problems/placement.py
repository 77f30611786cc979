"""The placement problem (S2M3): where the modules of split and shared models stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.placement.conformance import CHECKS
from splitshare.placement.contract import FINDER, TIMED_BASELINE
from splitshare.placement.energy import energy_j, tells_energy
from splitshare.placement.held_out import HELD_OUT
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.run import solve
from splitshare.placement.variants import apply_variant
from splitshare.problems.problem import Problem, Recorded, Terms
from splitshare.records import nearest

RESULTS = "placements.parquet"
FAMILIES = ("s2m3", "random-test")


def _score(instance: PlacementInstance, placement: Placement) -> Mapping[str, Any]:
    assert placement.assignment is not None  # an answer that decides something
    asked = apply_variant(instance, placement.variant)
    worth = evaluate(asked, placement.assignment)
    told = {"objective": worth.objective, "latency_s": worth.latency_s, "memory_bytes": worth.memory_bytes}
    return told | ({"energy_j": energy_j(asked, worth.routes)} if tells_energy(asked) else {})


def _worth(placement: Placement) -> str:
    return "no placement" if placement.objective is None else f"{placement.objective:.6g} s"


def _recorded(directory: Path, names: Sequence[str]) -> Recorded[PlacementInstance]:
    """Recorded placements of the families ``names``.

    Raises:
        InputError: a family or the record is missing or wrong, or they speak of different instances.
    """
    from splitshare.results.baselines import check_digests, families, instances_file, read_baselines

    asked = [family for family in names if family in HELD_OUT and not instances_file(directory, family).is_file()]
    if asked:
        others = [family for family in names if family not in asked]
        return _with_held_out(asked, _recorded(directory, others) if others else None, directory)
    results = read_baselines(directory / RESULTS)
    instances = {}
    for family in names:
        path = instances_file(directory, family)
        if not path.is_file():
            known = [*families(directory), *HELD_OUT]
            raise InputError("--family", family, f"no such recorded family; {nearest(family, known)}")
        instances[family] = tuple(read_lines(PlacementInstance, path))
        check_digests(results, {i.name: i.sha256() for i in instances[family]}, path)
    return Recorded(instances, results.rename(columns={"objective_s": "objective", "optimum_s": "reference"}))


def _with_held_out(
    names: Sequence[str], others: Recorded[PlacementInstance] | None, directory: Path
) -> Recorded[PlacementInstance]:
    """Held-out families beside others."""
    import pandas as pd  # half a second to import

    from splitshare.results.family_record import recorded_families

    instances, results = recorded_families(names, directory)
    if others is None:
        return Recorded(instances, results, frozenset(names))
    both = pd.concat([others.results, results], ignore_index=True)
    return Recorded({**others.instances, **instances}, both, frozenset(names))


def _record(instances: Sequence[Any], **how: Any) -> None:
    from splitshare.results.record_placements import record  # with what solving does not need

    record(instances, **how)


PROBLEM: Problem[PlacementInstance, Placement] = Problem(
    name="placement",
    instance=PlacementInstance,
    answer=Placement,
    finder=FINDER,
    solve=solve,
    score=_score,
    worth=_worth,
    decided=lambda placement: placement.assignment,
    sense="min",
    unit="s",
    terms=Terms(does="places", answer="placement", decided="assignment"),
    checks=CHECKS,
    families=FAMILIES,
    tuning_families=("random-tuning",),
    held_out_families=HELD_OUT,
    timed_baseline=TIMED_BASELINE,
    recorded=_recorded,
    record=_record,
)
