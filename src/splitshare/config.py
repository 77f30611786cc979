"""The workflow's configuration: one typed record, read once, refused as a whole if a key is wrong."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from splitshare.choices import TORCH_DEVICE, SizeClass, Solver, WeightsKind
from splitshare.errors import InputError
from splitshare.methods import Method
from splitshare.own_models import OwnModels
from splitshare.ranges import LONGEST_RUN_S
from splitshare.records import (
    LABEL,
    BatchSize,
    BytesPerS,
    Factor,
    Label,
    Name,
    PositiveCount,
    PositiveSeconds,
    Record,
    Seconds,
    Seed,
    Skew,
    WaitSeconds,
)
from splitshare.replays import LoadSweep, Replay

SAFE = "use letters, digits and @ . _ + - in names of files and in values"


class Profiling(Record):
    """How this machine is measured."""

    budget_s: WaitSeconds
    """Seconds of repetitions for each module and batch."""
    longest_run_s: WaitSeconds = LONGEST_RUN_S
    """Seconds of a run beyond which it is the only one, and batches that no request asks for are left out."""
    threads: PositiveCount | None = None
    """Torch threads; ``null`` for all processors."""
    torch_device: str = Field("cpu", pattern=f"^({TORCH_DEVICE})$")
    """Where torch computes; auto is what there is beside the CPU, else the CPU."""
    gpus: Literal["auto"] | tuple[Annotated[str, Field(pattern=f"^({TORCH_DEVICE})$")], ...] = "auto"
    """GPUs measured beside it, each a device of its own in ``local_testbed``; auto: all that there are, if torch
    computes on the CPU."""


def _number(value: object) -> object:
    """A number that is text: what Snakemake makes of ``--config 'benchmarks={"samples": 500}'``."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


class Benchmarks(Record):
    """Which benchmarks are fetched from the hub and judged."""

    names: tuple[Name, ...] = Field(min_length=1)
    samples: Annotated[PositiveCount | None, BeforeValidator(_number)] = None
    """Of each a subset of so many, drawn by the run's seed; ``null``: whole splits."""
    weights: WeightsKind = "hub"
    """Published weights; random ones only serve to try the path."""
    batch: PositiveCount = 32
    """Samples at once."""
    decoder_batch: PositiveCount = 8
    """Samples at once of models that answer in words, which hold keys and values of each."""


class EmulatedBatches(Record):
    """Replays in which devices that become free run several requests' stages of one module at once."""

    instances: tuple[Name, ...] = Field(min_length=1)
    """Canonical instances."""
    max_batch: Annotated[BatchSize, Field(ge=2)]
    """Requests' stages in a batch at most."""
    load: Factor
    """Utilisation of the busiest device or link if everything ran one by one: batches are formed of what waits."""


class EveryRun(Record):
    """What of the emulation is part of every run."""

    instances: tuple[Name, ...] = Field(min_length=1)
    """Canonical instances, replayed once each."""
    requests: PositiveCount
    """Requests of a trace, for each request class."""


class Emulation(Record):
    """Replays by worker processes over shaped links, beside the simulator's."""

    method: Label
    """Whose placements are replayed."""
    every_run: EveryRun
    campaign: tuple[Name, ...] = Field(min_length=1)
    """Canonical instances of the target ``fidelity`` and of the recorded campaign; the last one loses ``crash``."""
    real: tuple[Name, ...] = Field(min_length=1)
    """Canonical instances of the campaign that are replayed with real modules too, to explain the difference."""
    namespaces: tuple[Name, ...]
    """Canonical instances of the campaign that are replayed over network namespaces too; empty: there are none to be
    had, without root and user namespaces."""
    batches: EmulatedBatches
    """Replays of the campaign with batches."""
    repeats: PositiveCount
    """Emulated runs of each trace of the campaign, and of each measurement of links."""
    crash: Name
    crashes: PositiveCount = 1
    """How often, each time with other requests."""
    """Device that is killed in a further run of the last instance."""
    load: Factor
    """Utilisation of the busiest device or link."""
    requests: PositiveCount
    """Requests of a trace of the campaign, for each request class."""
    least_requests: PositiveCount
    """Requests of a trace of the campaign at least: so many as a percentile of all repeats together needs."""
    real_requests: PositiveCount
    """Requests of a trace for real modules, for each request class."""


class CloudCell(Record):
    """One network between the small device and the cloud, and one speed of the small device."""

    round_trip_s: Seconds
    bandwidth_bytes_per_s: BytesPerS
    speed: Factor
    """Factor on the speed of the device that requests come from."""


class CloudPair(Record):
    """An edge and a cloud."""

    edge_testbed: Name
    cloud_testbed: Name


