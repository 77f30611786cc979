"""How a training went, as a file beside the weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from splitshare.records import Name, PositiveCount, Record, Seconds, Seed


class TrainingLog(Record):
    """``training-<first model>.json`` beside the weights."""

    schema_: Literal["splitshare.embedded-training/1"] = Field(alias="schema")
    models: tuple[Name, ...]
    """Models that were trained together."""
    data_sha256: str
    seed: Seed
    epochs: PositiveCount
    threads: PositiveCount
    torch_device: str = "cpu"
    loss: tuple[Seconds, ...]
    """Mean loss of each epoch, summed over the tasks."""
    seconds: Seconds
