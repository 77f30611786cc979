"""``splitshare accuracy``: judge models on the benchmarks that were fetched, whole, split and shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from splitshare.benchmarks.accuracy import ARRANGEMENTS, AccuracyRecord, AccuracyRow, Arrangement, merge
from splitshare.benchmarks.arrangements import Answering, Arranger, SplitAnswering
from splitshare.benchmarks.evaluate import Answered, accuracy_rows, all_samples, answer
from splitshare.benchmarks.judge import Asking
from splitshare.benchmarks.lock import LockEntry, Selection, read_lock
from splitshare.benchmarks.prompts import class_embeddings
from splitshare.benchmarks.weights import Kind, Weights
from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.records import Model
from splitshare.code_digest import code_digest
from splitshare.commands.benchmarks import LOCK
from splitshare.errors import InputError, SplitshareError, WorkError
from splitshare.results.provenance import provenance

CODE = (
    "splitshare.benchmarks.judge",
    "splitshare.benchmarks.arrangements",
    "splitshare.benchmarks.preprocess",
)
"""What predictions depend on, with all that it imports."""


@dataclass(frozen=True)
class Settings:
    """How to judge."""

    benchmarks: Path
    """Directory that ``splitshare benchmarks`` has written."""
    work: Path
    """Directory of predictions and prompt embeddings, taken up by a later run."""
    weights: Kind = "hub"
    heads: Path | None = None
    tokenizers: Path | None = None
    samples: int | None = None
    """Which selection of samples: as many, drawn by ``seed``; None for whole splits."""
    seed: int = 0
    batch: int = 32
    threads: int | None = None
    locks: tuple[Path, ...] = ()
    """Lock files; by default the one in ``benchmarks``."""
    keep_going: bool = False
    """Whether what could not be done is no failure, as long as there is something."""

    def find(self, selection: Selection) -> LockEntry | None:
        """What was fetched of ``selection``."""
        files = self.locks or (self.benchmarks / LOCK,)
        return next((entry for path in files if (entry := read_lock(path).find(selection))), None)


def run(
    *,
    catalog_root: Path,
    output: Path,
    settings: Settings,
    models: Sequence[str] | None,
    benchmarks: Sequence[str] | None,
    tell: Callable[[str], None],
) -> Iterator[AccuracyRow]:
    """Judge models on benchmarks and write ``splitshare.accuracy/1``; rows of an earlier run are kept or replaced.

    Args:
        catalog_root: the data folder.
        output: the record.
        settings: how.
        models: names; by default all.
        benchmarks: names; by default those that were fetched.
        tell: is given a line for each pair that could not be judged.

    Yields:
        Rows, as soon as they are measured.

    Raises:
        InputError: the catalogue is wrong, or a name unknown.
        WorkError: at the end, if a pair could not be judged (unless it is to keep going), or none was.
    """
    catalog = load_catalog(catalog_root)
    sources = load_benchmarks(catalog_root, catalog.benchmarks)
    for name in benchmarks or []:
        if name not in sources:
            raise InputError(paths.benchmarks_file(catalog_root), "", f"no benchmark {name!r}")
    if settings.threads:
        torch.set_num_threads(settings.threads)
    chosen = [catalog.model(name) for name in models] if models else list(catalog.models.values())
    weights = Weights(catalog, settings.weights, settings.seed, settings.heads, settings.tokenizers)
    arranger = Arranger(catalog, weights)
    judged = 0
    failed: list[str] = []
    for model in chosen:
        for name in model.benchmarks:
            if benchmarks and name not in benchmarks:
                continue
            entry = _entry(sources[name], settings)
            if entry is None and not benchmarks:
                continue
            try:
                if entry is None:
                    raise WorkError("is not fetched in this selection; run `splitshare benchmarks` first")
                rows = list(_judge(catalog, arranger, model, sources[name], entry, settings))
            except SplitshareError as error:
                failed.append(f"{model.name} on {name}")
                tell(f"{model.name} on {name}: {error}")
                continue
            judged += 1
            earlier = [AccuracyRecord.read(output)] if output.is_file() else []
            merge([*earlier, AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(rows))]).write(output)
            yield from rows
    if failed and not (settings.keep_going and output.is_file()):
        raise WorkError(f"{len(failed)} of {len(failed) + judged} not judged: {', '.join(failed)}")
    if not judged and not output.is_file():
        raise WorkError("nothing to judge: none of these benchmarks is fetched in this selection")


def _entry(source: BenchmarkSource, settings: Settings) -> LockEntry | None:
    wanted = Selection(
        benchmark=source.name, part="test", source=source.test, samples=settings.samples, seed=settings.seed
    )
    return settings.find(wanted)


def _judge(
    catalog: Catalog, arranger: Arranger, model: Model, source: BenchmarkSource, entry: LockEntry, settings: Settings
) -> Iterator[AccuracyRow]:
    weights = arranger.weights
    names = [ref.module for ref in model.modules().values()]
    told = provenance() | {
        "weights": weights.identity(names),
        "dataset": f"{source.test.dataset}@{source.test.revision}",
        "data_sha256": entry.content_sha256,
        "selection": str(entry.selection.directory),
    }
    samples = all_samples(entry, settings.benchmarks)
    whole: Answered | None = None
    for arrangement in ARRANGEMENTS:
        answering = arranger.arrange(model, arrangement)
        asking = _asking(catalog, weights, model, source, entry, answering, settings)
        answered = answer(
            asking,
            answering,
            entry,
            directory=settings.benchmarks,
            kept=settings.work / "predictions" / source.name / model.name / arrangement,
            identity=_identity(arrangement, told, settings),
            batch=settings.batch,
        )
        whole = whole or answered
        yield from accuracy_rows(
            asking,
            arrangement,
            answered,
            whole,
            samples,
            benchmark=source.name,
            metric=source.metric,
            provenance=told,
        )


def _asking(
    catalog: Catalog,
    weights: Weights,
    model: Model,
    source: BenchmarkSource,
    entry: LockEntry,
    answering: Answering,
    settings: Settings,
) -> Asking:
    text = next((e for e in model.encoders if e.role == "text"), None)
    head = model.head
    if catalog.architectures[head.architecture].kind == "decoder":
        return Asking(catalog, model, words=weights.words(head.weights))
    if text is None:
        return Asking(catalog, model)
    words = weights.words(text.weights)
    if text.items != "classes":
        return Asking(catalog, model, words=words, answers=weights.fitted(head.module).answers)
    if not source.templates:
        raise WorkError(f"{source.name} has no templates for its class prompts; write them into benchmarks.yaml")
    path = "modules" if isinstance(answering, SplitAnswering) else "whole"
    prompts = class_embeddings(
        entry.class_names,
        source.templates,
        words=words,
        context=int(str(catalog.architectures[text.architecture].params["context"])),
        embed=answering.embed_text,
        identity=f"{path} {text.module} {weights.identity([text.module])}",
        cache=settings.work / "prompts",
    )
    return Asking(catalog, model, prompts=prompts)


def _identity(arrangement: Arrangement, told: dict[str, str], settings: Settings) -> str:
    what = [told[key] for key in ("weights", "dataset", "data_sha256")]
    return "; ".join([arrangement, *what, f"batch {settings.batch}", code_digest(*CODE), torch.__version__])