class CloudGrid(CloudPair):
    """Where the edge is held against the cloud (claim S5)."""

    round_trips_s: tuple[Seconds, ...] = Field(min_length=1)
    bandwidths_bytes_per_s: tuple[BytesPerS, ...] = Field(min_length=1)
    speeds: tuple[Factor, ...] = Field(min_length=1)
    stated: CloudCell
    """The cell that the verdict is read at, stated before any run."""

    @property
    def cells(self) -> tuple[CloudCell, ...]:
        """All cells, the speed changing fastest."""
        axes = itertools.product(self.round_trips_s, self.bandwidths_bytes_per_s, self.speeds)
        return tuple(CloudCell(round_trip_s=r, bandwidth_bytes_per_s=b, speed=s) for r, b, s in axes)

    @model_validator(mode="after")
    def _stated_cell_is_in_the_grid(self) -> CloudGrid:
        cell = self.stated
        for field, value, offered in (
            ("round_trip_s", cell.round_trip_s, self.round_trips_s),
            ("bandwidth_bytes_per_s", cell.bandwidth_bytes_per_s, self.bandwidths_bytes_per_s),
            ("speed", cell.speed, self.speeds),
        ):
            if value not in offered:
                raise ValueError(f"stated.{field}: {value!r} is not in the grid: {', '.join(map(str, offered))}")
        return self


class Measured(Record):
    """Testbeds in which every time is measured, beside the canonical ones (claims S4 and S5)."""

    testbeds: tuple[Name, ...] = Field(min_length=1)
    workloads: tuple[Name, ...] = Field(min_length=1)
    """What is placed there: workloads of which every module has measured times on every device that can run it."""
    clouds: tuple[CloudPair, ...] = Field(min_length=1)
    """Where S5 is read, too, with these workloads at the stated cell of the grid."""


class Embedded(Record):
    """The embedded benchmark: small models that are trained in the run."""

    epochs: PositiveCount
    """Passes over the training images."""
    workloads: tuple[Name, ...] = Field(min_length=1)
    """Workloads of its own catalogue (``data/embedded``) that are placed on ``local_testbed``."""


class OnloadingSweep(Record):
    """Instances of which one thing at a time is varied: memory, load, bandwidth, clients, and the skew of demand."""

    clients: PositiveCount
    servers: PositiveCount
    tasks: PositiveCount
    models: PositiveCount
    factors: tuple[Factor, ...] = Field(min_length=1)
    client_counts: tuple[PositiveCount, ...] = Field(min_length=1)
    skews: tuple[Skew, ...] = ()
    """Zipf's exponents of the demand over tasks; 0: all are as popular."""
    seeds: tuple[Seed, ...] = Field(min_length=1)
    methods: tuple[Name, ...] = Field(min_length=1)


class OnloadingReplay(Record):
    """Decisions that are replayed, query by query."""

    instances: tuple[Name, ...] = Field(min_length=1)
    loads: tuple[Factor, ...] = Field(min_length=1)
    """Shares of the planned demand that arrive."""
    horizon_s: PositiveSeconds
    warm_up_s: Seconds
    """Seconds at the start that are not counted, while queues fill."""


class Onloading(Record):
    """The onloading problem (J3O): the suite, its record, and what is studied around it."""

    zoo: str
    """File of the zoo that sweeps draw models from."""
    suite: str
    """File of the instances, one a line."""
    record: str
    """File of the recorded results."""
    sizes: tuple[SizeClass, ...] = Field(min_length=1)
    """Size classes that a run decides again."""
    ablation_size: SizeClass
    converging: tuple[Name, ...] = Field(min_length=1)
    """Instances whose rounds are drawn."""
    sweep: OnloadingSweep
    replay: OnloadingReplay


