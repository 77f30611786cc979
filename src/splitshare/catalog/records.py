"""Typed records of the catalogue files under ``data/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.choices import Dtype
from splitshare.records import (
    Bytes,
    BytesPerS,
    Finite,
    FlopsPerS,
    Name,
    Positive,
    PositiveBytes,
    PositiveCount,
    Record,
    Seconds,
    Whole,
    nearest,
)

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

ModuleKind = Literal["vision-encoder", "text-encoder", "audio-encoder", "head", "decoder"]
DTYPE_BYTES: dict[Dtype, int] = {"float32": 4, "float16": 2, "bfloat16": 2}
EncoderOutput = Literal["pooled", "patches"]
"""What an encoder sends to the head: one vector an item, or one a patch of the image."""


class Task(Record):
    """A task that a model solves."""

    name: Name
    title: str


class Benchmark(Record):
    """A data set that a task is judged on; ``classes`` is the number of prompts of a zero-shot request."""

    name: Name
    title: str
    task: Name
    classes: PositiveCount | None = None


class Architecture(Record):
    """A module's architecture: a builder of ``splitshare.modules`` and its parameters."""

    builder: Name
    kind: ModuleKind
    dtype: Dtype = "float32"
    params: dict[str, Whole | Finite | str | tuple[Whole, ...]]
    published: Name | None = None
    """The same image tower's name in ``data/published/timm_image_towers.csv``, where it is there."""


class ModuleRef(Record):
    """A module of a model: identity is architecture plus weights, and equal identities are shared."""

    architecture: Name
    weights: Name

    @property
    def module(self) -> str:
        """The module's name, ``architecture@weights``."""
        return f"{self.architecture}@{self.weights}"


class EncoderRef(ModuleRef):
    """An encoder of a model."""

    role: Literal["vision", "text", "audio"]
    items: PositiveCount | Literal["classes"] = 1
    """Inputs encoded with each request; ``classes``: one prompt for each class of the model's benchmark."""
    output: EncoderOutput = "pooled"
    """A module that gives both outputs is shared by models that take different ones."""


class HeadRef(ModuleRef):
    """The head of a model; a decoder's requests have lengths too."""

    prompt_tokens: PositiveCount | None = None
    """Text tokens that a decoder reads before it answers, image tokens not counted. They come with the request:
    a few hundred bytes, whose transfer is neglected."""
    new_tokens: PositiveCount | None = None
    """Tokens of a decoder's answer."""


class Model(Record):
    """A task model: one to three encoders and a head."""

    number: PositiveCount
    name: Name
    title: str
    task: Name
    benchmark: Name
    """The benchmark that a request stands for: its classes are the prompts of a zero-shot request."""
    other_benchmarks: tuple[Name, ...] = ()
    """Further benchmarks of the same task that the model is judged on."""
    encoders: tuple[EncoderRef, ...] = Field(min_length=1, max_length=3)
    head: HeadRef
    result_bytes: Bytes
    """Bytes of the answer that travels back to the source."""

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """All benchmarks, the one of its requests first."""
        return (self.benchmark, *self.other_benchmarks)

    def modules(self) -> dict[str, ModuleRef]:
        """The encoders by role and the head under ``head``, encoders first."""
        return {encoder.role: encoder for encoder in self.encoders} | {"head": self.head}


class TasksFile(Record):
    """``data/catalogue/tasks.yaml``."""

    schema_: Literal["splitshare.tasks/1"] = Field(alias="schema")
    tasks: tuple[Task, ...]
    benchmarks: tuple[Benchmark, ...]


class ArchitecturesFile(Record):
    """``data/catalogue/architectures.yaml``."""

    schema_: Literal["splitshare.architectures/1"] = Field(alias="schema")
    architectures: dict[Name, Architecture]


class ModelsFile(Record):
    """``data/catalogue/models.yaml``."""

    schema_: Literal["splitshare.models/1"] = Field(alias="schema")
    models: tuple[Model, ...]


class Workload(Record):
    """Models that run side by side, at equal rates unless the trace says otherwise."""

    name: Name
    title: str
    models: tuple[Name, ...] = Field(min_length=1)


class WorkloadsFile(Record):
    """``data/catalogue/workloads.yaml``."""

    schema_: Literal["splitshare.workloads/1"] = Field(alias="schema")
    workloads: tuple[Workload, ...]


class PublishedCpu(Record):
    """The device's latencies are published for image towers: a column of the published table."""

    rule: Literal["published-cpu"]
    column: Name
    """Latency column (milliseconds, fp32, batch 1) of ``data/published/timm_image_towers.csv``."""
    measured_on: Name
    """The CPU, by its device file with the rule ``measured-cpu`` and its profile, that tells what a launch takes."""
    launch_factor: Positive
    """How many times as long as on that CPU handing over an operation takes."""


