"""Write the profile of a device that is not at hand, by the rule that its file names."""

from __future__ import annotations

from pathlib import Path

from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import DeviceSpec, Launches, MeasuredCpu, MeasuredGpu
from splitshare.catalog.testbeds import profile_file, read_device
from splitshare.commands.derive import Options
from splitshare.places import DATA
from splitshare.profiling.cpu_rule import FittedCpuLaunch, fit_cpu_launch
from splitshare.profiling.derive import derive_profile, was_measured
from splitshare.profiling.gpu_rule import FittedLaunches, fit_launches
from splitshare.profiling.predictions import measured_work
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
    device = read_device(_device_file(options))
    descriptions = ModuleDescriptions.read(options.modules)
    published = read_published(paths.published_towers_file(options.catalog_root))
    derive_profile(descriptions, device, published, names, _fitted(device, options)).write(options.output)


def _device_file(options: Options) -> Path:
    """The file, or the one of that name."""
    named = paths.device_file(options.catalog_root, options.device.name)
    return (
        named if not options.device.exists() and len(options.device.parts) == 1 and named.is_file() else options.device
    )


def _measured_modules(options: Options) -> ModuleDescriptions:
    if options.measured_modules is not None:
        return ModuleDescriptions.read(options.measured_modules)
    if options.catalog_root.resolve() == DATA.resolve():
        return ModuleDescriptions.read(options.modules)
    # Imported here: it needs torch, which all other ways to derive go without.
    from splitshare.profiling.describe import describe_catalog

    return describe_catalog(load_catalog(DATA))  # committed profiles are of the program's modules


def _fitted(device: DeviceSpec, options: Options) -> FittedCpuLaunch | FittedLaunches:
    """What the device's rule takes from the measured device that it names, fitted on that device's files."""
    if isinstance(device.profile, MeasuredCpu | MeasuredGpu):
        raise was_measured(device)
    measured = device.profile.measured_on
    descriptions = _measured_modules(options)
    rows = measured_work(descriptions, ModuleProfile.read(profile_file(measured)))
    reference = read_device(paths.device_file(options.catalog_root, measured))
    return fit_launches(rows, reference) if isinstance(device.profile, Launches) else fit_cpu_launch(rows, reference)
