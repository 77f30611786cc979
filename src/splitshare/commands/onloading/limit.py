"""Write an instance with a least accuracy or share served of its tasks, with energies, or with a limit on energy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFile, Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading limit``."""

    instance: InstanceFile
    output: Output
    least_accuracy: Annotated[
        list[str],
        typer.Option(metavar="[TASK=]SHARE", help="Queries to be answered rightly, of a task or of each; repeatable."),
    ] = field(default_factory=list)
    least_served: Annotated[
        list[str],
        typer.Option(metavar="[TASK=]SHARE", help="Queries to be answered at all, of a task or of each; repeatable."),
    ] = field(default_factory=list)
    watts: Annotated[
        list[str],
        typer.Option(metavar="CLASS=WATTS", help="Power of a device class while it computes; repeatable; all or none."),
    ] = field(default_factory=list)
    uplink_j_per_byte: Annotated[
        float | None, typer.Option(min=0.0, max=1e6, help="Joules of sending a byte from a client; with --watts.")
    ] = None
    energy_limit_j: Annotated[
        float | None, typer.Option(min=1e-12, max=1e12, help="Most joules a query, in the mean over all queries.")
    ] = None
