"""Small instances that lead through all that algorithms compile: placing them compiles it (ours)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.instance_families import Rules, drawn_by

if TYPE_CHECKING:
    from splitshare.placement.contract import PlacementAlgorithm

SMALL = (
    Rules(devices=(2, 3), encoders=(2, 3), heads=(1, 2), requests=(3, 3)),
    Rules(devices=(3, 3), encoders=(4, 5), heads=(2, 3), requests=(4, 6), slack=0.02),
    Rules(devices=(2, 2), encoders=(2, 2), heads=(1, 1), requests=(2, 2), objective="max"),
    Rules(devices=(2, 3), encoders=(2, 2), heads=(1, 1), requests=(3, 3), slack=1.5, replication=True),
)
"""With room and without, of either objective, with replicas: they lead through all that is compiled."""
SEEDS = range(2)


@cache
def place_small_instances(algorithm: PlacementAlgorithm) -> None:
    """Let ``algorithm`` answer small instances, once in a process, so that no timing has its compilation.

    Compiled code lies in a cache on disk from then on; without that, it takes up to a minute.

    Args:
        algorithm: with settings by which it ends soon; hashable.
    """
    for instance in small_instances():
        algorithm.place(instance, seed=0, time_limit=None)


@cache
def small_instances() -> tuple[PlacementInstance, ...]:
    """The instances, of all of ``SMALL`` and ``SEEDS``."""
    return tuple(drawn_by(rules, f"small-{i}", seed) for i, rules in enumerate(SMALL) for seed in SEEDS)
