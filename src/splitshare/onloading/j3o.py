"""J3O as algorithms answer with it, and its compilation before anything is timed."""

from __future__ import annotations

import math
import time
from functools import cache

import numpy as np

from splitshare.onloading.alternation import AlternationSettings
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.columns import limits_of
from splitshare.onloading.contract import Answer
from splitshare.onloading.decide import decide
from splitshare.onloading.exchange import exchanged
from splitshare.onloading.greedy import knapsacks_of
from splitshare.onloading.instance import (
    PLACES,
    Batch,
    Client,
    Cloud,
    Compute,
    Model,
    OnloadingInstance,
    Place,
    Server,
    Task,
)
from splitshare.onloading.lagrangian import values_at
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.objective import onloading_of
from splitshare.onloading.simple import densest, nothing, rounded


def answer(
    instance: OnloadingInstance,
    settings: AlternationSettings,
    places: tuple[Place, ...],
    *,
    batching: bool,
    time_limit_s: float | None,
) -> Answer:
    """J3O's answer for an instance.

    Args:
        instance: the instance.
        settings: how the alternation runs.
        places: where queries may be answered.
        batching: whether batch sizes are chosen; if not, all are one.
        time_limit_s: seconds to keep to.
    """
    started = time.perf_counter()
    arrays = arrays_of(instance, batching=batching)
    program = OffloadingLp(arrays, places)
    built_s = time.perf_counter() - started
    until = math.inf if time_limit_s is None else started + time_limit_s
    decided = decide(program, settings, until=until)
    # Without batching, or with fewer places, the bound speaks of a smaller problem than the instance's.
    whole = places == PLACES and (batching or len(instance.batches) == 1)
    return Answer(
        onloading_of(instance, decided.hosts),
        places=places,
        bound=decided.bound if whole else None,
        iterations=len(decided.rounds),
        build_s=built_s,
    )


@cache
def warm_up() -> None:
    """Compile the greedy (or load it from the cache on disk) on an instance of one client, so that no timing has it.

    Libraries that solve the linear relaxation are loaded by the way.
    """
    instance = tiny()
    answer(instance, AlternationSettings(rounds=2), PLACES, batching=True, time_limit_s=None)
    arrays = arrays_of(instance)
    limits = limits_of(arrays)
    densest(arrays)
    exchanged(values_at(arrays, limits, np.zeros(len(limits.bound))), knapsacks_of(arrays), nothing(arrays))
    rounded(arrays)


def tiny() -> OnloadingInstance:
    """An instance of one client, to compile on."""
    task = Task(name="t", query_bytes=1.0, latency_limit_s=10.0)
    compute = {"any": Compute(start_s=0.1, per_query_s=0.1)}
    return OnloadingInstance(
        schema_="splitshare.onloading-instance/1",
        name="warm-up",
        batches=(Batch(size=1, wait_s=0.0), Batch(size=2, wait_s=1.0)),
        tasks=(task,),
        models=tuple(
            Model(name=name, memory_bytes=1.0, accuracy={"t": share}, compute=compute)
            for name, share in (("a", 0.5), ("b", 0.6))
        ),
        cloud=Cloud(device="any", compute_limit=0.1),
        servers=(
            Server(
                name="s",
                device="any",
                memory_bytes=1.0,
                compute_limit=1.0,
                backhaul_bytes_per_s=1.0,
                backhaul_latency_s=0.0,
            ),
        ),
        clients=(
            Client(
                name="c",
                server="s",
                device="any",
                memory_bytes=1.0,
                compute_limit=1.0,
                uplink_bytes_per_s=1.0,
                uplink_latency_s=0.0,
                demand_per_s={"t": 9.0},
            ),
        ),
    )
