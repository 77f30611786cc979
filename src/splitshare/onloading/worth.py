"""What a decision by name is worth: read into arrays and judged by the one evaluator."""

from __future__ import annotations

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.instance import OnloadingDecision, OnloadingInstance
from splitshare.onloading.objective import Evaluation, evaluate, hosts_of, offloading_of


def worth_of(instance: OnloadingInstance, decision: OnloadingDecision) -> Evaluation | None:
    """What the evaluator says of a decision for ``instance``; ``None`` where it decides nothing.

    Raises:
        InfeasibleDecisionError: a rule is broken, or a name is unknown.
    """
    if decision.onloading is None or decision.offloading is None:
        return None
    arrays = arrays_of(instance)
    return evaluate(arrays, hosts_of(instance, decision.onloading), offloading_of(arrays, decision.offloading))
