"""An instance and a placement of it, read together."""

from __future__ import annotations

from pathlib import Path

from splitshare.errors import InputError
from splitshare.placement.instance import Assignment, Placement, PlacementInstance
from splitshare.placement.objective import Evaluation, InfeasiblePlacementError, evaluate
from splitshare.placement.variants import apply_variant
from splitshare.placement.what_if import with_memory_for_all
from splitshare.rounding import check_stated


def read_base_pair(instance: Path, placement: Path) -> tuple[PlacementInstance, Placement]:
    """Read an instance and a placement of it, which may be empty.

    Raises:
        InputError: a file is wrong, the placement belongs to another instance, or it states another objective than the
            evaluator finds.
    """
    asked = PlacementInstance.read(instance)
    placed = Placement.read(placement)
    if placed.instance_sha256 != asked.sha256():
        raise InputError(placement, "instance_sha256", f"belongs to another instance than {instance}; solve it again")
    if placed.assignment is not None and placed.objective is not None:
        try:
            found = evaluate(apply_variant(asked, placed.variant), placed.assignment).objective
        except InfeasiblePlacementError:  # for the command to tell, which may not mind
            return asked, placed
        check_stated(placement, "objective", placed.objective, found)
    return asked, placed


def read_pair(instance: Path, placement: Path) -> tuple[PlacementInstance, Placement]:
    """Read an instance and a placement of it, the placement's variant applied to the instance.

    Raises:
        InputError: a file is wrong, the placement belongs to another instance, or it places nothing.
    """
    asked, placed = read_base_pair(instance, placement)
    if placed.assignment is None:
        raise InputError(placement, "assignment", f"is null ({placed.status}): there is nothing to evaluate or replay")
    return apply_variant(asked, placed.variant), placed


def read_replayable(
    instance: Path, placement: Path, *, all_in_memory: bool = True
) -> tuple[PlacementInstance, Assignment, Evaluation]:
    """Read an instance, as the placement's variant has it, and a placement of it whose requests can all be served.

    Args:
        instance: file of the instance.
        placement: file of the placement.
        all_in_memory: whether what a device is given must be in its memory all at once.

    Raises:
        InputError: as ``read_pair``, or the placement is infeasible.
    """
    asked, placed = read_pair(instance, placement)
    assert placed.assignment is not None  # read_pair refuses empty placements
    try:
        judged = asked if all_in_memory else with_memory_for_all(asked)
        return asked, placed.assignment, evaluate(judged, placed.assignment)
    except InfeasiblePlacementError as error:
        raise InputError(placement, "", f"infeasible placement cannot be replayed: {error}") from None
