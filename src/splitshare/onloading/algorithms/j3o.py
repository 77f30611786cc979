"""J3O without batching: the alternation over models that run queries one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from splitshare.onloading.alternation import AlternationSettings
from splitshare.onloading.contract import Answer
from splitshare.onloading.instance import PLACES, OnloadingInstance
from splitshare.onloading.j3o import answer, warm_up

DEFAULT = AlternationSettings()


@dataclass(frozen=True)
class J3O:
    """J3O in our reading (``splitshare.onloading.alternation``); every batch has one query."""

    name: ClassVar[str] = "j3o"
    rounds: int = DEFAULT.rounds
    patience: int = DEFAULT.patience
    step: float = DEFAULT.step
    passes: int = DEFAULT.passes
    trials: int = DEFAULT.trials
    share: float = DEFAULT.share
    gap: float = DEFAULT.gap
    compare: bool = DEFAULT.compare
    prices: bool = DEFAULT.prices

    def __post_init__(self) -> None:
        AlternationSettings(**vars(self))  # refuses what is out of its range

    def warm_up(self) -> None:
        """Compile the greedy."""
        warm_up()

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Answer:
        """Choose models; ``seed`` is not used."""
        return answer(instance, AlternationSettings(**vars(self)), PLACES, batching=False, time_limit_s=time_limit)
