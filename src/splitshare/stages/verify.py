"""Recheck a certificate in plain arithmetic, without a solver; exit code 1 where it does not hold."""

from __future__ import annotations

import typer

from splitshare.commands.verify import Options
from splitshare.errors import WorkError
from splitshare.placement.certificate import Certificate, objections
from splitshare.placement.instance import PlacementInstance


def run(options: Options) -> Certificate:
    """Read a certificate and hold it against its instance.

    Raises:
        InputError: a file is wrong.
        WorkError: the certificate does not hold; names the first thing that does not.
    """
    asked = PlacementInstance.read(options.instance)
    claimed = Certificate.read(options.certificate)
    if broken := objections(asked, claimed):
        more = f" ({len(broken) - 1} more)" if len(broken) > 1 else ""
        raise WorkError(f"{options.certificate}: does not hold: {broken[0]}{more}")
    return claimed


def show(held: Certificate) -> None:
    """Print what holds."""
    typer.echo(f"{held.instance}: holds, {held.objective:.6g} s, proved by {', '.join(held.proved_by)}")
