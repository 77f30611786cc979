"""Re-place modules as devices, rates and links change, by several policies, and tell what each costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import AMOUNT, LIMIT, SPAN, InstanceFile, LinkChangesFile, OutputFolder, Seed


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare adapt``."""

    instance: InstanceFile
    output: OutputFolder
    horizon_s: Annotated[float, typer.Option(**SPAN, help="Seconds that are looked at.")]
    events: Annotated[
        Path | None, typer.Option(help="Devices and rates that change (CSV): time_s,what,name,value.")
    ] = None
    link_changes: LinkChangesFile = None
    placement: Annotated[
        Path | None, typer.Option(help="Where modules stand at first (JSON); default: as the algorithm places them.")
    ] = None
    algorithm: Annotated[str, typer.Option(help="Places anew; a name, or path/to/file.py:Class.")] = "s2m3-greedy"
    policies: Annotated[
        list[str], typer.Option("--policy", help="stay, repair, anew or worth; repeatable; default all.")
    ] = field(default_factory=list)
    store: Annotated[
        str | None,
        typer.Option(help="Device that keeps all modules on disk; default: of those that never leave the largest."),
    ] = None
    expect_s: Annotated[
        float | None, typer.Option(**SPAN, help="worth: seconds until the next change; default the mean of the past.")
    ] = None
    unserved_s: Annotated[
        float, typer.Option(**AMOUNT, help="Seconds that a request counts as that is not served.")
    ] = 60.0
    s_per_gb: Annotated[float, typer.Option(**AMOUNT, help="Request-seconds that a gigabyte moved counts as.")] = 0.0
    load_bytes_per_s: Annotated[
        float | None,
        typer.Option(
            min=1.0, max=1e18, help="Bytes a second at which a device reads a module into memory; default: in no time."
        ),
    ] = None
    trace: Annotated[
        Path | None, typer.Option(help="Request trace: what each policy did is simulated under it, and kept.")
    ] = None
    plot: Annotated[Path | None, typer.Option(help="Folder for a figure: adaptation.pdf, adaptation.png.")] = None
    time_limit_s: Annotated[float | None, typer.Option(**LIMIT, help="Seconds for each time that it is placed.")] = None
    seed: Seed = 0
