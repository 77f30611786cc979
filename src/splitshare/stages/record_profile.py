"""Measure this quiet machine and keep its profile as a device type in the directory OUTPUT."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import typer

from splitshare.choices import Dtype
from splitshare.commands.record_profile import Options
from splitshare.errors import InputError, WorkError
from splitshare.profiling.machine import busy_share, this_machine, type_name
from splitshare.profiling.records import ModuleProfile, ProfiledDevice
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
    kept = _other_precisions(path, this_machine(name, settings.threads, settings.torch_device), options.precision)
    with tempfile.TemporaryDirectory(prefix="splitshare-") as scratch:
        fresh = Path(scratch) / path.name
        profile.run(replace(chosen, output=fresh, device_name=name))
        measured = ModuleProfile.read(fresh)
    (measured if kept is None else _joined(kept, measured, options.precision)).write(path)
    return path


def _other_precisions(path: Path, device: ProfiledDevice, precision: Dtype | None) -> ModuleProfile | None:
    """The profile that is there already, if it has rows at other precisions than are measured now: they stay.

    Raises:
        InputError: it is of another machine, of other threads or of other libraries.
    """
    if not path.is_file():
        return None
    earlier = ModuleProfile.read(path)
    if all(row.precision == precision for row in earlier.rows):
        return None
    if earlier.device != device:
        raise InputError(
            path,
            "device",
            "is another machine, or has other threads or libraries, and rows at other precisions would be lost; write "
            "elsewhere",
        )
    return earlier


def _joined(earlier: ModuleProfile, measured: ModuleProfile, precision: Dtype | None) -> ModuleProfile:
    """What was measured, and of an earlier profile the rows at other precisions; the catalogue's own come first."""
    others = tuple(row for row in earlier.rows if row.precision != precision)
    if precision is None:
        return measured.model_copy(update={"rows": (*measured.rows, *others)})
    return earlier.model_copy(update={"rows": (*others, *measured.rows)})


def show(path: Path) -> None:
    """Print where the profile is."""
    typer.echo(path)