class Config(Record):
    """``config/*.yaml``."""

    schema_: Literal["splitshare.config/1"] = Field(alias="schema")
    results: str
    """Directory of everything that a run computes."""
    figures: str
    """Directory of the canonical tables and figures."""
    pinned_instances: str | None = None
    """File of digests that the canonical instances must have; ``null``: not compared."""
    workloads: tuple[Name, ...] = Field(min_length=1)
    testbeds: tuple[Name, ...] = Field(min_length=1)
    """Canonical testbeds, made of committed profiles."""
    sharing_workload: Name
    """Workload that the saving by sharing is read at (claim S2)."""
    local_workloads: tuple[Name, ...] = ()
    """Workloads of ``local_testbed``; their modules are what is measured on this machine."""
    local_testbed: Name | None = None
    """Testbed with ``this-machine`` in it, which the run measures; ``null``: nothing is measured."""
    algorithms: tuple[str, ...] = Field(min_length=1)
    """Names, or ``path/to/file.py:Class``, with parameters in brackets or without: ``s2m3-greedy[order=memory,file]``
    are two. In tables, and where a configuration names one of them again, a file stands without its folder."""
    solvers: tuple[Solver, ...] = Field(min_length=1)
    """Solvers that prove the optimum, each on its own; they must agree."""
    time_limit_s: WaitSeconds
    """Limit for each instance and solver; an optimum that is not proved by then fails the run."""
    seed: Seed
    compared: tuple[str, ...] = ()
    """What the target ``compare`` holds against the recorded baselines: names, or ``path/to/file.py:Class``."""
    profiling: Profiling
    replay: Replay
    load_sweep: LoadSweep | None = None
    """``null``: no placement is loaded."""
    cloud: CloudGrid
    measured: Measured | None = None
    """``null``: there are none."""
    emulation: Emulation | None = None
    """``null``: nothing is emulated."""
    onloading: Onloading
    embedded: Embedded | None = None
    """``null``: nothing is trained."""
    own_models: OwnModels | None = None
    """``null``: there are none."""
    benchmarks: Benchmarks | None = None
    """What ``snakemake benchmarks`` fetches and ``snakemake accuracy`` judges; ``null``: the run stays offline."""

    @model_validator(mode="after")
    def _methods_have_labels(self) -> Config:
        for field in ("algorithms", "compared"):
            labels: list[str] = []
            for i, text in enumerate(getattr(self, field)):
                for spelled in _spelled(f"{field}[{i}]", text):
                    label = spelled.label
                    if not re.fullmatch(LABEL, label):
                        raise ValueError(f"{field}[{i}]: {label!r} cannot be a folder's name; {SAFE}")
                    if label in labels:
                        raise ValueError(f"{field}[{i}]: {label!r} is there twice; keep one")
                    labels.append(label)
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        unique = {field: getattr(self, field) for field in ("workloads", "local_workloads", "testbeds", "solvers")}
        if self.measured is not None:
            unique |= {"measured.testbeds": self.measured.testbeds, "measured.workloads": self.measured.workloads}
        for field, values in unique.items():
            for i, value in enumerate(values):
                if value in values[:i]:
                    raise ValueError(f"{field}[{i}]: {value!r} is there twice; keep one")
        if "optimum" in self.algorithms:
            raise ValueError("algorithms: 'optimum' is always solved, by each of `solvers`; leave it out here")
        for i, method in enumerate(self.replay.methods):
            if method not in self.methods:
                raise ValueError(
                    f"replay.methods[{i}]: {method!r} is not solved in this run; it solves {', '.join(self.methods)}"
                )
        if self.local_testbed is not None and not self.local_workloads:
            raise ValueError(
                "local_workloads: is empty; name what this machine is to place, or set local_testbed to null"
            )
        if self.sharing_workload not in self.workloads:
            raise ValueError(f"sharing_workload: {self.sharing_workload!r} is not among this run's workloads")
        if self.cloud.edge_testbed not in self.testbeds:
            raise ValueError(
                f"cloud.edge_testbed: {self.cloud.edge_testbed!r} is not among this run's: {', '.join(self.testbeds)}"
            )
        for field, known in (("workload", self.workloads), ("testbed", self.testbeds)):
            value = getattr(self.replay, field)
            if value not in known:
                raise ValueError(f"replay.{field}: {value!r} is not among this run's: {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _optional_parts_consistent(self) -> Config:
        if self.embedded is not None and self.local_testbed is None:
            raise ValueError("embedded: its modules are placed on local_testbed, which is null; set this to null too")
        if self.emulation is not None:
            self._check_emulation(self.emulation)
        if self.load_sweep is not None:
            self._check_load_sweep(self.load_sweep)
        own = self.own_models.replay if self.own_models is not None else None
        if own is not None and own.method not in self.methods:
            raise ValueError(
                f"own_models.replay.method: {own.method!r} is not solved in this run; it solves "
                f"{', '.join(self.methods)}"
            )
        return self

    def _check_emulation(self, emulation: Emulation) -> None:
        if emulation.method not in self.methods:
            raise ValueError(
                f"emulation.method: {emulation.method!r} is not solved in this run; it solves {', '.join(self.methods)}"
            )

    def _check_load_sweep(self, sweep: LoadSweep) -> None:
        for field, methods in (("methods", sweep.methods), ("reference", (sweep.reference,))):
            for method in methods:
                if method not in self.methods:
                    raise ValueError(
                        f"load_sweep.{field}: {method!r} is not solved in this run; it solves {', '.join(self.methods)}"
                    )

    @property
    def solved(self) -> tuple[Method, ...]:
        """Every method of the run: the optimum once for each solver, and the algorithms."""
        optima = (Method("optimum", solver) for solver in self.solvers)
        return (*optima, *(method for text in self.algorithms for method in Method.specs(text)))

    @property
    def methods(self) -> tuple[str, ...]:
        """Labels of every method of the run."""
        return tuple(method.label for method in self.solved)

    @property
    def optimum(self) -> str:
        """The method that others are held against: the optimum by the first solver."""
        return f"optimum-{self.solvers[0]}"

    def directory(self, part: str) -> Path:
        """Directory of a part of the results: ``canonical`` or ``local``."""
        return Path(self.results) / part


def _spelled(field: str, text: str) -> tuple[Method, ...]:
    try:
        return Method.specs(text)
    except InputError as error:
        raise ValueError(f"{field}: {str(error).partition(': ')[2]}") from None
