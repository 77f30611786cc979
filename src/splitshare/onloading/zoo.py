"""A model zoo: models that serve some of a set of tasks, with accuracy, memory and latency by batch size (ours).

An onloading instance takes its models from a zoo. Every figure says where it comes from: ``measured``, ``published``,
``derived`` or ``assumed``, and its source or rule in words.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from splitshare.profiling.batch_curve import BatchCurve
from splitshare.profiling.records import Provenance
from splitshare.records import (
    Amount,
    Name,
    PositiveAmount,
    PositiveBytes,
    PositiveCount,
    Record,
    nearest,
)

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A share between 0 and 1, such as an accuracy."""


def check_variants(groups: list[str | None]) -> None:
    """Hold models' groups of variants against each other: one that is of a single model says nothing, or is misspelt.

    Raises:
        ValueError: a group of one model.
    """
    named = [group for group in groups if group is not None]
    for i, group in enumerate(groups):
        if group is not None and named.count(group) == 1:
            others = sorted({other for other in named if other != group})
            hint = nearest(group, others) if others else "leave it out"
            raise ValueError(f"models[{i}].variant_of: no other model is a variant of {group!r}; {hint}")


class ZooTask(Record):
    """A task: what is asked, and what its accuracy was counted on."""

    name: Name
    metric: str
    """What ``accuracy`` counts, such as ``top-1 accuracy``."""
    test_set: str
    """What it was counted on."""
    queries: PositiveCount | None = None
    """Queries of the test set, where known."""
    query_bytes: PositiveBytes
    """Bytes of one query as it travels to the device that answers it."""
    query_bytes_provenance: Provenance
    query_bytes_source: str


class ZooBackbone(Record):
    """Weights that several models of a zoo use, loaded once where any of them stands."""

    name: Name
    parameters: PositiveAmount
    memory_bytes: PositiveBytes
    memory_provenance: Provenance
    memory_source: str


class ZooModel(Record):
    """A model that serves one task or several with one set of weights."""

    name: Name
    parameters: Amount
    """Of its own, where it shares a backbone."""
    memory_bytes: PositiveBytes
    """Bytes that the model occupies where it is loaded, a backbone that it shares left out."""
    backbone: Name | None = None
    """The backbone that it shares; curves are of backbone and head together."""
    variant_of: Name | None = None
    """The family that it is of, such as sizes of one model; instances may hold one of them a place."""
    memory_provenance: Provenance
    memory_source: str
    accuracy: dict[Name, Share] = Field(min_length=1)
    """Accuracy by task, of those that the model serves."""
    accuracy_provenance: Provenance
    accuracy_source: str
    curves: tuple[BatchCurve, ...] = Field(min_length=1)
    """One a device."""

    @model_validator(mode="after")
    def _one_curve_a_device(self) -> Self:
        devices = [curve.device for curve in self.curves]
        for i, device in enumerate(devices):
            if device in devices[:i]:
                raise ValueError(f"curves[{i}].device: {device!r} has a curve already; keep one")
        return self

    @cached_property
    def by_device(self) -> dict[str, BatchCurve]:
        """Curves by device."""
        return {curve.device: curve for curve in self.curves}


class Zoo(Record):
    """``data/zoos/<name>.json``."""

    schema_: Literal["splitshare.zoo/1"] = Field(alias="schema")
    name: Name
    machine: str | None = None
    """The machine that measured figures were measured on; needed where there are any."""
    notes: tuple[str, ...] = ()
    """What a reader must know beside the figures' own sources, such as how models were chosen or trained."""
    tasks: tuple[ZooTask, ...] = Field(min_length=1)
    backbones: tuple[ZooBackbone, ...] = ()
    models: tuple[ZooModel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        tasks = [task.name for task in self.tasks]
        backbones = [backbone.name for backbone in self.backbones]
        models = [model.name for model in self.models]
        for field, names in (("tasks", tasks), ("backbones", backbones), ("models", models)):
            for i, name in enumerate(names):
                if name in names[:i]:
                    raise ValueError(f"{field}[{i}].name: {name!r} stands twice; choose another")
        for i, model in enumerate(self.models):
            for task in model.accuracy:
                if task not in tasks:
                    raise ValueError(f"models[{i}].accuracy: unknown task {task!r}; {nearest(task, tasks)}")
            if model.backbone is not None and model.backbone not in backbones:
                hint = nearest(model.backbone, backbones)
                raise ValueError(f"models[{i}].backbone: unknown backbone {model.backbone!r}; {hint}")
            measured = {model.accuracy_provenance, model.memory_provenance, *(c.provenance for c in model.curves)}
            if "measured" in measured and self.machine is None:
                raise ValueError("machine: is missing; name the machine that figures were measured on")
        check_variants([model.variant_of for model in self.models])
        for i, name in enumerate(backbones):
            if all(model.backbone != name for model in self.models):
                raise ValueError(f"backbones[{i}].name: no model uses {name!r}; drop it")
        for i, task in enumerate(tasks):
            if not any(task in model.accuracy for model in self.models):
                raise ValueError(f"tasks[{i}].name: no model serves {task!r}; drop it or add a model")
        return self

    @cached_property
    def by_name(self) -> dict[str, ZooModel]:
        """Models by name."""
        return {model.name: model for model in self.models}

    @cached_property
    def alone_bytes(self) -> dict[str, float]:
        """Bytes of each model with the backbone that it needs, by name."""
        backbones = {backbone.name: backbone.memory_bytes for backbone in self.backbones}
        return {model.name: model.memory_bytes + backbones.get(model.backbone or "", 0) for model in self.models}
