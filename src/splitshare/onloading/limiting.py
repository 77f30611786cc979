"""Side constraints put on an instance, and what keeping them costs: accuracy against how much is asked (ours).

The price of fairness is the share of the objective that is lost by a least share for every task (Bertsimas, Farias and
Trichakis 2011, for allocations in general).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from splitshare.choices import SideLimit
from splitshare.errors import InputError
from splitshare.onloading.contract import OnloadingAlgorithm
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.objective import Evaluation
from splitshare.onloading.run import solve
from splitshare.onloading.worth import worth_of
from splitshare.records import nearest
from splitshare.rounding import without_rounding


def with_limits(
    instance: OnloadingInstance,
    *,
    least_accuracy: Mapping[str, float] | None = None,
    least_served: Mapping[str, float] | None = None,
    energy_limit_j: float | None = None,
    source: str = "limits",
) -> OnloadingInstance:
    """The instance with other side constraints; those that are not given stay as they are.

    Args:
        instance: the instance.
        least_accuracy: by task.
        least_served: by task.
        energy_limit_j: mean joules a query.
        source: what errors name.

    Raises:
        InputError: a task is unknown, a value is out of range, or energy is limited and the instance tells none.
    """

    def change(said: dict[str, Any]) -> None:
        tasks = {task["name"]: task for task in said["tasks"]}
        for field, by_task in (("least_accuracy", least_accuracy or {}), ("least_served", least_served or {})):
            for name, least in by_task.items():
                if name not in tasks:
                    raise InputError(source, field, f"unknown task {name!r}; {nearest(name, list(tasks))}")
                tasks[name][field] = least
        if energy_limit_j is not None:
            said["energy_limit_j"] = energy_limit_j

    return _changed(instance, change, source)


def with_power(
    instance: OnloadingInstance,
    watts: Mapping[str, float],
    uplink_j_per_byte: float | None = None,
    source: str = "watts",
) -> OnloadingInstance:
    """The instance with energies: joules of computing are its seconds times what the device takes while it computes.

    Args:
        instance: the instance.
        watts: by device class.
        uplink_j_per_byte: joules of sending a byte, of every client; ``None``: as the instance has it.
        source: what errors name.

    Raises:
        InputError: a device class of some model has no watts, or a value is out of range.
    """

    def change(said: dict[str, Any]) -> None:
        for model in said["models"]:
            for device, compute in model["compute"].items():
                if device not in watts:
                    raise InputError(source, "", f"says nothing of {device!r}, on which models run; give its watts")
                compute["start_j"] = compute["start_s"] * watts[device]
                compute["per_query_j"] = compute["per_query_s"] * watts[device]
        for client in said["clients"] if uplink_j_per_byte is not None else ():
            client["uplink_j_per_byte"] = uplink_j_per_byte

    return _changed(instance, change, source)


def most_accuracy(instance: OnloadingInstance) -> dict[str, float]:
    """What the most accurate model of each task reaches, by task."""
    return {task.name: max(model.accuracy.get(task.name, 0.0) for model in instance.models) for task in instance.tasks}


def _changed(instance: OnloadingInstance, change: Callable[[dict[str, Any]], None], source: str) -> OnloadingInstance:
    said = json.loads(instance.to_json())
    change(said)
    return OnloadingInstance.parse(said, source)


def prices(
    instance: OnloadingInstance,
    algorithms: Mapping[str, OnloadingAlgorithm],
    limit: SideLimit,
    shares: Sequence[float],
    *,
    seed: int = 0,
    time_limit_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """A row an algorithm and share, first the base: the decision for the instance as it is, with what limits it has.

    A share served is asked of every task; a share of accuracy is one of what the most accurate model of each task
    reaches; a share of energy is how much of the base's a query may take. Limits that the instance has stay: of two
    on the same, the stricter one holds.

    Args:
        instance: the instance.
        algorithms: who decides, by title.
        limit: what is limited.
        shares: how much of it.
        seed: of whatever is random.
        time_limit_s: seconds for each decision.

    Yields:
        ``instance, limit, algorithm, share`` (``None``: the base), ``status, reason, objective, bound, price`` (share
        of the base's objective that is lost), ``unserved, least_accuracy, least_served`` (of the task that has
        least), ``energy_j``; without decision, these are ``None``. Without a base, or where energy is limited and the
        base takes none, an algorithm has no other row; ``reason`` says why.

    Raises:
        InputError: energy is limited, and the instance tells none.
    """
    check_priceable(instance, limit)
    for title, algorithm in algorithms.items():
        free = solve(instance, algorithm, seed=seed, time_limit_s=time_limit_s)
        worth = worth_of(instance, free)
        without = _without(limit, worth)
        for share in (None, *(() if worth is None or without else shares)):
            decision, now = free, worth
            if worth is not None and share is not None:
                limited = _limited(instance, limit, share, worth)
                decision = solve(limited, algorithm, seed=seed, time_limit_s=time_limit_s)
                now = worth_of(limited, decision)
            yield {
                "instance": instance.name,
                "limit": limit,
                "algorithm": title,
                "share": share,
                "status": decision.status,
                "reason": without or decision.reason,
                "objective": decision.objective,
                "bound": decision.bound,
                "price": _lost(worth, now),
                "unserved": decision.unserved,
                "least_accuracy": None if now is None else min(now.accuracy.values()),
                "least_served": None if now is None else min(now.served.values()),
                "energy_j": None if now is None else now.energy_j,
            }


def check_priceable(instance: OnloadingInstance, limit: SideLimit) -> None:
    """Refuse an instance that tells nothing of what is limited.

    Raises:
        InputError: energy is limited, and the instance tells none.
    """
    if limit == "energy" and not instance.tells_energy:
        raise InputError(instance.name, "models[0].compute", "no joules are told; give per_query_j")


def _without(limit: SideLimit, worth: Evaluation | None) -> str | None:
    """Why no share of what a base has can be asked."""
    if limit == "energy" and worth is not None and not worth.energy_j:
        return "takes no energy, so that there is no share of it to ask for"
    return None


def _lost(base: Evaluation | None, now: Evaluation | None) -> float | None:
    if base is None or now is None:
        return None
    return float(without_rounding(1 - now.objective / base.objective)) if base.objective else 0.0


def _limited(instance: OnloadingInstance, limit: SideLimit, share: float, worth: Evaluation) -> OnloadingInstance:
    """The instance with a limit; where it has a stricter one on the same, that one stays."""
    source = f"{instance.name}, {limit} {share:g}"
    if limit == "energy":
        asked = share * (worth.energy_j or 0.0)
        has = instance.energy_limit_j
        return with_limits(instance, energy_limit_j=asked if has is None else min(asked, has), source=source)
    if limit == "served":
        served = {task.name: max(share, task.least_served or 0.0) for task in instance.tasks}
        return with_limits(instance, least_served=served, source=source)
    most = most_accuracy(instance)
    accuracy = {task.name: max(share * most[task.name], task.least_accuracy or 0.0) for task in instance.tasks}
    return with_limits(instance, least_accuracy=accuracy, source=source)
