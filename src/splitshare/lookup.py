"""What a configuration names, looked up before anything runs: workloads, testbeds, algorithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from splitshare.catalog.gpus import THIS_MACHINE
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import EMBEDDED, device_file
from splitshare.catalog.records import MeasuredCpu, MeasuredGpu, Testbed
from splitshare.catalog.testbeds import find_testbeds, own_profile, read_device, read_testbed
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.methods import Method
from splitshare.placement.contract import FINDER
from splitshare.places import DATA
from splitshare.records import nearest


@dataclass(frozen=True)
class Lookup:
    """The catalogues and the testbeds of a run, the local one included, by name."""

    catalog: Catalog
    embedded: Catalog | None
    """The embedded benchmark's catalogue, where the run has that benchmark."""
    own: Catalog | None
    """That of one's own models, where the run has some."""
    testbeds: Mapping[str, Testbed]


def look_up(config: Config, source: Path | str, data: Path = DATA) -> Lookup:
    """Look up every name in ``config``.

    Args:
        config: the configuration.
        source: its file, for the error.
        data: the data folder.

    Raises:
        InputError: a name in the configuration is not defined, or a file of the data folder is wrong.
    """
    catalog = load_catalog(data)
    embedded = load_catalog(data / EMBEDDED.name) if config.embedded is not None else None
    if config.benchmarks is not None:
        _all_known(source, "benchmarks.names", "benchmark", config.benchmarks.names, list(catalog.benchmarks))
    files = find_testbeds(data)
    _all_known(source, "workloads", "workload", config.workloads, list(catalog.workloads))
    _all_known(source, "local_workloads", "workload", config.local_workloads, list(catalog.workloads))
    if config.embedded is not None and embedded is not None:
        _all_known(source, "embedded.workloads", "workload", config.embedded.workloads, list(embedded.workloads))
    for i, text in enumerate(config.algorithms):
        for method in Method.specs(text):
            _check_method(source, f"algorithms[{i}]", method)
    _all_known(source, "testbeds", "testbed", config.testbeds, list(files))
    cloud = (config.cloud.edge_testbed, config.cloud.cloud_testbed)
    _all_known(source, "cloud testbeds", "testbed", cloud, list(files))
    measured = _measured(config, source, list(catalog.workloads), list(files))
    if config.emulation is not None:
        instances = list(_testbed_of_instances(config))
        for field in ("campaign", "real", "namespaces"):
            _all_known(source, f"emulation.{field}", "instance", getattr(config.emulation, field), instances)
        every = config.emulation.every_run.instances
        _all_known(source, "emulation.every_run.instances", "instance", every, instances)
        _all_known(source, "emulation.batches.instances", "instance", config.emulation.batches.instances, instances)
    _loaded(config, source)
    own = _own(config, source, list(files))
    own_testbeds = config.own_models.testbeds if config.own_models is not None else ()
    names = list(dict.fromkeys([*config.testbeds, config.cloud.cloud_testbed, *measured, *own_testbeds]))
    if config.local_testbed is not None:
        if config.local_testbed not in files:
            _unknown(source, "local_testbed", "testbed", config.local_testbed, list(files))
        names.append(config.local_testbed)
    testbeds = {name: read_testbed(files[name]) for name in names}
    if config.emulation is not None:
        crashing = _testbed_of_instances(config)[config.emulation.campaign[-1]]
        devices = [device.name for device in testbeds[crashing].devices]
        if config.emulation.crash not in devices:
            _unknown(source, "emulation.crash", f"device of {crashing}", config.emulation.crash, devices)
    for i, name in enumerate(own_testbeds):
        _have_times(source, f"own_models.testbeds[{i}]", testbeds[name], data)
    return Lookup(catalog, embedded, own, testbeds)


def _loaded(config: Config, source: Path | str) -> None:
    """Check that what is to be loaded is placed in the run."""
    sweep = config.load_sweep
    if sweep is None:
        return
    _all_known(source, "load_sweep.testbeds", "testbed of this run", sweep.testbeds, list(config.testbeds))
    if sweep.workload not in config.workloads:
        _unknown(source, "load_sweep.workload", "workload of this run", sweep.workload, list(config.workloads))


def _own(config: Config, source: Path | str, testbeds: list[str]) -> Catalog | None:
    """The catalogue of one's own models, if there are any, the names of that part checked."""
    if config.own_models is None:
        return None
    data = Path(config.own_models.data)
    if not (data / "catalogue").is_dir():
        told = f"{data} has no catalogue; write it: `splitshare catalogue MODEL... -o {data}`"
        raise InputError(source, "own_models.data", told)
    catalog = load_catalog(data)
    _all_known(source, "own_models.workloads", "workload", config.own_models.workloads, list(catalog.workloads))
    _all_known(source, "own_models.testbeds", "testbed", config.own_models.testbeds, testbeds)
    return catalog


def _have_times(source: Path | str, field: str, testbed: Testbed, data: Path) -> None:
    """Whether times of one's own models are known on every device, or can be had.

    Raises:
        InputError: on one they are not.
    """
    for device in testbed.devices:
        kind = device.device_type
        if kind == THIS_MACHINE or own_profile(kind).is_file():
            continue
        file = device_file(data, kind)
        if not file.is_file():
            told = f"has {device.name!r} of the type {kind!r}, which has no file to derive times from"
        elif isinstance(read_device(file).profile, MeasuredCpu | MeasuredGpu):
            told = f"has {device.name!r} of the type {kind!r}, which was measured with other models"
        else:
            continue
        raise InputError(
            source, field, f"{told}; measure it there: `splitshare profile --data ... -o {own_profile(kind)}`"
        )


def _measured(config: Config, source: Path | str, workloads: list[str], testbeds: list[str]) -> list[str]:
    """Check the names of ``measured``; the testbeds among them."""
    if config.measured is None:
        return []
    _all_known(source, "measured.workloads", "workload", config.measured.workloads, workloads)
    _all_known(source, "measured.testbeds", "testbed", config.measured.testbeds, testbeds)
    names = list(config.measured.testbeds)
    for i, pair in enumerate(config.measured.clouds):
        for field, name in pair:
            if name not in testbeds:
                _unknown(source, f"measured.clouds[{i}].{field}", "testbed", name, testbeds)
            names.append(name)
    return names


def _testbed_of_instances(config: Config) -> dict[str, str]:
    return {f"{workload}.{testbed}": testbed for testbed in config.testbeds for workload in config.workloads}


def _check_method(source: Path | str, field: str, method: Method) -> None:
    """A file is there; a name is known, and has the parameters. Nobody's file is run."""
    if method.file is not None:
        if not method.file.is_file():
            raise InputError(source, field, f"no such file: {method.file}; write path/to/file.py:Class")
        return
    if method.algorithm not in FINDER.names():
        _unknown(source, field, "algorithm", method.algorithm, FINDER.names())
    if method.parameters:
        try:
            method.load(FINDER)
        except InputError as error:
            raise InputError(source, field, f"{method.label}: {str(error).partition(': ')[2]}") from None


def _all_known(source: Path | str, field: str, kind: str, names: Sequence[str], known: list[str]) -> None:
    for i, name in enumerate(names):
        if name not in known:
            _unknown(source, f"{field}[{i}]", kind, name, known)


def _unknown(source: Path | str, field: str, kind: str, name: str, known: list[str]) -> None:
    raise InputError(source, field, f"unknown {kind} {name!r}; {nearest(name, known)}")
