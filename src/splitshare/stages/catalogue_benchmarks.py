"""Which of the program's benchmarks fit models of one's own, and their entries in a catalogue of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, SplitSource, load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.published_accuracy import ClassNamesFile
from splitshare.catalog.records import Benchmark
from splitshare.checkpoints.observing import Seen
from splitshare.checkpoints.processing import PROCESSOR_FILES, TOKENIZER_FILES
from splitshare.errors import InputError
from splitshare.records import nearest

Benchmarks = Mapping[str, tuple[Benchmark, BenchmarkSource]]
"""By name: as a catalogue has them, and where their data come from."""


def chosen(names: Sequence[str], root: Path) -> Benchmarks:
    """Benchmarks by name.

    Raises:
        InputError: there is no such benchmark.
    """
    if not names:
        return {}
    catalog = load_catalog(root)
    sources = load_benchmarks(root, catalog.benchmarks)
    for name in names:
        if name not in sources:
            told = f"no benchmark {name!r}; {nearest(name, list(sources))}"
            raise InputError(paths.benchmarks_file(root), "benchmarks", told)
    return {name: (catalog.benchmarks[name], sources[name]) for name in dict.fromkeys(names)}


def fitting(seen: Seen, task: str, decodes: bool, benchmarks: Benchmarks) -> tuple[tuple[Benchmark, ...], list[str]]:
    """Benchmarks that a model can be judged on, and lines on those of its task that it cannot.

    Args:
        seen: the model that was asked.
        task: the model's.
        decodes: whether it answers in words.
        benchmarks: that were asked for.
    """
    found, notes = [], []
    for name, (benchmark, source) in benchmarks.items():
        if benchmark.task != task:
            continue
        why = _misfit(seen, decodes, source)
        if why:
            notes.append(f"{seen.found.checkpoint.name} is not judged on {name}: {why}")
        else:
            found.append(benchmark)
    return tuple(found), notes


def _misfit(seen: Seen, decodes: bool, source: BenchmarkSource) -> str:
    """Why a benchmark does not fit; empty: it does."""
    roles = {encoder.role for encoder in seen.encoders}
    checkpoint = seen.found.checkpoint
    text = "text" in roles or decodes
    reasons = {
        "only pictures are judged of one's own models": roles - {"text"} != {"vision"},
        "how it wants a question to be put is not known": source.metric == "vqa-accuracy"
        or (decodes and not checkpoint.config.is_encoder_decoder),
        "it answers otherwise than the benchmark is judged by": (source.metric == "cider") != decodes,
        "the benchmark has no templates for class prompts": "text" in roles and not source.templates,
        f"it has no {PROCESSOR_FILES[0]}, which says how pictures are prepared": not any(
            (checkpoint.folder / name).is_file() for name in PROCESSOR_FILES
        ),
        f"it has no {TOKENIZER_FILES[0]}, which says how texts become tokens": text
        and not (checkpoint.folder / TOKENIZER_FILES[0]).is_file(),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def files(benchmarks: Benchmarks, root: Path) -> dict[str, Any]:
    """Plain data of ``benchmarks.yaml`` and ``class_names.yaml``; empty without benchmarks."""
    if not benchmarks:
        return {}
    names = ClassNamesFile.read(paths.class_names_file(root))
    kept = {name: value for name, value in names.benchmarks.items() if name in benchmarks}
    class_names = names.model_copy(update={"benchmarks": kept})
    return {
        "benchmarks": {
            "schema": "splitshare.benchmarks/1",
            "benchmarks": [_source(source) for _, source in benchmarks.values()],
        },
        "class_names": class_names.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


def _source(source: BenchmarkSource) -> dict[str, Any]:
    """A source whose splits have their revision, known or not, since that has to be written."""
    said: dict[str, Any] = source.model_dump(mode="json", exclude_defaults=True)
    for part in ("test", "train"):
        split: SplitSource | None = getattr(source, part)
        if split is not None:
            said[part]["revision"] = split.revision
    return said
