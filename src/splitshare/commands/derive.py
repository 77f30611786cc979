"""``splitshare derive``: write the profile of a device that nobody measured."""

from __future__ import annotations

from pathlib import Path

from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_device
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescriptions


def run(*, device: Path, modules: Path, catalog_root: Path, output: Path) -> None:
    """Derive ``profiles/<device>.json`` by the rule that the device's file names.

    Args:
        device: ``data/devices/<device>.yaml``.
        modules: module descriptions (``splitshare describe``).
        catalog_root: the data folder, with the catalogue (which says what image towers are published) and the
            published latencies.
        output: the profile to write.

    Raises:
        InputError: one of the files is wrong or they do not fit together.
    """
    names = {
        name: entry.published
        for name, entry in load_catalog(catalog_root).architectures.items()
        if entry.published is not None
    }
    published = read_published(paths.published_towers_file(catalog_root))
    profile = derive_profile(ModuleDescriptions.read(modules), read_device(device), published, names)
    profile.write(output)
