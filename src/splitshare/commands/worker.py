"""Hold a device's modules and serve them to the other workers, until interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import AMOUNT, BATCH, COUNT, THREADS, CatalogRoot, Compute, Device
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare worker``."""

    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its name in the instances.")]
    listen: Annotated[list[str], typer.Option(help="host:port (port 0: any) or unix:path; repeatable.")]
    compute: Compute = "recorded"
    memory_bytes: Annotated[float | None, typer.Option(**AMOUNT, help="Refuse modules that need more bytes.")] = None
    max_live: Annotated[int, typer.Option(**COUNT, help="Requests in work at a time; more are dropped.")] = 1000
    max_batch: Annotated[
        int | None,
        typer.Option(**BATCH, help="Runs in a batch at most, whatever a driver asks; default any."),
    ] = None
    threads: Annotated[int, typer.Option(**THREADS, help="Torch threads.")] = 1
    torch_device: Device = "cpu"
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM; needed beyond loopback.")] = None
    tls_key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None
    tls_ca: Annotated[Path | None, typer.Option(help="PEM that peers' certificates are checked against.")] = None
    token_file: Annotated[Path | None, typer.Option(help="Shared token; needed beyond loopback.")] = None
    ends_with_parent: Annotated[bool, typer.Option("--end-with-parent", hidden=True)] = False
    catalog_root: CatalogRoot = DATA
