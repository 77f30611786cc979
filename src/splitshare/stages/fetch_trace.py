"""Fetch a public request trace, held to its size and digest; see `splitshare list traces`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import typer

from splitshare.commands.fetch_trace import Options
from splitshare.errors import InputError
from splitshare.replay.trace_sources import DIGEST, Fetched, TraceSource, fetch, read_trace_source


@dataclass(frozen=True)
class Told:
    """What was fetched, and from where."""

    source: TraceSource
    fetched: Fetched


def run(options: Options) -> Told:
    """Fetch it to the output, which `splitshare trace --kind recorded --arrivals` reads.

    Raises:
        InputError: the catalogue is wrong or has no such trace, or an option does not fit.
        WorkError: it cannot be fetched, or is not what was promised.
    """
    if options.digest is not None and not re.match(DIGEST, options.digest):
        raise InputError("--digest", options.digest, "must be 64 hex digits in lower case")
    source = read_trace_source(options.catalog_root, options.trace)
    return Told(source, fetch(source, options.output, options.digest))


def show(told: Told) -> None:
    """Say what it is, under which licence, and whether anything vouches for it."""
    source, fetched = told.source, told.fetched
    typer.echo(f"{source.title}; licence: {source.licence}")
    typer.echo(f"{fetched.size_bytes} bytes, SHA-256 {fetched.digest}")
    if not fetched.checked:
        typer.echo("nobody has stated its digest: keep this one, and hold later downloads to it with --digest")
