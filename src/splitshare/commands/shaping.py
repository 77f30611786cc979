"""Measure how well the emulator's links are shaped, over rates and latencies; a table to the file OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import COUNT, LIMIT, Network, Output

BYTES_PER_S = (1.25e6, 3.95e6, 1.25e7, 3.95e7, 1.25e8)
"""10 to 1000 Mbit/s, half a decade apart."""
LATENCY_S = (0.0, 0.001, 0.01)


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare shaping``."""

    output: Output
    network: Network = "proxy"
    bytes_per_s: Annotated[list[float], typer.Option(min=1.0, max=1e18, help="Rate in bytes a second; repeatable.")] = (
        field(default_factory=lambda: list(BYTES_PER_S))
    )
    latency_s: Annotated[list[float], typer.Option(**LIMIT, help="Latency in seconds; repeatable.")] = field(
        default_factory=lambda: list(LATENCY_S)
    )
    repeats: Annotated[int, typer.Option(**COUNT, help="How often everything is measured.")] = 3
