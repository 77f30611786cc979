"""What judging will take, before it starts: pairs of model and benchmark, samples, and seconds where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from splitshare.benchmarks.accuracy import ARRANGEMENTS
from splitshare.benchmarks.lock import LockEntry
from splitshare.catalog.records import Model
from splitshare.profiling.records import ModuleProfile

REFERENCE_PROFILES = {"cpu": "amd-epyc-2-threads", "cuda": "nvidia-h100-80gb-hbm3"}
"""Committed profiles by the kind of device that is judged on: this machine's own times are not known before."""


@dataclass(frozen=True)
class Pair:
    """A model and a benchmark that it is judged on."""

    model: Model
    entry: LockEntry
    times: int
    """How often each sample is asked: once for each arrangement and precision."""

    @property
    def answers(self) -> int:
        """Answers that are wanted."""
        return self.entry.rows * self.times


def times_asked(precisions: Sequence[str]) -> int:
    """How often each sample is asked, with ``precisions`` beside the models' own."""
    return len(ARRANGEMENTS) * (1 + len(precisions))


def sample_s(model: Model, profile: ModuleProfile) -> float | None:
    """Seconds that the model computes for a sample at a profile's largest measured batches, module by module.

    A text tower of class prompts is left out, since prompts are embedded once. ``None``: a module is not profiled.
    """
    total = 0.0
    asked = [e.module for e in model.encoders if e.items != "classes"]
    for module in (*asked, model.head.module):
        known = {r.batch: r.compute_median_s for r in profile.at_precision(None) if r.module == module}
        measured = [seconds / batch for batch, seconds in sorted(known.items()) if seconds is not None]
        if not measured:
            return None
        total += measured[-1]
    return total


def bar_weights(pairs: Sequence[Pair], profile: ModuleProfile | None) -> list[float]:
    """What each pair weighs on a progress bar: seconds, for models of unknown time those of the slowest known one.

    Args:
        pairs: what is judged.
        profile: whose times are taken; ``None``: answers are counted.
    """
    seconds = [None if profile is None else sample_s(pair.model, profile) for pair in pairs]
    slowest = max((s for s in seconds if s is not None), default=1.0)
    return [(slowest if s is None else s) * pair.answers for s, pair in zip(seconds, pairs, strict=True)]


def plan(pairs: Sequence[Pair], profile: ModuleProfile | None) -> str:
    """One line of what will be done.

    Args:
        pairs: what is judged.
        profile: whose times are taken; ``None``: none is said.
    """
    models, names = {p.model.name for p in pairs}, {p.entry.selection.benchmark for p in pairs}
    answers = sum(p.answers for p in pairs)
    what = f"{_counted(len(models), 'model')} on {_counted(len(names), 'benchmark')}: {_counted(answers, 'answer')}"
    known = [p for p in pairs if profile is not None and sample_s(p.model, profile) is not None]
    if profile is not None and known:
        took = duration(sum(bar_weights(known, profile)))
        what += f", {took} of computing on {profile.device.name}, whose times are known (pictures are decoded besides)"
        if unknown := sorted(models - {p.model.name for p in known}):
            what += f", and that of {', '.join(unknown)}, not known there"
    return f"{what}; what was answered before is taken up"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
