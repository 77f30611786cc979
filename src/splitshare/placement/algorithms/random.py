"""A random feasible placement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from splitshare.parameters import check_within
from splitshare.placement.feasible import HostingRules, cheapest_feasible, if_feasible
from splitshare.placement.instance import Assignment, PlacementInstance


@dataclass(frozen=True)
class Random:
    """Uniform over the feasible placements with one device a module, by rejection: the baseline of no idea (ours).

    Modules are drawn independently, each from the devices where it can run at all, until the whole is feasible. Where
    none of ``draws`` is, feasible placements are rarer than about one in so many: the answer is then the feasible
    placement of least summed random cost, which is random but not uniform.
    """

    name: ClassVar[str] = "random"
    stochastic: ClassVar[bool] = True
    draws: int = 100_000

    def __post_init__(self) -> None:
        check_within(0, draws=self.draws)

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module; ``None`` where no placement is feasible, or none was found in time."""
        started = time.perf_counter()
        draw = np.random.default_rng(seed)
        rules = HostingRules(instance)
        for assignment in self._drawn(instance, rules, draw):
            # The evaluator has the last word on sums of memory that are equal but for rounding.
            if if_feasible(instance, assignment) is not None:
                return assignment
        left_s = None if time_limit is None else max(0.0, time_limit - (time.perf_counter() - started))
        cost = {(m, d): draw.random() for m, names in rules.devices.items() for d in names}
        return cheapest_feasible(instance, cost, left_s)

    def _drawn(
        self, instance: PlacementInstance, rules: HostingRules, draw: np.random.Generator
    ) -> Iterator[Assignment]:
        """Those of the draws that are feasible, in order."""
        if not all(rules.devices.values()):
            return
        names = [d.name for d in instance.devices]
        choices = [np.array([names.index(d) for d in rules.devices[m.name]]) for m in instance.modules]
        drawn, batch = 0, 32
        while drawn < self.draws:
            batch = min(2 * batch, 8192, self.draws - drawn)
            hosts = np.stack([draw.choice(c, size=batch) for c in choices], axis=1)
            for row in hosts[_feasible(hosts, instance, rules)]:
                yield {m.name: (names[i],) for m, i in zip(instance.modules, row, strict=True)}
            drawn += batch


def _feasible(hosts: npt.NDArray[np.int64], instance: PlacementInstance, rules: HostingRules) -> npt.NDArray[np.bool_]:
    """Which draws (rows of device numbers, a column a module) keep within memory and have their links."""
    linked = np.array([[rules.linked(a.name, b.name) for b in instance.devices] for a in instance.devices])
    number = {m.name: i for i, m in enumerate(instance.modules)}
    keeps = np.ones(len(hosts), dtype=bool)
    for i, device in enumerate(instance.devices):
        sizes = np.array([m.bytes_on(device.name) for m in instance.modules])
        keeps &= np.where(hosts == i, sizes, 0.0).sum(axis=1) <= device.memory_bytes * (1 + 1e-12)
    for module, partners in rules.partners.items():
        for partner in partners:
            keeps &= linked[hosts[:, number[module]], hosts[:, number[partner]]]
    return keeps