class GpuSheet(Record):
    """What a GPU's data sheet says it computes at most, dense, by precision."""

    peak_float32_flops_per_s: FlopsPerS
    peak_tf32_flops_per_s: FlopsPerS
    """Convolutions of float32 run at it where the GPU has it, as torch has them by default; float32's where not."""
    peak_float16_flops_per_s: FlopsPerS
    """Peak at 16 bits; bfloat16 modules run at it, as float16 of that size where there is no bfloat16."""


class Launches(GpuSheet):
    """Nothing is published for the GPU: its data sheet, and what launching costs on one that was measured."""

    rule: Literal["launches"]
    measured_on: Name
    """The GPU, by its device file (rule ``measured-gpu``) and its profile, that the rule's values are fitted on."""
    launch_factor: Positive
    """How many times as long as on that GPU's host launching an operation takes."""


class MeasuredGpu(GpuSheet):
    """The GPU's profile is measured; its data sheet says what the rule ``launches`` would have made of it."""

    rule: Literal["measured-gpu"]


class MeasuredCpu(Record):
    """The CPU's profile is measured; the rule ``published-cpu`` is held against it."""

    rule: Literal["measured-cpu"]


class DeviceSpec(Record):
    """A device type, ``data/devices/*.yaml``, and the rule that its profile comes from."""

    schema_: Literal["splitshare.device/1"] = Field(alias="schema")
    name: Name
    title: str
    cpu: str | None = None
    gpu: str | None = None
    """The processor that runs the modules, where the device has one."""
    memory_bytes: PositiveBytes
    memory_bandwidth_bytes_per_s: BytesPerS
    """Theoretical peak of the memory that weights are read from; measured where the device is."""
    bandwidth_efficiency: Positive = Field(le=1)
    """Share of that peak that a module can draw."""
    profile: PublishedCpu | Launches | MeasuredCpu | MeasuredGpu = Field(discriminator="rule")
    sources: dict[str, str]
    """Where each figure was read, or why it was assumed; one entry for each figure, none may be missing."""

    @property
    def drawn_bytes_per_s(self) -> float:
        """Memory bandwidth that a module can draw."""
        return self.memory_bandwidth_bytes_per_s * self.bandwidth_efficiency

    @model_validator(mode="after")
    def _every_figure_has_its_source(self) -> Self:
        figures = ["memory_bytes", "memory_bandwidth_bytes_per_s", "bandwidth_efficiency"]
        figures += [f"profile.{name}" for name in type(self.profile).model_fields if name != "rule"]
        for figure in figures:
            if figure not in self.sources:
                raise ValueError(f"sources: {figure!r} has no source; say where the figure was read")
        for key in self.sources:
            if key not in figures:
                raise ValueError(f"sources: {key!r} is no figure of this device; {nearest(key, figures)}")
        return self


class TestbedDevice(Record):
    """A device of a testbed: a name, the device type whose profile it has, the memory that models may use."""

    __test__ = False  # not a test class, whatever its name starts with
    name: Name
    device_type: Name
    """By its profile ``profiles/<device>.json``; ``this-machine`` is measured in the run."""
    tier: Literal["edge", "cloud"] = "edge"
    models_memory_bytes: PositiveBytes | None = None
    """Memory for weights; left out, a fixed share of the profiled device's memory (``catalog.testbeds``)."""
    precision: Dtype | None = None
    """Floating point type in which it holds modules and computes; left out, each module's own in the catalogue."""


class TestbedLink(Record):
    """A link of a testbed."""

    __test__ = False
    a: Name
    b: Name
    latency_s: Seconds
    bandwidth_bytes_per_s: BytesPerS
    cell: Name | None = None


class Testbed(Record):
    """Devices and links, ``data/testbeds/*.yaml``."""

    __test__ = False
    schema_: Literal["splitshare.testbed/1"] = Field(alias="schema")
    name: Name
    title: str
    devices: tuple[TestbedDevice, ...] = Field(min_length=1)
    links: tuple[TestbedLink, ...]
    source: Name
    """The device that requests come from."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names: dict[str, int] = {}
        for i, device in enumerate(self.devices):
            if device.name in names:
                raise ValueError(
                    f"devices[{i}].name: {device.name!r} is the name of devices[{names[device.name]}] too; "
                    "choose another"
                )
            names[device.name] = i
        if self.source not in names:
            raise ValueError(f"source: unknown device {self.source!r}; {nearest(self.source, list(names))}")
        pairs: dict[frozenset[str], int] = {}
        for i, link in enumerate(self.links):
            for end, name in (("a", link.a), ("b", link.b)):
                if name not in names:
                    raise ValueError(f"links[{i}].{end}: unknown device {name!r}; {nearest(name, list(names))}")
            if link.a == link.b:
                raise ValueError(f"links[{i}].b: a link joins two different devices, not {link.a!r} with itself")
            pair = frozenset((link.a, link.b))
            if pair in pairs:
                raise ValueError(f"links[{i}]: joins the same devices as links[{pairs[pair]}]; keep one")
            pairs[pair] = i
        return self
