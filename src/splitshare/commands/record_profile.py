"""``splitshare record-profile``: measure this machine and keep the profile as a device type for testbeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.commands import profile
from splitshare.errors import WorkError
from splitshare.profiling.machine import busy_share, this_machine, type_name
from splitshare.profiling.measure import Settings

BUSIEST_SHARE = 0.15
"""Share of the processors' time that other work may take (ours: a quiet machine's own services take a few percent)."""


def run(
    *,
    catalog_root: Path,
    output: Path,
    device_name: str | None = None,
    modules: Sequence[str] | None = None,
    settings: Settings | None = None,
    busiest_share: float = BUSIEST_SHARE,
) -> Path:
    """Measure modules as ``splitshare profile`` does, and write ``<output>/<device type>.json``.

    Args:
        catalog_root: the data folder, which holds ``catalogue/``.
        output: directory.
        device_name: the device type; by default it is named after the processor or GPU, and the threads.
        modules: names; by default all modules of the catalogue.
        settings: how to measure; the defaults if left out.
        busiest_share: share of the processors' time that other work may take.

    Returns:
        The file that was written.

    Raises:
        InputError: the catalogue, a name or an option is wrong.
        WorkError: the machine is busy with other work, or a module could not be measured.
    """
    settings = settings or Settings()
    busy = busy_share()
    if busy > busiest_share:
        raise WorkError(
            f"other work takes {busy:.0%} of the processors, and a kept profile is taken on a quiet machine "
            f"(at most {busiest_share:.0%}); stop that work, or raise --busiest-share"
        )
    name = device_name or type_name(this_machine("this-machine", settings.threads, settings.torch_device))
    path = output / f"{name}.json"
    profile.run(catalog_root=catalog_root, output=path, modules=modules, settings=settings, device_name=name)
    return path
