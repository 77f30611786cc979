"""Judge models on the fetched benchmarks, whole, split and shared; writes the record OUTPUT."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
import typer

from splitshare.benchmarks.accuracy import (
    ARRANGEMENTS,
    AccuracyRecord,
    AccuracyRow,
    Arrangement,
    beside_own_precision,
    merge,
)
from splitshare.benchmarks.answering import Answering
from splitshare.benchmarks.arrangements import Arranger, OnFirstUse
from splitshare.benchmarks.embeddings import KeptEmbeddings, place
from splitshare.benchmarks.evaluate import Answered, Run, accuracy_rows, all_samples, answer
from splitshare.benchmarks.lock import LockEntry, Selection, read_lock
from splitshare.benchmarks.own_models import OwnModel, class_rows
from splitshare.benchmarks.plan import REFERENCE_PROFILES, Pair, bar_weights, plan, times_asked
from splitshare.benchmarks.prompts import class_embeddings
from splitshare.benchmarks.scoring import Asking, context_of
from splitshare.benchmarks.weights import Weights as LoadedWeights
from splitshare.catalog import paths
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.published_accuracy import ClassNamesFile
from splitshare.catalog.records import Model
from splitshare.choices import Dtype
from splitshare.code_digest import code_digest
from splitshare.commands.accuracy import JudgingOptions, Options
from splitshare.commands.arguments import tell_of_failure
from splitshare.errors import InputError, SplitshareError, WorkError
from splitshare.files import canonical_json, sha256_bytes
from splitshare.modules.hub_pins import Pins
from splitshare.modules.torch_device import described, torch_device
from splitshare.places import PROFILES
from splitshare.profiling.records import ModuleProfile
from splitshare.progress import Advance, steps
from splitshare.results.provenance import provenance
from splitshare.stages.benchmarks import LOCK

_log = logging.getLogger(__name__)

CODE = (
    "splitshare.benchmarks.scoring",
    "splitshare.benchmarks.arrangements",
    "splitshare.benchmarks.preprocess",
)
"""What predictions depend on, with all that it imports."""


def run(options: Options, echo: Callable[[str], None] = tell_of_failure) -> Iterator[AccuracyRow]:
    """Judge models on benchmarks and write ``splitshare.accuracy/1``; rows of an earlier run are kept or replaced.

    Args:
        options: what and how.
        echo: is given a line for each pair that could not be judged.

    Yields:
        Rows, as soon as they are measured.

    Raises:
        InputError: the catalogue is wrong, or a name unknown.
        WorkError: at the end, if a pair could not be judged (unless it is to keep going), or none was.
    """
    catalog = load_catalog(options.catalog_root)
    sources = load_benchmarks(options.catalog_root, catalog.benchmarks)
    for name in options.benchmarks or []:
        if name not in sources:
            raise InputError(paths.benchmarks_file(options.catalog_root), "", f"no benchmark {name!r}")
    if options.threads:
        torch.set_num_threads(options.threads)
    chosen = [catalog.model(name) for name in options.models] if options.models else list(catalog.models.values())
    pins = Pins(options.pins)
    weights = LoadedWeights(catalog, options.weights, options.seed, options.heads, pins, options.tokenizers)
    device = chosen_device(options)
    arranger = Arranger(catalog, weights, device)
    precise = [Arranger(catalog, weights, device, p) for p in cast("list[Dtype]", options.precisions)]
    pairs = [
        (model, name, entry)
        for model in chosen
        for name in model.benchmarks
        if name in sources  # a catalogue may name one that has no data, and stands for requests only
        if not options.benchmarks or name in options.benchmarks
        if (entry := _entry(sources[name], options)) or options.benchmarks
    ]
    judged = 0
    failed: list[str] = []
    with _announced([(model, entry) for model, _, entry in pairs if entry], device, options) as start:
        for i, (model, name, entry) in enumerate(pairs):
            for of in (arranger, *precise):
                of.keep({ref.module for later, *_ in pairs[i:] for ref in later.modules().values()})
            try:
                if entry is None:
                    raise WorkError("is not fetched in this selection; run `splitshare benchmarks` first")
                rows = list(_judge(arranger, precise, model, sources[name], entry, options, start(model, entry)))
            except SplitshareError as error:
                failed.append(f"{model.name} on {name}")
                echo(f"{model.name} on {name}: {error}")
                continue
            judged += 1
            earlier = [AccuracyRecord.read(options.output)] if options.output.is_file() else []
            merge([*earlier, AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(rows))]).write(options.output)
            yield from rows
    if failed and not (options.keep_going and options.output.is_file()):
        raise WorkError(f"{len(failed)} of {len(failed) + judged} not judged: {', '.join(failed)}")
    if not judged and not options.output.is_file():
        raise WorkError("nothing to judge: none of these benchmarks is fetched in this selection")


@contextmanager
def _announced(
    wanted: Sequence[tuple[Model, LockEntry]], device: torch.device, options: Options
) -> Iterator[Callable[[Model, LockEntry], Advance]]:
    """Say what will be judged, and how long that takes where it is known; yields what starts the bar of a pair."""
    pairs = [Pair(model, entry, times_asked(options.precisions)) for model, entry in wanted]
    path = PROFILES / f"{REFERENCE_PROFILES.get(device.type)}.json"
    profile = ModuleProfile.read(path) if path.is_file() else None
    weighed = bar_weights(pairs, profile)
    if pairs:
        typer.echo(plan(pairs, profile), err=True)
    places = {(pair.model.name, pair.entry.selection.benchmark): i for i, pair in enumerate(pairs)}
    with steps("judging", sum(weighed)) as start:

        def started(model: Model, entry: LockEntry) -> Advance:
            i = places[model.name, entry.selection.benchmark]
            name = f"{i + 1} of {len(pairs)}: {model.name} on {entry.selection.benchmark}"
            return start(name, pairs[i].answers, weighed[i])

        yield started


def chosen_device(options: JudgingOptions) -> torch.device:
    """Where to compute, which is said if it was left open.

    Raises:
        InputError: there is no such device here.
    """
    device = torch_device(options.torch_device)
    if options.torch_device == "auto":
        typer.echo(f"computing on {described(device)}", err=True)
    return device


def find(options: JudgingOptions, selection: Selection) -> LockEntry | None:
    """What was fetched of ``selection``."""
    files = options.locks or [options.benchmarks_root / LOCK]
    return next((entry for path in files if (entry := read_lock(path).find(selection))), None)


def show(row: AccuracyRow) -> None:
    """Print a line a row."""
    otherwise = f"{row.differing_predictions} of {row.samples} otherwise{beside_own_precision(row)}"
    typer.echo(
        f"{row.model} on {row.benchmark}, {row.arrangement}: {row.metric} {row.value:.4f} "
        f"({row.ci_low:.4f} to {row.ci_high:.4f}), {otherwise}"
    )


def _entry(source: BenchmarkSource, options: Options) -> LockEntry | None:
    wanted = Selection(
        benchmark=source.name, part="test", source=source.test, samples=options.samples, seed=options.seed
    )
    return find(options, wanted)


def _judge(
    arranger: Arranger,
    precise: Sequence[Arranger],
    model: Model,
    source: BenchmarkSource,
    entry: LockEntry,
    options: Options,
    advance: Advance,
) -> Iterator[AccuracyRow]:
    """Rows of a model on a benchmark: in its own precision, and then in the others, held against these."""
    weights = arranger.weights
    names = [ref.module for ref in model.modules().values()]
    told = provenance() | {
        "weights": weights.identity(names),
        "dataset": f"{entry.selection.source.dataset}@{entry.selection.source.revision}",
        "data_sha256": entry.content_sha256,
        "selection": str(entry.selection.directory),
        "torch_device": arranger.device.type,
    }
    class_names = _class_names(source, entry, options)
    if entry.class_names:
        told["prompts_sha256"] = sha256_bytes(canonical_json([class_names, source.templates]).encode())
        theirs = sum(name != own for name, own in zip(class_names, entry.class_names, strict=True))
        told["class_names"] = f"CLIP's: {theirs} of {len(class_names)} otherwise than the data set's"
    question = _Question(model, source, entry, class_names, told)
    samples = all_samples(entry, options.benchmarks_root)
    own: dict[Arrangement, Answered] = {}
    for of in (arranger, *precise):
        found: dict[Arrangement, Answered] = {}
        for arrangement in ARRANGEMENTS:
            asking, found[arrangement] = _answered(of, arrangement, question, options, advance)
            yield from accuracy_rows(
                asking,
                arrangement,
                found[arrangement],
                found["whole"],
                samples,
                source=source,
                provenance=told,
                beside=None if of.precision is None else (of.precision, own[arrangement]),
            )
        own = own or found


@dataclass(frozen=True)
class _Question:
    """What is judged: a model on what was fetched of a benchmark."""

    model: Model
    source: BenchmarkSource
    entry: LockEntry
    class_names: tuple[str, ...]
    told: dict[str, str]
    """Where the numbers will come from."""


def _answered(
    arranger: Arranger, arrangement: Arrangement, question: _Question, options: Options, advance: Advance
) -> tuple[Asking, Answered]:
    """How a model in one arrangement was asked, and what it answered; the model is gone before the next one comes."""
    model, source = question.model, question.source
    answering = OnFirstUse(partial(arranger.arrange, model, arrangement))
    asking = _asking(arranger, arrangement, question, answering, options)
    batch = options.decoder_batch if asking.decodes else options.batch
    at = place(batch, arranger.device, arranger.precision)
    run = Run(
        asking,
        answering,
        question.entry,
        directory=options.benchmarks_root,
        kept=options.work / "predictions" / source.name / model.name / _kept(arrangement, arranger.precision),
        identity=_identity(arrangement, question.told, at),
        batch=batch,
        embeddings=KeptEmbeddings(options.work / "embeddings", arranger.weights, at),
    )
    return asking, answer(run, advance)


def _class_names(source: BenchmarkSource, entry: LockEntry, options: Options) -> tuple[str, ...]:
    """Names of the classes for prompts, in the order of labels: CLIP's, where its authors name this benchmark's."""
    published = ClassNamesFile.read(paths.class_names_file(options.catalog_root)).benchmarks.get(source.name)
    if published is None or not source.templates:
        return entry.class_names
    names, unknown = published.published(entry.class_names)
    if unknown:
        _log.warning(
            "%s: %d of %d classes have no published name and keep the data set's, such as %r; name them in "
            "class_names.yaml under other_names",
            source.name,
            len(unknown),
            len(names),
            unknown[0],
        )
    return names


def _kept(arrangement: Arrangement, precision: Dtype | None) -> str:
    return arrangement if precision is None else f"{arrangement}-{precision}"


def _asking(
    arranger: Arranger,
    arrangement: Arrangement,
    question: _Question,
    answering: Answering,
    options: Options,
) -> Asking:
    catalog, weights = arranger.catalog, arranger.weights
    model, source = question.model, question.source
    own = OwnModel.of(catalog, model)
    if own is not None:
        return own_asking(own, answering, source, question.class_names)
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
    precision = f" in {arranger.precision}" if arranger.precision else ""
    path = f"{'whole' if arrangement == 'whole' else 'modules'} on {arranger.device.type}{precision}"
    prompts = class_embeddings(
        question.class_names,
        source.templates,
        words=words,
        context=context_of(catalog.architectures[text.architecture]),
        embed=partial(answering.embed, "text"),
        identity=f"{path} {text.module} {weights.identity([text.module])}",
        cache=options.work / "prompts",
    )
    return Asking(catalog, model, prompts=prompts)


def own_asking(own: OwnModel, answering: Answering, source: BenchmarkSource, class_names: Sequence[str]) -> Asking:
    """How samples become requests of a checkpoint.

    Raises:
        InputError: it lacks what prepares them.
        WorkError: the benchmark does not fit it.
    """
    catalog, model, processors = own.catalog, own.model, own.processors()
    if catalog.architectures[model.head.architecture].kind == "decoder":
        return Asking(catalog, model, words=own.words(), processors=processors)
    if not any(encoder.role == "text" for encoder in model.encoders):
        return Asking(catalog, model, processors=processors, order=own.order(class_names))
    rows = class_rows(class_names, source.templates, own.words(), own.text_tokens(), answering)
    return Asking(catalog, model, prompts=rows, processors=processors, templates=len(source.templates))


def _identity(arrangement: Arrangement, told: dict[str, str], at: str) -> str:
    what = [told[key] for key in ("weights", "dataset", "data_sha256", "prompts_sha256") if key in told]
    return "; ".join([arrangement, *what, at, code_digest(*CODE), torch.__version__])
