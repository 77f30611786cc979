"""The multi-task models of the trained zoo: towers of several widths and depths, tasks of their own (all ours)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Architecture, Benchmark, EncoderRef, HeadRef, Model, Task
from splitshare.onloading.zoo_tasks import CLASS, COLOUR, MATCH, QUESTIONS, SHAPE, TASKS, TEXT_TASKS

EMBEDDING = 64
ANSWERS = 13
CLASSES = {SHAPE: 3, COLOUR: 8, CLASS: 24, MATCH: 24}
ALL = tuple(TASKS)


@dataclass(frozen=True)
class Tower:
    """An image tower: CLIP's ResNet by width and blocks a stage, or CLIP's ViT by width and layers."""

    kind: Literal["resnet", "vit"]
    width: int
    depth: tuple[int, ...] | int
    side: int
    """Pixels of the images that it takes."""

    @property
    def architecture(self) -> Architecture:
        """As the catalogue defines it."""
        if self.kind == "resnet":
            assert isinstance(self.depth, tuple), "blocks a stage"
            params: dict[str, Any] = {"stage_blocks": self.depth, "width": self.width}
        else:
            params = {"width": self.width, "layers": self.depth, "heads": self.width // 16, "patch_size": 8}
        return Architecture(
            builder=f"clip-{self.kind}",
            kind="vision-encoder",
            params=params | {"embedding": EMBEDDING, "image_size": self.side},
        )


@dataclass(frozen=True)
class Member:
    """A model of the zoo."""

    name: str
    tower: Tower
    tasks: tuple[str, ...]


_ONE, _TWO = (1, 1, 1, 1), (1, 2, 2, 1)
MEMBERS = (
    Member("rn-w2-32", Tower("resnet", 2, _ONE, 32), (COLOUR,)),
    Member("rn-w4-32", Tower("resnet", 4, _ONE, 32), (SHAPE, COLOUR)),
    Member("rn-w4-32-questions", Tower("resnet", 4, _ONE, 32), QUESTIONS),
    Member("rn-w8-32", Tower("resnet", 8, _ONE, 32), ALL),
    Member("vit-w32-32", Tower("vit", 32, 1, 32), (COLOUR, CLASS)),
    Member("vit-w64-32", Tower("vit", 64, 2, 32), ALL),
    Member("rn-w2-64", Tower("resnet", 2, _ONE, 64), (SHAPE,)),
    Member("rn-w4-64", Tower("resnet", 4, _ONE, 64), ALL),
    Member("rn-w4-64-deep", Tower("resnet", 4, _TWO, 64), QUESTIONS),
    Member("rn-w8-64", Tower("resnet", 8, _ONE, 64), ALL),
    Member("rn-w8-64-deep", Tower("resnet", 8, _TWO, 64), (SHAPE, CLASS, MATCH)),
    Member("rn-w16-64", Tower("resnet", 16, _ONE, 64), ALL),
)
"""From small to large; some serve one or two tasks, some all."""


def member_catalog(embedded: Catalog, member: Member) -> Catalog:
    """A catalogue with one model a task of ``member``, all on its shared encoders.

    Args:
        embedded: the embedded benchmark's catalogue, whose text tower is taken.
        member: the model of the zoo.
    """
    architectures = {
        "vision": member.tower.architecture,
        "text": embedded.architectures["small-text"],
        "question-head": _head("vqa-head", hidden=2 * EMBEDDING, answers=ANSWERS),
        "match-head": _head("cosine-head"),
        **{f"{task}-head": _head("linear-head", classes=CLASSES[task]) for task in (SHAPE, COLOUR, CLASS)},
    }
    models = [_model(number, task, member) for number, task in enumerate(member.tasks, start=1)]
    return replace(
        embedded,
        tasks={task: Task(name=task, title=task) for task in TASKS},
        benchmarks={task: Benchmark(name=task, title=task, task=task, classes=CLASSES.get(task)) for task in TASKS},
        architectures=architectures,
        models={model.name: model for model in models},
        workloads={},
    )


def _head(builder: str, **params: Any) -> Architecture:
    return Architecture(builder=builder, kind="head", params={"embedding": EMBEDDING, **params})


def _model(number: int, task: str, member: Member) -> Model:
    head = "question-head" if task in QUESTIONS else "match-head" if task == MATCH else f"{task}-head"
    encoders = [EncoderRef(role="vision", architecture="vision", weights=member.name)]
    if task in TEXT_TASKS:
        items: Literal["classes"] | int = "classes" if task == MATCH else 1
        encoders.append(EncoderRef(role="text", architecture="text", weights=member.name, items=items))
    return Model(
        number=number,
        name=task,
        title=task,
        task=task,
        benchmark=task,
        encoders=tuple(encoders),
        head=HeadRef(architecture=head, weights=f"{member.name}-{task}"),
        result_bytes=4.0 * CLASSES.get(task, ANSWERS),
    )
