"""J3O decomposed: each server and its clients by themselves, at a price of the cloud's computing."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import ClassVar

from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import Answer
from splitshare.onloading.decomposed.decompose import DecompositionSettings, decompose
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.j3o import tiny
from splitshare.onloading.objective import Hosts, onloading_of

DEFAULT = DecompositionSettings()


@dataclass(frozen=True)
class J3ODecomposed:
    """Ours, after J3O (``splitshare.onloading.decomposed.decompose``); models and their batch sizes."""

    name: ClassVar[str] = "j3o-decomposed"
    steps: int = DEFAULT.steps
    first: int = DEFAULT.first
    turns: int = DEFAULT.turns
    stall: float = DEFAULT.stall
    rounds: int = DEFAULT.rounds
    trials: int = DEFAULT.trials
    sweeps: int = DEFAULT.sweeps
    small: int = DEFAULT.small
    threads: int = DEFAULT.threads

    def __post_init__(self) -> None:
        DecompositionSettings(**vars(self))  # refuses what is out of its range

    def warm_up(self) -> None:
        """Compile what is compiled, or load it from the cache on disk."""
        for small in (0, DEFAULT.small):  # the ways of large instances and of small ones
            replace(self, small=small).onload(tiny(), seed=0, time_limit=None)

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Choose models and batch sizes; ``seed`` is not used.

        Raises:
            WorkError: side constraints or servers above servers couple the servers.
        """
        started = time.perf_counter()
        arrays = arrays_of(instance)
        built_s = time.perf_counter() - started
        until = math.inf if time_limit is None else started + time_limit
        found = decompose(arrays, DecompositionSettings(**vars(self)), until=until)
        clients = len(instance.clients)
        return Answer(
            onloading_of(instance, Hosts(found.held[:clients] >= 0, found.held[clients:])),
            bound=found.bound,
            iterations=found.rounds,
            build_s=built_s,
        )
