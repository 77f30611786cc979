"""How a head of ours was trained: the record beside its weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from splitshare.records import Finite, Name, Record, Whole


class FittedHead(Record):
    """``<head>.json``: how a head was trained, beside its weights."""

    schema_: Literal["splitshare.fitted-head/1"] = Field(alias="schema")
    head: Name
    benchmark: Name
    recipe: dict[str, str | Whole | Finite]
    """What was done, with every number of it."""
    data_sha256: str
    """Digest of the samples that it was trained on."""
    weights: str
    """Weights of the encoders whose features it was trained on."""
    answers: tuple[str, ...] = ()
    """What a VQA classifier's outputs mean, the first ones; further outputs mean nothing."""
    train_metric: Finite
    """Accuracy on what it was trained on."""
