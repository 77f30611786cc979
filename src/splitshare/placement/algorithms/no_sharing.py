"""S2M3's greedy without sharing: what splitting alone gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.variants import Variant


@dataclass(frozen=True)
class NoSharing(S2M3Greedy):
    """The greedy on the instance where every request class has its own copy of each module."""

    name: ClassVar[str] = "no-sharing"
    variant: ClassVar[Variant] = "no-sharing"
