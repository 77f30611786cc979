"""Write the profile of a device that is not at hand, by the rule that its file names."""

from __future__ import annotations

from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Launches
from splitshare.catalog.testbeds import profile_file, read_device
from splitshare.commands.derive import Options
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.launches import FittedLaunches, fitted_on
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile


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
    device = read_device(options.device)
    descriptions = ModuleDescriptions.read(options.modules)
    published = read_published(paths.published_towers_file(options.catalog_root))
    fitted = _fitted(device.profile, options) if isinstance(device.profile, Launches) else None
    derive_profile(descriptions, device, published, names, fitted).write(options.output)


def _fitted(rule: Launches, options: Options) -> FittedLaunches:
    """The rule fitted on the GPU that it names, with the files of that GPU."""
    return fitted_on(
        ModuleDescriptions.read(options.measured_modules or options.modules),
        ModuleProfile.read(profile_file(rule.measured_on)),
        read_device(paths.device_file(options.catalog_root, rule.measured_on)),
    )
