"""Batches of a module's runs: the rule by which a device forms them, and the seconds that they take (contract ours).

When a device is free it takes the stage that has been ready for longest, and of the others that wait there those that
can run with it, in order of readiness, up to ``max_batch`` in all. Stages run together that are of one module, have the
same batch curve (so they take the same inputs) and belong to requests of one size. A batch has one of the sizes of its
curve: the largest that is not above the number of stages found. What becomes ready at the very moment at which the
device is free is among them. Nothing waits for a batch to fill, and no time between or beyond the sizes of a curve is
guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.batch_curve import BatchCurve
from splitshare.records import Name, Record, nearest
from splitshare.replay.plan import Overheads, StagePlan

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

SAME = 1e-6
"""Relative distance up to which seconds of one request are those of the instance."""


class StageCurve(BatchCurve):
    """Seconds that one device takes for a module with the inputs of 1, 2, ... requests of some classes."""

    module: Name
    requests: tuple[Name, ...] = Field(min_length=1)
    """Request classes that it holds for: they give the module equally many inputs. A class that uses a module twice
    must do so in one way."""


class BatchCurves(Record):
    """What batches take in an instance (``splitshare batch-curves``); sizes are numbers of requests."""

    schema_: Literal["splitshare.batch-curves/1"] = Field(alias="schema")
    instance: Name
    curves: tuple[StageCurve, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        seen: dict[tuple[str, str, str], int] = {}
        for i, curve in enumerate(self.curves):
            if curve.batches[0] != 1:
                raise ValueError(f"curves[{i}].batches: must begin with 1")
            for request in curve.requests:
                key = (curve.module, curve.device, request)
                if key in seen:
                    raise ValueError(f"curves[{i}].requests: {request!r} stands in curves[{seen[key]}] too; keep one")
                seen[key] = i
        return self

    @cached_property
    def _by_stage(self) -> dict[tuple[str, str, str], StageCurve]:
        return {(curve.module, curve.device, name): curve for curve in self.curves for name in curve.requests}

    def seconds(self, module: str, device: str, request: str, max_batch: int) -> dict[int, float]:
        """Seconds by batch size up to ``max_batch``; raises ``KeyError`` where there is no curve."""
        curve = self._by_stage[module, device, request]
        return {size: s for size, s in zip(curve.batches, curve.seconds, strict=True) if size <= max_batch}

    def check(self, instance: PlacementInstance, source: Path | str) -> None:
        """See that these are the curves of ``instance``, all of them.

        Raises:
            InputError: one is missing, names something that there is not, or takes another time for one request.
        """
        for i, curve in enumerate(self.curves):
            named: list[tuple[str, str, list[str]]] = [
                ("module", curve.module, list(instance.modules_by_name)),
                ("device", curve.device, list(instance.devices_by_name)),
                *(("requests", request, [r.name for r in instance.requests]) for request in curve.requests),
            ]
            for field, name, known in named:
                if name not in known:
                    raise InputError(source, f"curves[{i}].{field}", f"unknown {name!r}; {nearest(name, known)}")
        for request, module, device, compute_s in runs(instance):
            where = f"{module!r} on {device!r} for {request!r}"
            mend = "write the curves of this instance with `splitshare batch-curves`"
            measured = self._by_stage.get((module, device, request))
            if measured is None:
                raise InputError(source, "curves", f"has none of {where}; {mend}")
            if not math.isclose(measured.seconds[0], compute_s, rel_tol=SAME):
                problem = (
                    f"one request of {where} takes {measured.seconds[0]:g} s here, {compute_s:g} s in the instance"
                )
                raise InputError(source, "curves", f"{problem}; {mend}")


@dataclass(frozen=True)
class Batching:
    """How devices form batches."""

    max_batch: int = 1
    curves: BatchCurves | None = None
    """``None``: what batches take is not known, which only real modules can do with."""

    def seconds(self, module: str, device: str, request: str) -> dict[int, float]:
        """Seconds of a stage by batch size; empty: not known."""
        if self.curves is None or self.max_batch == 1:
            return {}
        return self.curves.seconds(module, device, request, self.max_batch)


ONE_BY_ONE = Batching()
"""No batches."""


def read_batching(path: Path | None, max_batch: int, instance: PlacementInstance, *, needed: bool) -> Batching:
    """Batches as asked for on the command line.

    Args:
        path: file of batch curves, if one is given.
        max_batch: requests in a batch.
        instance: what the curves must be of.
        needed: whether batches cannot be had without curves.

    Raises:
        InputError: the file is wrong or of another instance, is needed and not given, or is given for no batches.
    """
    if path is None:
        if needed and max_batch > 1:
            problem = "batches take times that the instance does not hold; give a file of `splitshare batch-curves`"
            raise InputError("--batch-curves", "", problem)
        return Batching(max_batch)
    if max_batch == 1:
        problem = "one by one nothing runs in batches; give --max-batch, or leave it out"
        raise InputError("--batch-curves", str(path), problem)
    curves = BatchCurves.read(path)
    curves.check(instance, path)
    return Batching(max_batch, curves)


def runs(instance: PlacementInstance) -> Iterator[tuple[str, str, str, float]]:
    """Every request class, module of it and device that can run it, with the seconds for one request."""
    for request in instance.requests:
        uses = [(use.module, instance.encoder_compute_s(request, j)) for j, use in enumerate(request.encoders)]
        for module, compute_s in [*uses, (request.head, instance.head_compute_s(request))]:
            for device, seconds in compute_s.items():
                if seconds is not None:
                    yield request.name, module, device, seconds


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """What stages of a ``StagePlan`` can run together, as flat arrays."""

    group: NDArray[np.int64]
    """Stages of one group, in requests of one size, can run together; a transfer has a group of its own. Shape
    (stages,)."""
    batch_s: NDArray[np.float64]
    """Seconds of the resource for a batch of so many stages at size 1; NaN: no batch has this size. Shape (stages,
    max_batch + 1)."""

    @property
    def least_s(self) -> NDArray[np.float64]:
        """Seconds of a stage's resource for one request, in the batch size that takes least; shape (stages,)."""
        sizes = np.arange(1, self.batch_s.shape[1])
        least: NDArray[np.float64] = np.nanmin(self.batch_s[:, 1:] / sizes, axis=1)
        return least


def batch_plan(plan: StagePlan, classes: tuple[str, ...], batching: Batching, overheads: Overheads) -> BatchPlan:
    """Lay out the batches of the stages of ``plan``.

    Args:
        plan: laid out with ``overheads``.
        classes: its request classes.
        batching: with curves, if its batches are of more than one request.
        overheads: a batch is one run.
    """
    group = np.arange(len(plan.kind))
    batch_s = np.full((len(plan.kind), batching.max_batch + 1), np.nan)
    batch_s[:, 1] = plan.service_s
    groups: dict[object, int] = {}
    for k, name in enumerate(classes):
        for i in range(int(plan.first[k]), int(plan.first[k + 1])):
            if plan.device[i] < 0:
                continue
            module, device = plan.modules[int(plan.module[i])], plan.devices[int(plan.device[i])]
            seconds = batching.seconds(module, device, name)
            group[i] = groups.setdefault((module, device, tuple(seconds.items())), i)
            for size, whole_s in seconds.items():
                batch_s[i, size] = whole_s + overheads.run_s
    return BatchPlan(group, batch_s)
