"""The parts of a configuration that speak of replays: the scenario of request traces, and sweeps of load."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field, model_validator

from splitshare.choices import DrawnTrace, LinkModel
from splitshare.records import Factor, Label, Name, PerS, PositiveCount, Record


class Timeline(Record):
    """The replay of which the first request of each class is drawn, stage by stage."""

    method: Label
    trace: DrawnTrace
    rate_per_s: PerS


class Replay(Record):
    """The replayed scenario and its request traces."""

    workload: Name
    testbed: Name
    methods: tuple[Label, ...] = Field(min_length=1)
    """Methods whose placements are replayed (the optimum by its first solver)."""
    rates_per_s: tuple[PerS, ...] = Field(min_length=1)
    """Offered requests a second over all classes."""
    traces: tuple[DrawnTrace, ...] = Field(min_length=1)
    requests: PositiveCount
    """Requests of each trace; percentiles need enough of them (662 for p99)."""
    link_models: tuple[LinkModel, ...] = Field(min_length=1)
    timeline: Timeline

    @model_validator(mode="after")
    def _timeline_is_of_a_replay(self) -> Replay:
        for field, value, offered in (
            ("method", self.timeline.method, self.methods),
            ("trace", self.timeline.trace, self.traces),
            ("rate_per_s", self.timeline.rate_per_s, self.rates_per_s),
        ):
            if value not in offered:
                raise ValueError(f"timeline.{field}: {value!r} is not replayed: {', '.join(map(str, offered))}")
        return self


class LoadSweep(Record):
    """Placements under load, from idle to saturation: what becomes of latency, and where limits are missed."""

    workload: Name
    testbeds: tuple[Name, ...] = Field(min_length=1)
    methods: tuple[Label, ...] = Field(min_length=1)
    """Methods whose placements are loaded."""
    reference: Label
    """The method whose placement says at which rates and within which limits all are held: the same for all."""
    limit_factor: Annotated[float, Field(ge=1.0, le=1e6)]
    """A request is in time up to so many times its class's latency on the reference's placement, idle."""
    attainment: Annotated[float, Field(ge=0.01, le=0.999)]
    """Share of the requests that must be in time; the knee is the rate at which it falls to that."""
    shares: tuple[Factor, ...] = Field(min_length=1)
    """Offered rates, as shares of the rate that the reference's placement holds; ascending."""
    latencies_at: tuple[Factor, ...] = Field(min_length=1)
    """Of these the ones of which all of the latencies' distribution is kept and drawn."""
    requests: Annotated[PositiveCount, Field(ge=150)]
    """Of each replay; at least so many as a 95th percentile needs after the warm-up."""
    seeds: Annotated[int, Field(ge=2, le=10_000)]
    """Replays of each rate, from the configuration's seed on; the spread over them says how sure it is."""
    seeds_a_job: PositiveCount
    """A job of the workflow takes so many seeds."""
    link_model: LinkModel

    @model_validator(mode="after")
    def _shares_are_in_order(self) -> LoadSweep:
        for i, (one, following) in enumerate(itertools.pairwise(self.shares)):
            if following <= one:
                raise ValueError(f"shares[{i + 1}]: {following:g} does not come after {one:g}; write them ascending")
        for i, share in enumerate(self.latencies_at):
            if share not in self.shares:
                raise ValueError(
                    f"latencies_at[{i}]: {share:g} is none of `shares`: {', '.join(map(str, self.shares))}"
                )
        for field, values in (("testbeds", self.testbeds), ("methods", self.methods)):
            if len(set(values)) < len(values):
                raise ValueError(f"{field}: one is there twice; keep one")
        return self
