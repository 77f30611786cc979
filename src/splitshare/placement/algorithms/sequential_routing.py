"""S2M3's greedy without parallel routing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.variants import Variant


@dataclass(frozen=True)
class SequentialRouting(S2M3Greedy):
    """The greedy on the instance where a request's encoders run one after another."""

    name: ClassVar[str] = "sequential-routing"
    variant: ClassVar[Variant] = "sequential-routing"
