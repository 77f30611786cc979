"""Write what batches take on the devices of an instance, from profiles of several batch sizes."""

from __future__ import annotations

from collections.abc import Callable

import typer

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.commands.batch_curves import Options
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.read import read_profiles
from splitshare.replay.profiled_batches import profiled_curves


def run(options: Options, echo: Callable[[str], None] = typer.echo) -> None:
    """Write the batch curves of an instance.

    Raises:
        InputError: a file is wrong, or the files do not belong together.
    """
    instance = PlacementInstance.read(options.instance)
    curves = profiled_curves(
        instance, read_testbed(options.testbed), read_profiles(options.profiles), load_catalog(options.catalog_root)
    )
    curves.check(instance, options.output)
    curves.write(options.output)
    alone = sorted({f"{c.module} for {', '.join(c.requests)}" for c in curves.curves if len(c.batches) == 1})
    if alone:
        echo(f"no profiled batches, runs one by one: {'; '.join(alone)}")
