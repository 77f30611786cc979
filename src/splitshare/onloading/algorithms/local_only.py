"""Every query is answered at its own client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.contract import Answer
from splitshare.onloading.decide import ALONE
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.j3o import answer, warm_up


@dataclass(frozen=True)
class LocalOnly:
    """Queries are answered at their own client, or not at all; clients' models are J3O's for that alone (ours)."""

    name: ClassVar[str] = "local-only"

    def warm_up(self) -> None:
        """Compile the greedy."""
        warm_up()

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Choose models; ``seed`` is not used."""
        return answer(instance, ALONE, ("client",), batching=False, time_limit_s=time_limit)
