"""Train the heads that nobody has published on the train splits; into the directory OUTPUT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from splitshare.benchmarks.embeddings import KeptEmbeddings, place
from splitshare.benchmarks.fit_heads import Fitted, fit_alignment, fit_probe, fit_vqa
from splitshare.benchmarks.fitted import FittedHead
from splitshare.benchmarks.lock import LockEntry, Selection
from splitshare.benchmarks.prompts import class_embeddings
from splitshare.benchmarks.samples import Sample, read_samples
from splitshare.benchmarks.scoring import context_of, encoder_input
from splitshare.benchmarks.weights import OURS, Weights
from splitshare.catalog.benchmarks import BenchmarkSource, load_benchmarks
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.records import EncoderRef, Model
from splitshare.commands.arguments import tell_of_failure
from splitshare.commands.fit_heads import Options
from splitshare.errors import SplitshareError, WorkError
from splitshare.files import atomic_path
from splitshare.modules.alignment_head import AlignmentHead
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module
from splitshare.modules.hub_pins import Pins
from splitshare.modules.linear_head import LinearHead
from splitshare.modules.vqa_head import VqaHead
from splitshare.progress import track
from splitshare.stages.accuracy import chosen_device, find


def run(options: Options, echo: Callable[[str], None] = tell_of_failure) -> Iterator[FittedHead]:
    """Train each head of ours whose model's train split was fetched, and write its weights and its recipe.

    Args:
        options: where samples and weights are.
        echo: is given a line for each head that could not be trained.

    Yields:
        What was trained, as soon as it is.

    Raises:
        InputError: the catalogue is wrong.
        WorkError: at the end, if a head could not be trained (unless it is to keep going and one was).
    """
    catalog = load_catalog(options.catalog_root)
    sources = load_benchmarks(options.catalog_root, catalog.benchmarks)
    if options.threads:
        torch.set_num_threads(options.threads)
    weights = Weights(catalog, options.weights, options.seed, None, Pins(options.pins), options.tokenizers)
    device = chosen_device(options)
    failed = []
    for model in catalog.models.values():
        if not model.head.weights.startswith(OURS):
            continue
        try:
            yield _fit(catalog, weights, model, sources[model.benchmark], options, device)
        except SplitshareError as error:
            failed.append(model.head.module)
            echo(f"{model.head.module}: {error}")
    if failed and not (options.keep_going and any(options.output.glob("*.json"))):
        raise WorkError(f"not trained: {', '.join(failed)}")


def show(head: FittedHead) -> None:
    """Print a line a head."""
    typer.echo(f"{head.head}: {head.train_metric:.3f} on the train split of {head.benchmark}")


def _fit(
    catalog: Catalog, weights: Weights, model: Model, source: BenchmarkSource, options: Options, device: torch.device
) -> FittedHead:
    if source.train is None:
        raise WorkError(f"{source.name} has no train split in benchmarks.yaml")
    wanted = Selection(
        benchmark=source.name, part="train", source=source.train, samples=options.samples, seed=options.seed
    )
    entry = find(options, wanted)
    if entry is None:
        raise WorkError(f"{source.name} (train) is not fetched in this selection; run `splitshare benchmarks` first")
    head = build_module(catalog.module(model.head.module), options.seed)
    fitted = _train(catalog, weights, model, source, entry, head, options, device)
    record = FittedHead(
        schema_="splitshare.fitted-head/1",
        head=model.head.module,
        benchmark=source.name,
        recipe=fitted.recipe,
        data_sha256=entry.content_sha256,
        weights=weights.identity([encoder.module for encoder in model.encoders]),
        answers=fitted.answers,
        train_metric=fitted.train_metric,
    )
    with atomic_path(options.output / f"{model.head.module}.safetensors") as temporary:
        save_file({name: tensor.contiguous() for name, tensor in head.state_dict().items()}, temporary)
    record.write(options.output / f"{model.head.module}.json")
    return record


def _train(
    catalog: Catalog,
    weights: Weights,
    model: Model,
    source: BenchmarkSource,
    entry: LockEntry,
    head: SplitModule,
    options: Options,
    device: torch.device,
) -> Fitted:
    """Train a head on the CPU, where it is the same everywhere, on what the frozen encoders give on ``device``."""
    encoders = {encoder.role: encoder for encoder in model.encoders}
    used = [e for e in model.encoders if not (isinstance(head, AlignmentHead) and e.role != "audio")]
    features, samples = _features(catalog, weights, used, entry, options, device)
    labels = torch.tensor([s.label for s in samples]) if "label" in entry.selection.source.columns else None
    if isinstance(head, LinearHead) and labels is not None:
        return fit_probe(head, features["vision"], labels)
    if isinstance(head, VqaHead):
        return fit_vqa(head, features["vision"], features["text"], [s.answers for s in samples], options.seed)
    if isinstance(head, AlignmentHead) and labels is not None:
        text = encoders["text"]
        tower = weights.module(text.module).to(device)
        prompts = class_embeddings(
            entry.class_names,
            source.templates,
            words=weights.words(text.weights),
            context=context_of(catalog.architectures[text.architecture]),
            embed=lambda tokens: tower({"text": tokens.to(device)}).cpu(),
            identity=f"modules on {device.type} {text.module} {weights.identity([text.module])}",
            cache=options.work / "prompts",
        )
        return fit_alignment(head, features["audio"], labels, prompts)
    raise WorkError(f"there is no recipe for a {type(head).__name__} on {source.name}")


def _features(
    catalog: Catalog,
    weights: Weights,
    encoders: list[EncoderRef],
    entry: LockEntry,
    options: Options,
    device: torch.device,
) -> tuple[dict[str, Tensor], list[Sample]]:
    """What the frozen encoders give for all samples, by role (samples, embedding), and what is right for them.

    Embeddings of each file are kept, so that training that was broken off goes on from there, and so that another
    head on the same tower finds them.
    """
    modules = {encoder.role: weights.module(encoder.module).to(device) for encoder in encoders}
    embeddings = KeptEmbeddings(options.work / "embeddings", weights, place(options.batch, device, None))
    rows: dict[str, list[Tensor]] = {encoder.role: [] for encoder in encoders}
    seen: list[Sample] = []

    def embedded(encoder: EncoderRef, samples: list[Sample]) -> Tensor:
        words = weights.words(encoder.weights) if encoder.role == "text" else None
        found = []
        for first in range(0, len(samples), options.batch):
            tensor = encoder_input(catalog, encoder, samples[first : first + options.batch], words)
            if tensor is None:
                raise WorkError(f"{entry.selection.benchmark} has nothing for the {encoder.role} encoder")
            with torch.inference_mode():
                found.append(modules[encoder.role]({encoder.role: tensor.to(device)}).cpu())
        return torch.cat(found)

    for file in track(range(len(entry.files)), f"features of {entry.selection.benchmark}"):
        samples = read_samples(entry, options.benchmarks_root, file)
        for encoder in encoders:
            compute = partial(embedded, encoder, samples)
            rows[encoder.role].append(embeddings.rows(encoder.module, entry, file, compute).float())
        seen += [Sample(label=s.label, answers=s.answers) for s in samples]
    # Features of inference mode cannot be trained on; a copy can.
    return {role: torch.cat(found).clone() for role, found in rows.items()}, seen
