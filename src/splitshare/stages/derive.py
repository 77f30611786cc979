"""Write the profile of a device that is not at hand, by the rule that its file names."""

from __future__ import annotations

from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_device
from splitshare.commands.derive import Options
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescriptions


def run(options: Options) -> None:
    """Derive ``profiles/<device>.json`` by the rule that the device's file names.

    Raises:
        InputError: one of the files is wrong or they do not fit together.
    """
    names = {
        name: entry.published
        for name, entry in load_catalog(options.catalog_root).architectures.items()
        if entry.published is not None
    }
    published = read_published(paths.published_towers_file(options.catalog_root))
    profile = derive_profile(ModuleDescriptions.read(options.modules), read_device(options.device), published, names)
    profile.write(options.output)
