"""Run a model over a benchmark in one arrangement: batched, and resumable by the files that the samples lie in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from splitshare.benchmarks.accuracy import AccuracyRow, Arrangement
from splitshare.benchmarks.arrangements import Answering
from splitshare.benchmarks.lock import LockEntry
from splitshare.benchmarks.metrics.intervals import mean_interval
from splitshare.benchmarks.samples import Sample, read_samples
from splitshare.benchmarks.scoring import Asking, Prediction, judged
from splitshare.catalog.benchmarks import BenchmarkSource
from splitshare.choices import Dtype
from splitshare.progress import track
from splitshare.records import Record, Seconds, Whole


class _Shard(Record):
    """Predictions for one file of samples."""

    identity: str
    """What they depend on: data, weights, arrangement, code."""
    answers: tuple[str, ...]
    top: tuple[tuple[Whole, ...], ...]
    load_s: Seconds
    model_s: Seconds


@dataclass(frozen=True)
class Answered:
    """All predictions of a model on a benchmark, and where the time went."""

    predictions: list[Prediction]
    load_s: float
    """Reading files, decoding, resizing, tokenising."""
    model_s: float

    @property
    def loading_share(self) -> float:
        """Share of the time that went into loading."""
        total = self.load_s + self.model_s
        return self.load_s / total if total else 0.0


def answer(
    asking: Asking,
    answering: Answering,
    entry: LockEntry,
    *,
    directory: Path,
    kept: Path,
    identity: str,
    batch: int,
) -> Answered:
    """Predictions for all samples of ``entry``, those of an earlier run taken up where they are of the same identity.

    Args:
        asking: how samples become requests.
        answering: the model in its arrangement.
        entry: what was fetched.
        directory: of all benchmarks.
        kept: directory of this run's predictions.
        identity: what predictions depend on.
        batch: samples at once; 1 where prompts differ in length.

    Raises:
        WorkError: a file of samples has changed.
    """
    shards = [
        _shard(asking, answering, entry, file, directory, kept / f"part-{file:05d}.json", identity, batch)
        for file in track(range(len(entry.files)), f"{asking.model.name} on {entry.selection.benchmark}")
    ]
    return Answered(
        [Prediction(a, t) for shard in shards for a, t in zip(shard.answers, shard.top, strict=True)],
        sum(shard.load_s for shard in shards),
        sum(shard.model_s for shard in shards),
    )


def _shard(
    asking: Asking,
    answering: Answering,
    entry: LockEntry,
    file: int,
    directory: Path,
    path: Path,
    identity: str,
    batch: int,
) -> _Shard:
    if path.is_file():
        shard = _Shard.read(path)
        if shard.identity == identity:
            return shard
    load_s = model_s = 0.0
    predictions: list[Prediction] = []
    start = time.perf_counter()
    samples = read_samples(entry, directory, file)
    size = 1 if asking.one_by_one else batch
    for first in range(0, len(samples), size):
        inputs = asking.inputs(samples[first : first + size])
        loaded = time.perf_counter()
        predictions += asking.predictions(answering, inputs)
        answered = time.perf_counter()
        load_s, model_s, start = load_s + loaded - start, model_s + answered - loaded, answered
    shard = _Shard(
        identity=identity,
        answers=tuple(p.answer for p in predictions),
        top=tuple(p.top for p in predictions),
        load_s=load_s,
        model_s=model_s,
    )
    shard.write(path)
    return shard


def _differing(answered: Answered, reference: Answered) -> int:
    return sum(a.answer != r.answer for a, r in zip(answered.predictions, reference.predictions, strict=True))


def all_samples(entry: LockEntry, directory: Path) -> list[Sample]:
    """What is right for all samples, pictures and sounds left out."""
    return [
        Sample(label=s.label, question=s.question, answers=s.answers, captions=s.captions)
        for file in range(len(entry.files))
        for s in read_samples(entry, directory, file)
    ]


def accuracy_rows(
    asking: Asking,
    arrangement: Arrangement,
    answered: Answered,
    whole: Answered,
    samples: Sequence[Sample],
    *,
    source: BenchmarkSource,
    provenance: dict[str, str],
    beside: tuple[Dtype, Answered] | None = None,
) -> list[AccuracyRow]:
    """A row for each metric of the benchmark, the predictions held against the whole model's one by one.

    Args:
        asking: what was asked.
        arrangement: how the model was arranged.
        answered: its predictions.
        whole: those of the model in one piece, in the same precision.
        samples: what is right.
        source: the benchmark.
        provenance: where the numbers come from.
        beside: the precision, where it is not the catalogue's, and what the same arrangement answers in that.
    """
    differing = _differing(answered, whole)
    rows = []
    for name, scores in judged(samples, answered.predictions, source.metric).items():
        interval = mean_interval(scores, shares=name != "cider")
        rows.append(
            AccuracyRow(
                benchmark=source.name,
                source="hub",
                task=asking.model.task,
                model=asking.model.name,
                arrangement=arrangement,
                metric=name,
                value=interval.estimate,
                ci_low=interval.low,
                ci_high=interval.high,
                samples=len(scores),
                differing_predictions=differing,
                precision=None if beside is None else beside[0],
                differing_from_own_precision=None if beside is None else _differing(answered, beside[1]),
                provenance=provenance
                | {
                    "load_s": f"{answered.load_s:.6g}",
                    "model_s": f"{answered.model_s:.6g}",
                    "loading_share": f"{answered.loading_share:.4g}",
                },
            )
        )
    return rows
