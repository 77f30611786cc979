"""Run a model over a benchmark in one arrangement: batched, and resumable by the files that the samples lie in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from splitshare.benchmarks.accuracy import AccuracyRow, Arrangement
from splitshare.benchmarks.answering import Answering
from splitshare.benchmarks.embeddings import KeptEmbeddings
from splitshare.benchmarks.lock import LockEntry
from splitshare.benchmarks.metrics.intervals import mean_interval
from splitshare.benchmarks.samples import Sample, read_samples
from splitshare.benchmarks.scoring import Asking, Prediction, judged
from splitshare.catalog.benchmarks import BenchmarkSource
from splitshare.choices import Dtype
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


@dataclass(frozen=True)
class Run:
    """One model in one arrangement on one benchmark."""

    asking: Asking
    """How samples become requests."""
    answering: Answering
    """The model in its arrangement."""
    entry: LockEntry
    """What was fetched."""
    directory: Path
    """Of all benchmarks."""
    kept: Path
    """Directory of this run's predictions."""
    identity: str
    """What predictions depend on."""
    batch: int
    """Samples at once."""
    embeddings: KeptEmbeddings
    """Of the towers that models share."""


def answer(run: Run, advance: Callable[[int], None]) -> Answered:
    """Predictions for all samples, those of an earlier run taken up where they are of the same identity.

    Args:
        run: what answers what.
        advance: is told how many samples more are done, those of an earlier run among them.

    Raises:
        WorkError: a file of samples has changed.
    """
    shards = [_shard(run, file, advance) for file in range(len(run.entry.files))]
    return Answered(
        [Prediction(a, t) for shard in shards for a, t in zip(shard.answers, shard.top, strict=True)],
        sum(shard.load_s for shard in shards),
        sum(shard.model_s for shard in shards),
    )


def _shard(run: Run, file: int, advance: Callable[[int], None]) -> _Shard:
    path = run.kept / f"part-{file:05d}.json"
    if path.is_file():
        shard = _Shard.read(path)
        if shard.identity == run.identity:
            advance(len(shard.answers))
            return shard
    watch = _Watch()
    predictions: list[Prediction] = []
    samples = read_samples(run.entry, run.directory, file)
    embedded = _embedded(run, file, samples, watch)
    others = {e.role for e in run.asking.model.encoders} - set(embedded)
    for first in range(0, len(samples), run.batch):
        batch = slice(first, first + run.batch)
        inputs = run.asking.inputs(samples[batch], others) | {role: rows[batch] for role, rows in embedded.items()}
        watch.loaded()
        predictions += run.asking.predictions(run.answering, inputs)
        watch.answered()
        advance(len(samples[batch]))
    shard = _Shard(
        identity=run.identity,
        answers=tuple(p.answer for p in predictions),
        top=tuple(p.top for p in predictions),
        load_s=watch.load_s,
        model_s=watch.model_s,
    )
    shard.write(path)
    return shard


def _embedded(run: Run, file: int, samples: Sequence[Sample], watch: _Watch) -> dict[str, Tensor]:
    """Embeddings of the file by the towers that keep theirs, by role."""

    def computed(role: str) -> Tensor:
        rows = []
        for first in range(0, len(samples), run.batch):
            tensor = run.asking.inputs(samples[first : first + run.batch], {role})[role]
            watch.loaded()
            with torch.inference_mode():
                rows.append(run.answering.embed(role, tensor))
            watch.answered()
        return torch.cat(rows)

    asked = run.asking.inputs(samples[:1]) if run.answering.kept_roles else {}
    return {
        encoder.role: run.embeddings.rows(encoder.module, run.entry, file, partial(computed, encoder.role))
        for encoder in run.asking.model.encoders
        if encoder.role in run.answering.kept_roles and encoder.role in asked
    }


class _Watch:
    """Where the time goes: loading and answering, in turns."""

    def __init__(self) -> None:
        self.load_s = self.model_s = 0.0
        self._last_s = time.perf_counter()

    def loaded(self) -> None:
        self.load_s += self._lap_s()

    def answered(self) -> None:
        self.model_s += self._lap_s()

    def _lap_s(self) -> float:
        now_s = time.perf_counter()
        lap_s, self._last_s = now_s - self._last_s, now_s
        return lap_s


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
