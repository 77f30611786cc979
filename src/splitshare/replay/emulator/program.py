"""What workers are told before a replay: the stages of each request class, and who holds which module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from splitshare.choices import Dtype
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.records import Amount, BatchSize, Bytes, Count, Name, PositiveCount, Record, Seconds
from splitshare.replay.batching import ONE_BY_ONE, Batching
from splitshare.replay.plan import STAGES, Overheads, StageKind, build_plan


class Step(Record):
    """One stage of a request class: a transfer from ``begin`` to ``end``, or a module that runs on both."""

    kind: StageKind
    module: Name
    begin: Name
    end: Name
    size_bytes: Amount
    """Bytes of the tensor that travels; of what a module gives, where it runs."""
    compute_s: Seconds
    """Seconds of computing, 0 for a transfer."""
    batches: dict[PositiveCount, Seconds] = Field(default_factory=dict)
    """Seconds of computing for a batch of so many requests' stages; empty: not known."""
    delay_s: Seconds
    """The link's latency, 0 where nothing travels."""
    waits: Count
    """How many stages must be done before it."""
    after: tuple[Count, ...]
    """Places of the stages that wait for it."""

    @property
    def computes(self) -> bool:
        """Whether a module runs."""
        return self.kind in {"encode", "head"}


class ClassProgram(Record):
    """The stages of one request class, in the simulator's order."""

    name: Name
    model: Name
    source: Name
    steps: tuple[Step, ...] = Field(min_length=1)

    def signalled(self, place: int) -> list[str]:
        """Devices where a stage begins that waits for ``place`` and takes nothing of it: they are sent a signal."""
        end = self.steps[place].end
        return sorted({self.steps[after].begin for after in self.steps[place].after} - {end})

    @model_validator(mode="after")
    def _places_exist(self) -> ClassProgram:
        for i, step in enumerate(self.steps):
            if any(not 0 <= place < len(self.steps) for place in step.after):
                raise ValueError(f"steps[{i}].after: names a stage that there is not")
        return self


class Program(Record):
    """A placement as workers carry it out; a later one (after a failure) has the next ``epoch``."""

    schema_: Literal["splitshare.emulation-program/1"] = Field(alias="schema")
    epoch: Count
    classes: tuple[ClassProgram, ...]
    max_batch: BatchSize = 1
    """How many requests' stages a worker is to run as one batch at most (``splitshare.replay.batching``)."""
    modules: dict[Name, dict[Name, Bytes]]
    """Resident bytes of each module by device."""
    precisions: dict[Name, Dtype] = Field(default_factory=dict)
    """Floating point type in which real modules are built, of the devices whose modules are not as catalogued."""


# Long: one record, a field after the other.
def build_program(
    instance: PlacementInstance,
    routes: Mapping[str, Route],
    assignment: Mapping[str, Sequence[str]],
    *,
    epoch: int,
    batching: Batching = ONE_BY_ONE,
    source: Path | str = "placement",
) -> Program:
    """Lay out a placement for the workers; the stages are the simulator's own (``build_plan``).

    Args:
        instance: what is emulated.
        routes: of its request classes.
        assignment: devices by module.
        epoch: number of the placement.
        batching: how workers form batches; its curves must be of this instance (``BatchCurves.check``).
        source: file that the placement came from, for messages.

    Raises:
        InputError: a route cannot be gone; or encoders that follow one another (``routing: sequential``) are on two
            devices that no link joins, so that the second cannot be told of the end of the first.
    """
    requests = [request for request in instance.requests if request.name in routes]
    names = [request.name for request in requests]
    plan = build_plan(instance, routes, names, "serial", source, Overheads(signals=True))
    classes = []
    for k, request in enumerate(requests):
        first, route = int(plan.first[k]), routes[request.name]
        hosts = [host or "" for host in route.encoders]  # build_plan refuses routes with holes
        count = len(hosts)
        head = route.head or ""
        begins = [request.source] * count + hosts + hosts + [head, head]
        ends = hosts + hosts + [head] * count + [head, request.source]
        steps = []
        for place in range(int(plan.first[k + 1]) - first):
            i = first + place
            computes, module = plan.device[i] >= 0, plan.modules[int(plan.module[i])]
            steps.append(
                Step(
                    kind=STAGES[int(plan.kind[i])],
                    module=module,
                    begin=begins[place],
                    end=ends[place],
                    size_bytes=round(float(plan.size_bytes[i])),
                    compute_s=float(plan.service_s[i]) if computes else 0.0,
                    batches=batching.seconds(module, ends[place], request.name) if computes else {},
                    delay_s=float(plan.delay_s[i]),
                    waits=int(plan.waits[i]),
                    after=tuple(int(a) for a in (plan.next_a[i], plan.next_b[i]) if a >= 0),
                )
            )
        classes.append(ClassProgram(name=request.name, model=request.model, source=request.source, steps=tuple(steps)))
    held: dict[str, dict[str, float]] = {device.name: {} for device in instance.devices}
    for name, devices in assignment.items():
        for device in devices:
            held[device][name] = instance.modules_by_name[name].bytes_on(device)
    return Program(
        schema_="splitshare.emulation-program/1",
        epoch=epoch,
        classes=tuple(classes),
        max_batch=batching.max_batch,
        modules=held,
        precisions={d.name: d.precision for d in instance.devices if d.precision is not None},
    )
