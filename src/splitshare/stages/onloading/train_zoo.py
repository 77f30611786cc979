"""Train, judge and time the models of the trained zoo on this machine."""

from __future__ import annotations

from dataclasses import replace

import typer

from splitshare.benchmarks.embedded.easy_vqa import package_data, read_easy_vqa
from splitshare.benchmarks.embedded.prompts import context_of
from splitshare.catalog.loader import load_catalog
from splitshare.commands.onloading.train_zoo import Options
from splitshare.modules.torch_device import torch_device
from splitshare.onloading.trained_zoo import RECIPE, train_member
from splitshare.onloading.zoo import Zoo, ZooModel
from splitshare.onloading.zoo_models import MEMBERS
from splitshare.onloading.zoo_tasks import zoo_requests, zoo_tasks
from splitshare.profiling.machine import this_machine
from splitshare.progress import track


def run(options: Options) -> Zoo:
    """Train every model that is not in ``work`` yet, and write the zoo.

    Raises:
        InputError: the data set is missing or changed, a file in ``work`` is wrong, or there is no such device.
        WorkError: a training diverged.
    """
    device = str(torch_device(options.torch_device))
    embedded = load_catalog(options.catalog_root)
    data = read_easy_vqa()
    context = context_of(embedded)
    train_requests, test_requests = (zoo_requests(split, data, context) for split in (data.train, data.test))
    models = []
    for member in track(MEMBERS, "training"):
        path = options.work / f"{member.name}.json"
        if not path.is_file():
            train_member(
                embedded,
                member,
                train_requests,
                test_requests,
                recipe=replace(RECIPE, torch_device=device),
                budget_s=options.budget_s,
                threads=options.threads,
            ).write(path)
        models.append(ZooModel.read(path))
    machine = this_machine("this-machine", options.threads, device)
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    zoo = Zoo(
        schema_="splitshare.zoo/1",
        name="trained",
        machine=f"{machine.gpu or machine.cpu}, {options.threads} thread(s), {machine.os}; {versions}",
        notes=(
            "Models, tasks and recipe are ours: towers of several widths and depths, each on its tasks together.",
            f"Data: easy-VQA 1.0 (MIT licence), SHA-256 {data.sha256}; {RECIPE.epochs} epochs a model.",
        ),
        tasks=zoo_tasks(data, package_data(), test_requests),
        models=tuple(models),
    )
    zoo.write(options.output)
    return zoo


def show(zoo: Zoo) -> None:
    """Print a line a model."""
    for model in zoo.models:
        shares = ", ".join(f"{task} {share:.4f}" for task, share in model.accuracy.items())
        typer.echo(f"{model.name}: {model.memory_bytes / 1e6:.2f} MB, {shares}")
