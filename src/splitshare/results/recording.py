"""Solving instances by several methods, for a record: what is the same for all problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from splitshare.methods import Method
from splitshare.plugins import Finder
from splitshare.progress import track
from splitshare.records import Instance
from splitshare.solvers.adapter import SizeLimitError

STOCHASTIC_SEEDS = tuple(range(10))
"""Seeds that a method is run with whose answers depend on them."""
FEW_SEEDS = STOCHASTIC_SEEDS[:3]
"""The same where runs are long."""

Kind = TypeVar("Kind", bound=Instance)


@dataclass(frozen=True)
class RecordedRun(Generic[Kind]):
    """One run of a record."""

    method: str
    instance: Kind
    seed: int
    answer: Any
    """``None`` where a solver's licence refused the instance for its size."""


def seeds_of(stochastic: object, seeds: tuple[int, ...] = STOCHASTIC_SEEDS) -> tuple[int, ...]:
    """The seeds of a method that says, by ``stochastic``, whether its answers depend on them."""
    return seeds if stochastic else (0,)


def recorded_runs(
    methods: Sequence[str],
    instances: Sequence[Kind],
    *,
    finder: Finder[Any],
    solve: Callable[..., Any],
    time_limit_s: float,
    done: Collection[tuple[str, str, int]] = (),
    seeds: tuple[int, ...] = STOCHASTIC_SEEDS,
    shown: bool = True,
) -> Iterator[RecordedRun[Kind]]:
    """Solve every instance by every method, with several seeds where the method is stochastic.

    Args:
        methods: labels of methods.
        instances: what is solved.
        finder: where algorithms are found.
        solve: the problem's ``run.solve``.
        time_limit_s: seconds for a run.
        done: instance, method and seed of runs that are left out.
        seeds: of a stochastic method.
        shown: whether each method has a progress bar.

    Raises:
        InputError: there is no such method.
        WorkError: an answer does not hold.
    """
    for method in map(Method.parse, methods):
        label, algorithm = method.label, method.load(finder)
        for seed in seeds_of(getattr(algorithm, "stochastic", False), seeds):
            for instance in track(instances, f"recording {label}") if shown else instances:
                if (instance.name, label, seed) in done:
                    continue
                try:
                    answer = solve(instance, algorithm, seed=seed, time_limit_s=time_limit_s)
                except SizeLimitError:
                    answer = None
                yield RecordedRun(label, instance, seed, answer)
