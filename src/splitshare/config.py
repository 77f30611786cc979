"""The workflow's configuration: one typed record, read once, refused as a whole if a key is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from splitshare.records import Count, Name, Positive, PositiveCount, Record

Solver = Literal["gurobi", "highs"]


class Profiling(Record):
    """How this machine is measured."""

    budget_s: Positive
    """Seconds of repetitions for each module and batch."""
    threads: PositiveCount | None = None
    """Torch threads; ``null`` for all processors."""
    torch_device: Literal["cpu", "cuda"] = "cpu"


class Timeline(Record):
    """The replay of which the first request of each class is drawn, stage by stage."""

    method: Name
    trace: Literal["poisson", "bursty"]
    rate_per_s: Positive


class Replay(Record):
    """The replayed scenario and its request traces."""

    workload: Name
    testbed: Name
    methods: tuple[Name, ...] = Field(min_length=1)
    """Algorithms whose placements are replayed (the optimum by its first solver)."""
    rates_per_s: tuple[Positive, ...] = Field(min_length=1)
    """Offered requests a second over all classes."""
    traces: tuple[Literal["poisson", "bursty"], ...] = Field(min_length=1)
    requests: PositiveCount
    """Requests of each trace; percentiles need enough of them (662 for p99)."""
    link_models: tuple[Literal["independent", "serial", "shared-medium"], ...] = Field(min_length=1)
    timeline: Timeline


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
    local_testbed: Name | None = None
    """Testbed with ``this-machine`` in it, which the run measures; ``null``: nothing is measured."""
    algorithms: tuple[Name, ...] = Field(min_length=1)
    solvers: tuple[Solver, ...] = Field(min_length=1)
    """Solvers that prove the optimum, each on its own; they must agree."""
    time_limit_s: Positive
    """Limit for each instance and solver; an optimum that is not proved by then fails the run."""
    seed: Count
    profiling: Profiling
    replay: Replay

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        for field in ("workloads", "testbeds", "algorithms", "solvers"):
            values = getattr(self, field)
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
        timeline = self.replay.timeline
        for field, value, offered in (
            ("method", timeline.method, self.replay.methods),
            ("trace", timeline.trace, self.replay.traces),
            ("rate_per_s", timeline.rate_per_s, self.replay.rates_per_s),
        ):
            if value not in offered:
                raise ValueError(f"replay.timeline.{field}: {value!r} is not replayed: {', '.join(map(str, offered))}")
        for field, known in (("workload", self.workloads), ("testbed", self.testbeds)):
            value = getattr(self.replay, field)
            if value not in known:
                raise ValueError(f"replay.{field}: {value!r} is not among this run's: {', '.join(known)}")
        return self

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of the run: the algorithms, and the optimum once for each solver."""
        return (*(f"optimum-{solver}" for solver in self.solvers), *self.algorithms)

    @property
    def optimum(self) -> str:
        """The method that others are held against: the optimum by the first solver."""
        return f"optimum-{self.solvers[0]}"

    def directory(self, part: str) -> Path:
        """Directory of a part of the results: ``canonical`` or ``local``."""
        return Path(self.results) / part
