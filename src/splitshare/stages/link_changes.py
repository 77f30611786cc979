"""Write how links of an instance change over time: drawn, or as somebody recorded a mobile network."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import typer

from splitshare.commands.link_changes import Options
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.link_processes import link_changes_table
from splitshare.replay.link_recordings import read_link_recording, recorded_changes
from splitshare.results.write import write_csv
from splitshare.stages.kinds import needed, refuse


@dataclass(frozen=True)
class Written:
    """Changes that were written."""

    table: pd.DataFrame
    told: tuple[str, ...] = ()
    """What its reader should know of how a recording was read."""


def run(options: Options) -> Written:
    """Write the table that `simulate` and `emulate` take as ``--link-changes``.

    Raises:
        InputError: the output is no CSV, a file or an argument is wrong, missing, or not used by ``kind``, or there
            would be too many changes, or none.
    """
    if options.output.suffix != ".csv":
        raise InputError(options.output, "", "the suffix must be .csv")
    instance, kind = PlacementInstance.read(options.instance), options.kind
    written = _recorded(options, instance) if kind == "recorded" else _drawn(options, instance)
    if written.table.empty:
        raise InputError("--horizon-s", f"{options.horizon_s:g}", "is so short that nothing changes; make it longer")
    write_csv(written.table, options.output)
    return written


def _drawn(options: Options, instance: PlacementInstance) -> Written:
    kind = options.kind
    refuse(kind, recording=options.recording, every_s=options.every_s, from_s=options.from_s)
    if kind == "markov":
        refuse(kind, outage_s=options.outage_s)
    table = link_changes_table(
        instance,
        kind,
        links=options.links,
        horizon_s=needed(kind, "horizon_s", options.horizon_s),
        stay_s=60.0 if options.stay_s is None else options.stay_s,
        outage_s=5.0 if options.outage_s is None else options.outage_s,
        seed=options.seed,
    )
    return Written(table)


def _recorded(options: Options, instance: PlacementInstance) -> Written:
    kind = options.kind
    refuse(kind, stay_s=options.stay_s, outage_s=options.outage_s, seed=options.seed or None)
    recording = read_link_recording(needed(kind, "recording", options.recording))
    table = recorded_changes(
        instance,
        recording,
        links=options.links,
        every_s=1.0 if options.every_s is None else options.every_s,
        from_s=0.0 if options.from_s is None else options.from_s,
        horizon_s=options.horizon_s,
    )
    return Written(table, (f"read as {recording.title}", *recording.told))


def show(written: Written) -> None:
    """Say how much changes."""
    for line in written.told:
        typer.echo(line)
    table = written.table
    links = table["link"].nunique()
    what = "direction" if table["link"].str.contains("->").any() else "link"
    many = f"{links} {what}" if links == 1 else f"{links} {what}s"
    typer.echo(f"{len(table)} changes of {many} until {table['time_s'].max():.6g} s")
