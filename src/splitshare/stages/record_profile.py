"""Measure this quiet machine and keep its profile as a device type in the directory OUTPUT."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from splitshare.commands.record_profile import Options
from splitshare.errors import WorkError
from splitshare.profiling.machine import busy_share, this_machine, type_name
from splitshare.stages import profile


def run(options: Options) -> Path:
    """Measure modules as ``splitshare profile`` does, and write ``<output>/<device type>.json``.

    Returns:
        The file that was written.

    Raises:
        InputError: the catalogue, a name or an option is wrong.
        WorkError: the machine is busy with other work, or a module could not be measured.
    """
    busy = busy_share()
    if busy > options.busiest_share:
        raise WorkError(
            f"other work takes {busy:.0%} of the processors, and a kept profile is taken on a quiet machine "
            f"(at most {options.busiest_share:.0%}); stop that work, or raise --busiest-share"
        )
    chosen = profile.Options(
        options.output,
        modules=options.modules,
        budget_s=options.budget_s,
        longest_run_s=options.longest_run_s,
        threads=options.threads,
        torch_device=options.torch_device,
        precision=options.precision,
        catalog_root=options.catalog_root,
    )
    settings = profile.settings_of(chosen)
    name = options.device_name or type_name(this_machine("this-machine", settings.threads, settings.torch_device))
    path = options.output / f"{name}.json"
    profile.run(replace(chosen, output=path, device_name=name))
    return path


def show(path: Path) -> None:
    """Print where the profile is."""
    typer.echo(path)
