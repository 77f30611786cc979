"""A genetic algorithm."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from splitshare.parameters import check_within
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.construction import Held, complete
from splitshare.placement.feasible import HostingRules, OpenPlacement, cheapest_feasible
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.search import feasible_start
from splitshare.placement.small_instances import place_small_instances

Genes = tuple[str, ...]
"""The device of each module, in file order."""


@dataclass(frozen=True)
class Genetic:
    """A steady-state genetic algorithm: a child of two parents, repaired and improved, takes the place of the worst.

    Source: P. C. Chu, J. E. Beasley, *A Genetic Algorithm for the Generalised Assignment Problem*, Computers &
    Operations Research 24 (1997): parents by tournaments of two, crossover at one point, a mutation that exchanges the
    devices of two modules, a repair for memory, an improvement by moves, no two alike in the population. Ours: S2M3's
    greedy placement (at its dead end a feasible one) is in the first population, a child that cannot be repaired is
    dropped instead of kept with a penalty, and children are counted in hundreds, not in hundreds of thousands.
    """

    name: ClassVar[str] = "genetic"
    stochastic: ClassVar[bool] = True
    population: int = 40
    """Placements that are kept."""
    children: int = 600
    """Children that are made, those dropped included."""

    def __post_init__(self) -> None:
        check_within(2, population=self.population)
        check_within(0, children=self.children)

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        place_small_instances(Genetic(population=4, children=4))

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Assignment | None:
        """Place every module, or ``None`` if nothing feasible was found to start from.

        At the time limit the best placement so far is the answer.
        """
        started = time.perf_counter()
        start = S2M3Greedy().place(instance, seed=seed, time_limit=time_limit)
        if start is None:
            start = feasible_start(instance, time_limit)
        if start is None:
            return None
        held = Held(instance, start)
        modules = [module.name for module in instance.modules]
        draw = random.Random(seed)
        worth: dict[Genes, float] = {}
        for placed in self._beings(instance, start, worth, draw):
            if placed is not None:
                held.hold(placed)
                if worth:  # the first is the start as it is
                    held.improve_by_moves(draw.sample(modules, len(modules)))
                worth.setdefault(tuple(held.host.values()), held.objective_s)
            if len(worth) > self.population:
                # The newest of the worst goes, so that a child no better than its elders does not displace them.
                del worth[max(reversed(worth), key=lambda genes: worth[genes])]
            if time_limit is not None and time.perf_counter() - started >= time_limit:
                break
        best = min(worth, key=lambda genes: worth[genes])
        return {module.name: (device,) for module, device in zip(instance.modules, best, strict=True)}

    def _beings(
        self,
        instance: PlacementInstance,
        start: Assignment,
        worth: dict[Genes, float],
        draw: random.Random,
    ) -> Iterator[Assignment | None]:
        """The first population and then the children, as asked for; ``None`` where one is not viable."""
        yield start
        empty, devices = OpenPlacement(instance), HostingRules(instance).devices
        for _ in range(self.population - 1):
            wishes = tuple(draw.choice(devices[m.name]) for m in instance.modules)
            being = _repaired(instance, empty, wishes, draw)
            if being is None:
                cost = {(module, d): draw.random() for module, names in devices.items() for d in names}
                being = cheapest_feasible(instance, cost)
            yield being
        for _ in range(self.children):
            mother, father = _fitter_of_two(worth, draw), _fitter_of_two(worth, draw)
            point = draw.randrange(len(mother) + 1)
            child = list(mother[:point] + father[point:])
            a, b = draw.randrange(len(child)), draw.randrange(len(child))
            child[a], child[b] = child[b], child[a]
            yield _repaired(instance, empty, tuple(child), draw)


def _fitter_of_two(worth: dict[Genes, float], draw: random.Random) -> Genes:
    genes = list(worth)
    return min(draw.choice(genes), draw.choice(genes), key=lambda being: worth[being])


def _repaired(
    instance: PlacementInstance, empty: OpenPlacement, wishes: Genes, draw: random.Random
) -> Assignment | None:
    """Modules in random order, each where its gene says or, where it cannot stand there, anywhere it can."""
    wish = {module.name: device for module, device in zip(instance.modules, wishes, strict=True)}
    order = draw.sample(list(wish), len(wish))
    return complete(empty, order, lambda module, can: wish[module] if wish[module] in can else draw.choice(can))
