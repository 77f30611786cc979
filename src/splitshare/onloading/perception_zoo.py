"""The perception zoo: published scores on ten tasks, frozen backbones that several tasks share (the reading is ours).

Only values of one test set and one protocol stand beside each other as a task. Everything that a query computes is
counted from the true architectures, and timed on one machine; times of the laptop and the GPU are derived from the
counts by the rules of the other profiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from splitshare.errors import WorkError
from splitshare.onloading.families import marked
from splitshare.onloading.perception_models import (
    CANDIDATES,
    CLASSIFICATION,
    COCO_SEMANTIC,
    DEPTH,
    DETECTION,
    INSTANCES,
    MEMBERS,
    NOT_BUILT,
    PANOPTIC,
    RELATIVE_DEPTH,
    RETRIEVAL,
    SEGMENTATION,
    SPECIES,
    Member,
)
from splitshare.onloading.published_scores import Score
from splitshare.onloading.zoo import Zoo, ZooBackbone, ZooModel, ZooTask
from splitshare.profiling.batch_curve import BatchCurve
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile

CLIENT, EDGE, HERE = "laptop-i7-12700h", "rtx-3090", "this-machine"
BYTES_PER_PIXEL = 40_000 / (512 * 384)
"""As the zoo of published figures has it: a photograph of 512 x 384 pixels as a JPEG of 40 kB."""
WORST_RMSE_M = 1.0
"""An error of depth from which on an answer counts as wrong."""


FAMILIES = {
    "d-fine": "d-fine-",
    "depth-anything": "depth-anything-",
    "efficientnet": "efficientnet-b",
    "mask2former-swin": "mask2former-swin-",
    "segformer": "segformer-b",
}
"""Sizes of one architecture, by how their names begin; DINOv2's share their heads' tasks, not their backbones."""


@dataclass(frozen=True)
class Protocol:
    """A task: the rows of the table that speak of it, and what one query is."""

    task: str
    """In the table."""
    test_set: str
    metrics: tuple[str, ...]
    """Words that stand for one and the same protocol."""
    queries: int
    """Of the test set."""
    pixels: tuple[int, int]
    """Height and width of a typical image of the test set: what its bytes are guessed from."""


PROTOCOLS = {
    CLASSIFICATION: Protocol(
        CLASSIFICATION, "ImageNet-1k val", ("top-1, %", "top-1, %, linear head"), 50_000, (384, 512)
    ),
    SPECIES: Protocol(SPECIES, "iNaturalist 2018", ("top-1, %, linear head",), 24_426, (600, 800)),
    SEGMENTATION: Protocol(
        SEGMENTATION,
        "ADE20k",
        ("mIoU, %, linear head, multi-scale", "mIoU, %, multi-scale and flip"),
        2_000,
        (512, 683),
    ),
    DEPTH: Protocol(DEPTH, "NYU Depth v2", ("RMSE, m", "RMSE, m, linear head of 4 layers"), 654, (480, 640)),
    RETRIEVAL: Protocol(RETRIEVAL, "Revisited Oxford, hard", ("mAP, %, nearest neighbour",), 70, (768, 1024)),
    DETECTION: Protocol(DETECTION, "COCO val2017", ("box mAP, %",), 5_000, (480, 640)),
    INSTANCES: Protocol(INSTANCES, "COCO val2017", ("mask mAP, %",), 5_000, (480, 640)),
    PANOPTIC: Protocol(PANOPTIC, "COCO val2017", ("PQ, %",), 5_000, (480, 640)),
    COCO_SEMANTIC: Protocol(SEGMENTATION, "COCO val2017, panoptic classes", ("mIoU, %",), 5_000, (480, 640)),
    RELATIVE_DEPTH: Protocol(DEPTH, "NYU Depth v2", ("delta1, share, zero-shot relative depth",), 654, (480, 640)),
}
"""Tasks in order."""
NOTES = (
    "A score counts as the share of right answers, whatever its metric; shares of different tasks are not of one kind.",
    f"Root mean square errors of depth become shares by a rule of ours: 1 - error / {WORST_RMSE_M:g} m, at least 0.",
    "Segmentation of ADE20k is scored with several scales (and flips) by all of its models; times are of one pass.",
    "DINOv2's models are light heads on one frozen backbone a size. A query passes backbone and head, at its task's "
    "size of image. A retrieval model keeps the descriptors of Revisited Oxford's images.",
    "OneFormer's task is a part of its input. DETR and Mask2Former answer all of their tasks in one pass, but queries "
    "of several tasks are several queries here.",
    f"Not built: {'; '.join(f'{rows}: {why}' for rows, why in NOT_BUILT.items())}.",
)


def share(score: Score) -> float:
    """A score as a share between 0 and 1, by the unit that stands after its metric's first comma."""
    unit = score.metric.split(", ")[1]
    if unit == "%":
        return round(score.value / 100, 5)
    if unit == "share":
        return score.value
    if unit == "m":
        return round(max(0.0, 1 - score.value / WORST_RMSE_M), 5)
    raise WorkError(f"{score.model}, {score.metric}: no rule makes a share of {unit!r}")


