"""``splitshare profile``: measure modules on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.profiling.machine import this_machine
from splitshare.profiling.measure import Settings, measure_module
from splitshare.profiling.records import LayerCheck, ModuleProfile, ProfileRow
from splitshare.progress import track


def run(
    *,
    catalog_root: Path,
    output: Path,
    modules: Sequence[str] | None = None,
    settings: Settings | None = None,
    device_name: str = "this-machine",
    progress: bool = True,
) -> None:
    """Measure modules and write ``splitshare.module-profile/1``.

    Args:
        catalog_root: the data folder, which holds ``catalogue/``.
        output: file to write.
        modules: names; by default all modules of the catalogue.
        settings: how to measure; the defaults if left out.
        device_name: what the profile calls this machine.
        progress: tell of each module on standard error.

    Raises:
        InputError: the catalogue, a name or an option is wrong.
        WorkError: a module could not be measured, for another reason than memory or time.
    """
    settings = settings or Settings()
    catalog = load_catalog(catalog_root)
    wanted = [catalog.module(name).name for name in modules or catalog.modules()]
    device = this_machine(device_name, settings.threads, settings.torch_device)
    rows: list[ProfileRow] = []
    checks: list[LayerCheck] = []
    for module in track(wanted, "profiling") if progress else wanted:
        start = time.perf_counter()
        measured = measure_module(catalog_root, module, settings)
        if progress and not sys.stderr.isatty():
            sys.stderr.write(_told(module, measured.rows, time.perf_counter() - start))
        rows += measured.rows
        checks += measured.layer_checks
    ModuleProfile(
        schema_="splitshare.module-profile/1", device=device, layer_checks=tuple(checks), rows=tuple(rows)
    ).write(output)


def _told(module: str, rows: Sequence[ProfileRow], took_s: float) -> str:
    times = ", ".join(
        f"{row.batch}: {row.compute_median_s * 1000:.3g} ms" if row.compute_median_s is not None else f"{row.batch}: -"
        for row in rows
    )
    reasons = {row.reason for row in rows if row.reason}
    return f"profiled {module} in {took_s:.1f} s ({times}){''.join(f'; {r}' for r in sorted(reasons))}\n"
