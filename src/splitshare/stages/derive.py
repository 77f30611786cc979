"""Write the profile of a device that is not at hand, by the rule that its file names."""

from __future__ import annotations

from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import DeviceSpec, Launches, MeasuredCpu, MeasuredGpu
from splitshare.catalog.testbeds import profile_file, read_device
from splitshare.commands.derive import Options
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
    device = read_device(options.device)
    descriptions = ModuleDescriptions.read(options.modules)
    published = read_published(paths.published_towers_file(options.catalog_root))
    derive_profile(descriptions, device, published, names, _fitted(device, options)).write(options.output)


def _fitted(device: DeviceSpec, options: Options) -> FittedCpuLaunch | FittedLaunches:
    """What the device's rule takes from the measured device that it names, fitted on that device's files."""
    if isinstance(device.profile, MeasuredCpu | MeasuredGpu):
        raise was_measured(device)
    measured = device.profile.measured_on
    descriptions = ModuleDescriptions.read(options.measured_modules or options.modules)
    rows = measured_work(descriptions, ModuleProfile.read(profile_file(measured)))
    reference = read_device(paths.device_file(options.catalog_root, measured))
    return fit_launches(rows, reference) if isinstance(device.profile, Launches) else fit_cpu_launch(rows, reference)
