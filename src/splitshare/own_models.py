"""The part of a configuration that speaks of models of one's own."""

from __future__ import annotations

from pydantic import Field

from splitshare.records import Label, Name, PerS, PositiveCount, Record


class OwnReplay(Record):
    """Requests to one's own models, replayed by the simulator, and by worker processes with the real modules."""

    method: Label
    """Whose placements are replayed."""
    rate_per_s: PerS
    """Offered requests a second over all models of a workload."""
    requests: PositiveCount


class OwnModels(Record):
    """Models of one's own, whose catalogue `splitshare catalogue` wrote."""

    data: str
    """Directory of that catalogue."""
    testbeds: tuple[Name, ...] = Field(min_length=1)
    """Where they are placed. Times of ``this-machine`` are measured in the run; those of other device types are read in
    a study's ``profiles/<device_type>.json``, measured with that catalogue, or else derived from the type's file."""
    workloads: tuple[Name, ...] = Field(min_length=1)
    """Of that catalogue."""
    replay: OwnReplay | None = None
    """``null``: nothing is replayed."""
