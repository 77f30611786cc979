"""Write what loading modules takes on the devices of an instance, from profiles or an assumed rate."""

from __future__ import annotations

from collections.abc import Callable

import typer

from splitshare.catalog.testbeds import read_testbed
from splitshare.commands.load_times import Options
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.read import read_profiles
from splitshare.replay.serving.profiled import profiled_load_times
from splitshare.results.write import write_csv


def run(options: Options, echo: Callable[[str], None] = typer.echo) -> None:
    """Write ``device,module,load_s,source`` for ``splitshare simulate --load-times``.

    Raises:
        InputError: a file is wrong, the files do not belong together, or seconds are neither measured nor assumed.
    """
    table = profiled_load_times(
        PlacementInstance.read(options.instance),
        read_testbed(options.testbed),
        read_profiles(options.profiles),
        options.bytes_per_s,
    )
    write_csv(table, options.output)
    measured = int(table["source"].str.startswith("measured").sum())
    echo(f"{measured} of {len(table)} measured, the others assumed")
