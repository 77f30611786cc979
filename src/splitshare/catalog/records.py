"""Typed records of the catalogue files under ``data/``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from splitshare.records import Name, NonNegative, Positive, PositiveCount, Record

ModuleKind = Literal["vision-encoder", "text-encoder", "audio-encoder", "head", "decoder"]
Dtype = Literal["float32", "bfloat16"]


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
    params: dict[str, int | float | str]


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


class Model(Record):
    """A task model: one to three encoders and a head."""

    number: PositiveCount
    name: Name
    title: str
    task: Name
    benchmark: Name
    encoders: tuple[EncoderRef, ...] = Field(min_length=1, max_length=3)
    head: ModuleRef
    result_bytes: NonNegative
    """Bytes of the answer that travels back to the source."""


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


class Roofline(Record):
    """Nothing is published for the device: a roofline from its specification sheet."""

    rule: Literal["roofline"]
    peak_float32_flops_per_s: Positive
    peak_bfloat16_flops_per_s: Positive


class Measured(Record):
    """The device's profile was measured by ``splitshare profile``; nothing is computed."""

    rule: Literal["measured"]


class DeviceSpec(Record):
    """A device type, ``data/devices/*.yaml``, and the rule that its profile comes from."""

    schema_: Literal["splitshare.device/1"] = Field(alias="schema")
    name: Name
    title: str
    processor: str
    memory_bytes: Positive
    memory_bandwidth_bytes_per_s: Positive
    source: str
    """Where the specification was read."""
    profile: PublishedCpu | Roofline | Measured = Field(discriminator="rule")


class TestbedDevice(Record):
    """A device of a testbed: a name, the device type whose profile it has, the memory that models may use."""

    __test__ = False  # not a test class, whatever its name starts with
    name: Name
    device: Name
    """Device type, by its profile ``profiles/<device>.json``; ``this-machine`` is measured in the run itself."""
    tier: Literal["edge", "cloud"] = "edge"
    models_memory_bytes: Positive


class TestbedLink(Record):
    """A link of a testbed."""

    __test__ = False
    a: Name
    b: Name
    latency_s: NonNegative
    bandwidth_bytes_per_s: Positive
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
