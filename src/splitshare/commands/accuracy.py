"""Judge models on the fetched benchmarks, whole, split and shared; writes the record OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import (
    Batch,
    CatalogRoot,
    DecoderBatch,
    Device,
    Fetched,
    KeepGoing,
    Locks,
    Output,
    PinsPath,
    Precisions,
    Samples,
    Seed,
    Threads,
    Tokenizers,
    Weights,
    Work,
)
from splitshare.places import DATA, HUB_PINS


@dataclass(frozen=True)
class JudgingOptions:
    """What judging models and training heads both ask."""

    output: Output
    benchmarks_root: Fetched = Path("results/benchmarks")
    locks: Locks = field(default_factory=list)
    work: Work = Path("results/accuracy")
    weights: Weights = "hub"
    tokenizers: Tokenizers = None
    pins: PinsPath = HUB_PINS
    samples: Samples = None
    batch: Batch = 32
    threads: Threads = None
    torch_device: Device = "auto"
    seed: Seed = 0
    keep_going: KeepGoing = False
    catalog_root: CatalogRoot = DATA


@dataclass(frozen=True)
class Options(JudgingOptions):
    """Options of ``splitshare accuracy``."""

    models: Annotated[list[str], typer.Option("--model", help="Model; repeatable; default all.")] = field(
        default_factory=list
    )
    benchmarks: Annotated[list[str], typer.Option("--benchmark", help="Repeatable; default all that were fetched.")] = (
        field(default_factory=list)
    )
    precisions: Precisions = field(default_factory=list)
    decoder_batch: DecoderBatch = 8
    heads: Annotated[Path, typer.Option(help="Directory of fitted heads.")] = Path("results/heads")
