"""Count and time the perception zoo's architectures on this machine, and make the zoo."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from splitshare.benchmarks.embedded.training import torch_threads
from splitshare.catalog import paths
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import profile_file, read_device
from splitshare.commands.onloading.perception_zoo import Options
from splitshare.onloading.perception_models import CANDIDATES, MEMBERS, Member, Module
from splitshare.onloading.perception_zoo import CLIENT, EDGE, HERE, chosen, perception_zoo
from splitshare.onloading.published_scores import Score, read_scores
from splitshare.onloading.zoo import Zoo
from splitshare.profiling.cpu_rule import FittedCpuLaunch, fit_cpu_launch
from splitshare.profiling.derive import derive_profile
from splitshare.profiling.gpu_rule import FittedLaunches, fit_launches
from splitshare.profiling.machine import busy_share, this_machine
from splitshare.profiling.predictions import measured_work
from splitshare.profiling.published import read_published
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, ModuleProfile, ProfileRow
from splitshare.progress import track

MODULES, PROFILE, ZOO = "modules.json", "profile.json", "zoo.json"
"""Files of the directory: counts, times of this machine, and the zoo made of them, if that goes nowhere else."""


def run(options: Options) -> Zoo:
    """Count every module and time those of the zoo that are not in ``work`` yet, and write the zoo and both of these.

    Without times, files of earlier ones go: they would stand beside counts that they do not belong to.

    Raises:
        InputError: a file is wrong.
        WorkError: the scores do not say what the zoo needs.
    """
    scores = read_scores(options.table)
    modules = _counted(options.work / "counts")
    modules.write(options.output / MODULES)
    if options.counts_only:
        (options.output / PROFILE).unlink(missing_ok=True)
    else:
        _timed(options, scores, modules).write(options.output / PROFILE)
    # Imported here: it needs torch, as all above did.
    from splitshare.profiling.describe import describe_catalog

    catalogued = describe_catalog(load_catalog(options.catalog_root))
    zoo = made(options.table, options.output, options.catalog_root, catalogued)
    zoo.write(options.zoo_output or options.output / ZOO)
    return zoo


def show(zoo: Zoo) -> None:
    """Print a line a model."""
    for model in zoo.models:
        shares = ", ".join(f"{task} {share:.4f}" for task, share in model.accuracy.items())
        typer.echo(f"{model.name}: {zoo.alone_bytes[model.name] / 1e6:.1f} MB, {shares}")


def made(table: Path, directory: Path, catalog_root: Path, catalogued: ModuleDescriptions) -> Zoo:
    """The zoo that the table and a directory's counts and times give; nothing is measured.

    Args:
        table: published scores.
        directory: counts and times.
        catalog_root: where devices and published latencies lie.
        catalogued: the catalogue's modules, on whose measured times the rules for other devices are fitted.
    """
    modules = ModuleDescriptions.read(directory / MODULES)
    latencies = read_published(paths.published_towers_file(catalog_root))
    derived = []
    for name in (CLIENT, EDGE):
        device = read_device(paths.device_file(catalog_root, name))
        fitted = _fitted(device.profile.measured_on, catalog_root, catalogued)  # type: ignore[union-attr]
        derived.append(derive_profile(modules, device, latencies, {}, fitted))
    profile = directory / PROFILE
    measured = ModuleProfile.read(profile) if profile.is_file() else None
    return perception_zoo(read_scores(table), modules, derived, measured)


def _fitted(measured: str, catalog_root: Path, catalogued: ModuleDescriptions) -> FittedCpuLaunch | FittedLaunches:
    rows = measured_work(catalogued, ModuleProfile.read(profile_file(measured)))
    reference = read_device(paths.device_file(catalog_root, measured))
    return fit_launches(rows, reference) if reference.gpu is not None else fit_cpu_launch(rows, reference)


def _counted(work: Path) -> ModuleDescriptions:
    from splitshare.onloading.perception_measure import definition_sha256, describe

    descriptions: list[ModuleDescription] = []
    for module in track(_modules((*MEMBERS, *CANDIDATES)), "counting"):
        path = work / f"{_file_name(module)}.json"
        kept = ModuleDescriptions.read(path).modules if path.is_file() else ()
        if [said.definition_sha256 for said in kept] != [definition_sha256(module)]:
            kept = (describe(module),)
            _descriptions(kept).write(path)
        descriptions += kept
    return _descriptions(descriptions)


def _descriptions(modules: Iterable[ModuleDescription]) -> ModuleDescriptions:
    return ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(modules))


def _timed(options: Options, scores: tuple[Score, ...], modules: ModuleDescriptions) -> ModuleProfile:
    from splitshare.onloading.perception_measure import measure

    busy = busy_share()
    device = this_machine(HERE, options.threads, "cpu")
    rows: list[ProfileRow] = []
    with torch_threads(options.threads):
        for module in track(_modules(chosen(scores, modules.by_name)), "timing"):
            path = options.work / "times" / f"{_file_name(module)}.json"
            said = modules.by_name[module.name]
            kept = ModuleProfile.read(path).rows if path.is_file() else ()
            if {row.definition_sha256 for row in kept} != {said.definition_sha256}:
                kept = tuple(measure(module, said, options.budget_s, options.longest_run_s))
                ModuleProfile(schema_="splitshare.module-profile/1", device=device, rows=kept).write(path)
            rows += kept
    notes = (
        f"{HERE}: {options.budget_s:g} s of runs a batch, runs above {options.longest_run_s:g} s only once; the "
        f"machine's processors were busy by {busy:.0%} before the run began.",
    )
    return ModuleProfile(schema_="splitshare.module-profile/1", device=device, notes=notes, rows=tuple(rows))


def _modules(members: tuple[Member, ...]) -> list[Module]:
    """Modules of the models, each once, in order."""
    return list({module.name: module for member in members for module in member.modules}.values())


def _file_name(module: Module) -> str:
    return module.name.replace("@", "-at-")
