"""Measure modules on this machine, each in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from splitshare.catalog.loader import load_catalog
from splitshare.commands.profile import Options
from splitshare.profiling.machine import this_machine, usable_device
from splitshare.profiling.measure import MeasuringSettings, measure_module
from splitshare.profiling.records import LayerCheck, ModuleProfile, ProfileRow
from splitshare.progress import track


def settings_of(options: Options) -> MeasuringSettings:
    """How modules are measured.

    Raises:
        InputError: there is no such device here, or an option is out of its range.
    """
    chosen = {"budget_s": options.budget_s, "threads": options.threads}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    return MeasuringSettings(
        longest_run_s=options.longest_run_s,
        torch_device=usable_device(options.torch_device),
        seed=options.seed,
        precision=options.precision,
        **given,
    )


def run(options: Options, progress: bool = True) -> None:
    """Measure modules and write ``splitshare.module-profile/1``.

    Raises:
        InputError: the catalogue, a name or an option is wrong.
        WorkError: a module could not be measured, for another reason than memory or time.
    """
    settings = settings_of(options)
    catalog = load_catalog(options.catalog_root)
    wanted = [catalog.module(name).name for name in options.modules or catalog.modules()]
    device = this_machine(options.device_name, settings.threads, settings.torch_device)
    rows: list[ProfileRow] = []
    checks: list[LayerCheck] = []
    for module in track(wanted, "profiling") if progress else wanted:
        start = time.perf_counter()
        measured = measure_module(options.catalog_root, module, settings)
        if progress and not sys.stderr.isatty():
            sys.stderr.write(_told(module, measured.rows, time.perf_counter() - start))
        rows += measured.rows
        checks += measured.layer_checks
    ModuleProfile(
        schema_="splitshare.module-profile/1", device=device, layer_checks=tuple(checks), rows=tuple(rows)
    ).write(options.output)


def _told(module: str, rows: Sequence[ProfileRow], took_s: float) -> str:
    times = ", ".join(
        f"{row.batch}: {row.compute_median_s * 1000:.3g} ms" if row.compute_median_s is not None else f"{row.batch}: -"
        for row in rows
    )
    reasons = {row.reason for row in rows if row.reason}
    return f"profiled {module} in {took_s:.1f} s ({times}){''.join(f'; {r}' for r in sorted(reasons))}\n"
