"""How little memory a device needs, and how few of one's devices hold all models: whole, split, and shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from splitshare.checkpoints.sharing import Shared
from splitshare.errors import WorkError
from splitshare.solvers.milp import solve_milp
from splitshare.solvers.program import Milp


@dataclass(frozen=True)
class Least:
    """What a device has to hold at least if it takes part in serving a model, memory for weights alone."""

    model: str
    whole_bytes: int
    split_bytes: int
    """Of the largest module."""
    module: str
    """Which that is."""


@dataclass(frozen=True)
class Held:
    """The smallest set of devices that holds everything in one arrangement."""

    arrangement: str
    bytes: int
    """Of all that is held."""
    devices: Mapping[str, tuple[str, ...]] | None
    """What each device of the set holds; ``None``: all devices together do not."""


def least_memory(shared: Sequence[Shared]) -> list[Least]:
    """For each model the least memory of a device, whole and split, in the order of models."""
    members = [member for each in shared for member in each.members]
    found = []
    for model in dict.fromkeys(member.model for member in members):
        own = [member for member in members if member.model == model]
        largest = max(own, key=lambda member: member.bytes)
        found.append(Least(model, sum(member.bytes for member in own), largest.bytes, largest.name))
    return found


def held(shared: Sequence[Shared], capacities: Mapping[str, float]) -> list[Held]:
    """The smallest sets of devices that hold all models whole, split, and split with modules shared.

    Exact: a bin packing with bins of different sizes, each proved by the solver.

    Args:
        shared: modules of all models.
        capacities: bytes for weights, by device.
    """
    members = [member for each in shared for member in each.members]
    split = [(f"{member.model}:{member.name}", member.bytes) for member in members]
    whole = [(least.model, least.whole_bytes) for least in least_memory(shared)]
    once = [("+".join(m.model for m in each.members) + f":{each.module.name}", each.module.bytes) for each in shared]
    return [
        Held(name, sum(size for _, size in items), fewest_devices(dict(items), capacities))
        for name, items in (("whole", whole), ("split", split), ("shared", once))
    ]


def fewest_devices(items: Mapping[str, float], capacities: Mapping[str, float]) -> dict[str, tuple[str, ...]] | None:
    """The fewest devices that hold all items, each item on one device; ``None``: they do not fit.

    Of sets of one size that with the least memory is taken, so that the answer is one.

    Args:
        items: bytes by name.
        capacities: bytes by device.

    Raises:
        WorkError: the solver ends without a proof.
    """
    if not items:
        return {}
    milp = Milp()
    total = sum(capacities.values())
    unit = max(capacities.values()) / 1000  # so that the solver's tolerance is next to nothing of any device
    devices = list(capacities)
    costs = {d: 1 + capacities[d] / total / (1 + len(devices)) for d in devices}
    used = {d: milp.add_column(cost=costs[d], upper=1, integer=True) for d in devices}
    put = {(i, d): milp.add_column(upper=1, integer=True) for i in items for d in devices if items[i] <= capacities[d]}
    for item in items:
        where = {put[item, d]: 1.0 for d in devices if (item, d) in put}
        if not where:
            return None
        milp.add_row(where, "=", 1.0)
    for d in devices:
        terms = {put[i, d]: items[i] / unit for i in items if (i, d) in put}
        milp.add_row(terms | {used[d]: -capacities[d] / unit}, "<=", 0.0)
    result = solve_milp(milp, solver="highs")
    if result.status == "infeasible":
        return None
    if result.status != "optimal" or result.values is None:
        raise WorkError(f"the smallest set of devices was not found: the solver ended with {result.status}")
    chosen = [(i, d) for (i, d), column in put.items() if result.values[column] > 0.5]
    found = {d: tuple(i for i, on in chosen if on == d) for d in devices if any(on == d for _, on in chosen)}
    for d, inside in found.items():
        if sum(items[i] for i in inside) > capacities[d]:
            raise WorkError(f"the solver's answer puts more on {d} than it holds; sizes differ by too many orders")
    return found
