"""``splitshare evaluate`` for onloading instances: the worth of a decision, by the one evaluator."""

from __future__ import annotations

from pathlib import Path

from splitshare.errors import InputError
from splitshare.onloading.arrays import Arrays, arrays_of
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.objective import (
    Evaluation,
    Hosts,
    InfeasibleDecisionError,
    Offloading,
    evaluate,
    hosts_of,
    offloading_of,
)


def run(instance: Path, decision: Path) -> Evaluation:
    """Score ``decision`` on ``instance``.

    Raises:
        InputError: a file is wrong, the decision belongs to another instance, is empty or infeasible.
    """
    arrays, hosts, offloading = read_decision(instance, decision)
    try:
        return evaluate(arrays, hosts, offloading)
    except InfeasibleDecisionError as error:
        raise InputError(decision, "", str(error)) from None


def read_decision(instance: Path, decision: Path) -> tuple[Arrays, Hosts, Offloading]:
    """Read an instance and a decision of it as arrays.

    Raises:
        InputError: a file is wrong, the decision belongs to another instance, names what that does not have, or
            decides nothing.
    """
    read = OnloadingInstance.read(instance)
    decided = OnloadingDecision.read(decision)
    if decided.instance_sha256 != read.sha256():
        raise InputError(decision, "instance_sha256", f"belongs to another instance than {instance}; solve it again")
    if decided.onloading is None or decided.offloading is None:
        raise InputError(decision, "onloading", f"is null ({decided.status}): there is nothing to evaluate or replay")
    arrays = arrays_of(read)
    try:
        return arrays, hosts_of(read, decided.onloading), offloading_of(arrays, decided.offloading)
    except InfeasibleDecisionError as error:
        raise InputError(decision, "", str(error)) from None
