"""Held-out placement instances: a fixed set of each family, to judge algorithms on and never to tune them on (ours).

Of a family of rules it is the instances of ``HELD_OUT_SEEDS``; who tunes draws from ``TUNING_SEEDS``. They are drawn
anew where they are needed, for a seed is the same instance everywhere; the record of results has their digests. The
family ``assignment`` is the assignment problems of ``data/assignment``, whose optima were published by others. The
family ``adversarial`` is the instances of ``data/adversarial``: of several algorithms, where a search found each to be
furthest from the optimum; who is judged on them should know whose worst cases they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from splitshare.choices import AssignmentSense
from splitshare.errors import InputError
from splitshare.placement.assignment_problems import read_assignment_problems
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.instance_families import FAMILIES, family_instance
from splitshare.places import DATA
from splitshare.records import nearest

TUNING_SEEDS = range(10_000)
"""Seeds of instances to tune an algorithm on."""
HELD_OUT_SEEDS = range(10_000, 10_005)
"""Seeds of instances to judge it on."""
ASSIGNMENT = "assignment"
ASSIGNMENT_FILES: Mapping[str, AssignmentSense] = MappingProxyType({"gap1": "max", "gap5": "max", "gapa": "min"})
"""Files of the family ``assignment``, and what is asked of the sum in each."""
ADVERSARIAL = "adversarial"
HELD_OUT = (*FAMILIES, ASSIGNMENT, ADVERSARIAL)
"""Families that have held-out instances, by name."""


def held_out(family: str, data: Path = DATA) -> tuple[PlacementInstance, ...]:
    """The held-out instances of a family of ``HELD_OUT``, in a fixed order.

    Args:
        family: its name.
        data: the data folder; assignment problems are read from ``assignment`` there, worst cases from ``adversarial``.

    Raises:
        InputError: there is no such family, or a file of problems is wrong.
    """
    if family == ASSIGNMENT:
        return tuple(
            problem.placement(f"{stem}-{i}", sense)
            for stem, sense in ASSIGNMENT_FILES.items()
            for i, problem in enumerate(read_assignment_problems(data / ASSIGNMENT / f"{stem}.txt"), start=1)
        )
    if family == ADVERSARIAL:
        files = sorted((data / ADVERSARIAL).glob("*.json"))
        if not files:
            raise InputError(data / ADVERSARIAL, "", "has no instance; search for them with `make record-adversarial`")
        return tuple(map(PlacementInstance.read, files))
    if family not in FAMILIES:
        raise InputError("--family", family, f"has no held-out instances; {nearest(family, HELD_OUT)}")
    return tuple(family_instance(family, seed) for seed in HELD_OUT_SEEDS)
