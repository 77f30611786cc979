"""Answer the embedded benchmark's test requests: whole, split, and with shared modules."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from splitshare.benchmarks.accuracy import AccuracyRow, Arrangement, Metric
from splitshare.benchmarks.embedded.requests import RETRIEVAL, Requests, normalised
from splitshare.benchmarks.metrics.classification import ranked, top_k
from splitshare.benchmarks.metrics.intervals import mean_interval
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.choices import Dtype
from splitshare.modules.base import SplitModule
from splitshare.modules.equivalence import sent
from splitshare.modules.whole import build_whole
from splitshare.progress import track

REQUESTS_A_BATCH = 128

Scores = npt.NDArray[np.float32]
"""Shape (requests, choices)."""


def whole_scores(catalog: Catalog, model: Model, modules: Mapping[str, SplitModule], requests: Requests) -> Scores:
    """Scores of the model in one piece, made of the modules' weights and where they are."""
    device = next(modules[model.head.module].parameters()).device
    parts = {
        role: {name: tensor.cpu() for name, tensor in modules[ref.module].state_dict().items()}
        for role, ref in model.modules().items()
    }
    whole = build_whole(catalog, model, parts).to(device, requests.dtype)
    with torch.inference_mode():
        return _joined([whole(requests.inputs(batch)) for batch in _batches(len(requests), model.name)])


def split_scores(model: Model, modules: Mapping[str, SplitModule], requests: Requests) -> Scores:
    """Scores of the modules, each run by itself; every tensor between them is written to bytes and read back."""
    scores = []
    with torch.inference_mode():
        for batch in _batches(len(requests), model.name):
            inputs = requests.inputs(batch)
            arrived: dict[str, Tensor] = {
                e.role: sent(modules[e.module]({e.role: sent(inputs[e.role])})) for e in model.encoders
            }
            scores.append(sent(modules[model.head.module].scores(arrived)))
    return _joined(scores)


def shared_scores(
    models: Sequence[Model], modules: Mapping[str, SplitModule], requests: Mapping[str, Requests]
) -> dict[str, Scores]:
    """Scores of each model where the modules are shared: an encoder encodes an image or a text once for all tasks.

    What it gave is sent to every head that asks for it, as bytes.

    Returns:
        Scores by model name.
    """
    encoded: dict[tuple[str, int], Tensor] = {}
    by_model = {}
    with torch.inference_mode():
        for model in models:
            asked = requests[model.task]
            embeddings: dict[str, Tensor] = {}
            for encoder in model.encoders:
                items = asked.images if encoder.role == "vision" else asked.texts
                key = (encoder.module, id(items))  # all tasks hold one tensor of images
                if key not in encoded:
                    encoded[key] = _encode_all(modules[encoder.module], encoder.role, items, asked.dtype)
                embeddings[encoder.role] = encoded[key]
            rows = []
            for batch in _batches(len(asked), model.name):
                index = {"vision": asked.image[batch], "text": asked.text[batch].flatten()}
                arrived = {role: sent(embeddings[role][index[role]]) for role in embeddings}
                rows.append(sent(modules[model.head.module].scores(arrived)))
            by_model[model.name] = _joined(rows)
    return by_model


def group_scores(
    catalog: Catalog, group: Sequence[Model], modules: Mapping[str, SplitModule], requests: Mapping[str, Requests]
) -> dict[tuple[Model, Arrangement], Scores]:
    """Scores of each model of a group in every arrangement: whole, split, and in a group of several shared too."""
    shared = shared_scores(group, modules, requests) if len(group) > 1 else {}
    found: dict[tuple[Model, Arrangement], Scores] = {}
    for model in group:
        asked = requests[model.task]
        found[model, "whole"] = whole_scores(catalog, model, modules, asked)
        found[model, "split"] = split_scores(model, modules, asked)
        if model.name in shared:
            found[model, "shared"] = shared[model.name]
    return found


def at_precision(
    precision: Dtype, modules: Mapping[str, SplitModule], requests: Mapping[str, Requests]
) -> tuple[dict[str, SplitModule], dict[str, Requests]]:
    """Copies of modules in a floating point type, and requests that come in it."""
    dtype: torch.dtype = getattr(torch, precision)
    copies = {name: copy.deepcopy(module).to(dtype) for name, module in modules.items()}
    return copies, {task: replace(asked, dtype=dtype) for task, asked in requests.items()}


def accuracy_rows(
    model: Model,
    arrangement: Arrangement,
    scores: Scores,
    whole: Scores,
    requests: Requests,
    provenance: Mapping[str, str],
    precision: Dtype | None = None,
    own: Scores | None = None,
) -> list[AccuracyRow]:
    """Rows of the accuracy record: top-1, and of retrieval top-5 too, with 95 % intervals over the requests.

    Args:
        model: what answered.
        arrangement: how it was arranged.
        scores: its scores.
        whole: scores of the same model in one piece.
        requests: the test requests.
        provenance: where the numbers come from.
        precision: in which it computed; ``None``: as the catalogue has it.
        own: with a precision, the scores of the same arrangement as the catalogue has it.
    """
    ranking, reference = ranked(scores), ranked(whole)
    metrics: dict[Metric, int] = {"top-1": 1, "top-5": 5} if model.task == RETRIEVAL else {"top-1": 1}
    rows = []
    for metric, k in metrics.items():
        interval = mean_interval(top_k(ranking, requests.labels.cpu().numpy(), k))
        rows.append(
            AccuracyRow(
                benchmark=model.benchmark,
                source="embedded",
                task=model.task,
                model=model.name,
                arrangement=arrangement,
                metric=metric,
                value=interval.estimate,
                ci_low=interval.low,
                ci_high=interval.high,
                samples=len(requests),
                differing_predictions=_differing(ranking[:, :k], reference[:, :k]),
                precision=precision,
                differing_from_own_precision=None if own is None else _differing(ranking[:, :k], ranked(own)[:, :k]),
                provenance=dict(provenance),
            )
        )
    return rows


def _differing(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> int:
    """Requests whose best choices are not the same ones, whatever their order."""
    return int((np.sort(first, axis=1) != np.sort(second, axis=1)).any(axis=1).sum())


def _encode_all(module: SplitModule, role: str, items: Tensor, dtype: torch.dtype) -> Tensor:
    """Embeddings of all images or texts, each encoded once."""
    return torch.cat(
        [
            module({role: sent(normalised(items[batch]).to(dtype) if role == "vision" else items[batch])})
            for batch in _batches(len(items), role)
        ]
    )


def _batches(count: int, what: str) -> list[Tensor]:
    return list(track(torch.split(torch.arange(count), REQUESTS_A_BATCH), f"evaluating {what}"))


def _joined(batches: Sequence[Tensor]) -> Scores:
    return torch.cat(list(batches)).float().cpu().numpy()