def accuracy_of(member: Member, scores: Iterable[Score]) -> dict[str, float]:
    """Shares by task of the zoo.

    Raises:
        WorkError: the table lacks one of the model's tasks, or has two values for it.
    """
    own = [score for score in scores if score.model == member.published]
    shares = {}
    for task in member.tasks:
        protocol = PROTOCOLS[task]
        fitting = [
            score
            for score in own
            if (score.task, score.test_set) == (protocol.task, protocol.test_set) and score.metric in protocol.metrics
        ]
        if len(fitting) != 1:
            raise WorkError(f"{member.published}, {task}: the table has {len(fitting)} values; one is needed")
        shares[task] = share(fitting[0])
    return shares


def chosen(scores: Sequence[Score], descriptions: Mapping[str, ModuleDescription]) -> tuple[Member, ...]:
    """The models of the zoo: all, of the classifiers those that no other beats in accuracy with no more parameters."""

    def figures(member: Member) -> tuple[float, int]:
        return -accuracy_of(member, scores)[CLASSIFICATION], descriptions[member.modules[0].name].parameters

    costs = [figures(member) for member in CANDIDATES]
    best = [
        member
        for member, mine in zip(CANDIDATES, costs, strict=True)
        if not any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in costs)
    ]
    return (*MEMBERS, *best)


def perception_zoo(
    scores: Sequence[Score],
    modules: ModuleDescriptions,
    derived: Sequence[ModuleProfile],
    measured: ModuleProfile | None,
) -> Zoo:
    """Make the zoo.

    Args:
        scores: published scores.
        modules: counts of every module.
        derived: times of the laptop and of the GPU for the same modules.
        measured: times of one machine, where they were taken.

    Raises:
        WorkError: the scores do not say what the zoo needs.
    """
    members = chosen(scores, modules.by_name)
    machine = None
    if measured is not None:
        device = measured.device
        versions = ", ".join(f"{name} {version}" for name, version in device.versions.items())
        machine = f"{device.cpu}, {device.threads} thread(s), {device.os}; {versions}"
    profiles = [*derived, *([] if measured is None else [measured])]
    return Zoo(
        schema_="splitshare.zoo/1",
        name="perception",
        machine=machine,
        notes=(*NOTES, *(note for profile in profiles for note in profile.notes)),
        tasks=tuple(_task(name, protocol) for name, protocol in PROTOCOLS.items()),
        backbones=_backbones(members, modules.by_name),
        models=marked([_model(member, scores, modules.by_name, profiles) for member in members], FAMILIES),
    )


def _task(name: str, protocol: Protocol) -> ZooTask:
    high, wide = protocol.pixels
    return ZooTask(
        name=name,
        metric=protocol.metrics[0].split(", ")[0],
        test_set=protocol.test_set,
        queries=protocol.queries,
        query_bytes=float(f"{BYTES_PER_PIXEL * high * wide:.3g}"),
        query_bytes_provenance="assumed",
        query_bytes_source=f"a JPEG of {wide} x {high} pixels at 40 kB for 512 x 384",
    )


def _backbones(members: Iterable[Member], said: Mapping[str, ModuleDescription]) -> tuple[ZooBackbone, ...]:
    """Backbones with weights as the first module that uses them has them: its positions are the same at every size."""
    modules = {member.backbone: said[member.modules[0].name] for member in reversed(list(members)) if member.backbone}
    return tuple(
        ZooBackbone(
            name=name,
            parameters=modules[name].parameters,
            memory_bytes=float(modules[name].parameter_bytes),
            memory_provenance="derived",
            memory_source=MEMORY_SOURCE,
        )
        for name in sorted(modules, key=lambda name: modules[name].parameters)
    )


MEMORY_SOURCE = "4 bytes for each parameter of the architecture and each number that it keeps; activations not counted"


def _model(
    member: Member,
    scores: Sequence[Score],
    said: Mapping[str, ModuleDescription],
    profiles: Sequence[ModuleProfile],
) -> ZooModel:
    own = [said[module.name] for module in member.modules[1 if member.backbone else 0 :]]
    names = [module.name for module in member.modules]
    sources = sorted({score.source for score in scores if score.model == member.published})
    return ZooModel(
        name=member.name,
        parameters=sum(module.parameters for module in own),
        memory_bytes=float(sum(module.parameter_bytes for module in own)),
        memory_provenance="derived",
        memory_source=MEMORY_SOURCE,
        backbone=member.backbone,
        accuracy=accuracy_of(member, scores),
        accuracy_provenance="published",
        accuracy_source="; ".join(sources),
        curves=tuple(_curve(profile, names) for profile in profiles),
    )


def _curve(profile: ModuleProfile, modules: Sequence[str]) -> BatchCurve:
    """Seconds of all modules in a row, at the batch sizes that the profile has of each; a laptop's at 1 alone."""
    name = profile.device.name
    batches = [row.batch for row in profile.rows if row.module == modules[0]]
    for module in modules[1:]:
        batches = [batch for batch in batches if (module, batch, None) in profile.by_key]
    rows = [[profile.by_key[module, batch, None] for module in modules] for batch in batches]
    if name == CLIENT:
        rows = rows[:1]  # clients take queries one by one
    seconds = [math.fsum(row.compute_median_s or 0.0 for row in together) for together in rows]
    first = rows[0][0]
    return BatchCurve(
        device=name,
        batches=tuple(together[0].batch for together in rows),
        seconds=tuple(round(value, 9) for value in seconds),
        provenance=first.provenance,
        source="; ".join(dict.fromkeys(row.source for row in rows[0])),
    )
