"""``splitshare onloading train-zoo``: train, judge and time the models of the trained zoo on this machine."""

from __future__ import annotations

from pathlib import Path

from splitshare.benchmarks.embedded.easy_vqa import package_data, read_easy_vqa
from splitshare.benchmarks.embedded.prompts import context_of
from splitshare.catalog.loader import load_catalog
from splitshare.onloading.trained_zoo import RECIPE, train_member
from splitshare.onloading.zoo import Zoo, ZooModel
from splitshare.onloading.zoo_models import MEMBERS
from splitshare.onloading.zoo_tasks import zoo_requests, zoo_tasks
from splitshare.profiling.machine import this_machine
from splitshare.progress import track


def run(*, catalog_root: Path, output: Path, work: Path, threads: int, budget_s: float) -> Zoo:
    """Train every model that is not in ``work`` yet, and write the zoo.

    Args:
        catalog_root: the embedded benchmark's data folder.
        output: the zoo to write.
        work: directory of finished models, one a file; a run that was stopped goes on from there.
        threads: torch threads while models are timed.
        budget_s: seconds of timed runs a batch.

    Raises:
        InputError: the data set is missing or changed, or a file in ``work`` is wrong.
        WorkError: a training diverged.
    """
    embedded = load_catalog(catalog_root)
    data = read_easy_vqa()
    context = context_of(embedded)
    train_requests, test_requests = (zoo_requests(split, data, context) for split in (data.train, data.test))
    models = []
    for member in track(MEMBERS, "training"):
        path = work / f"{member.name}.json"
        if not path.is_file():
            train_member(embedded, member, train_requests, test_requests, budget_s=budget_s, threads=threads).write(
                path
            )
        models.append(ZooModel.read(path))
    machine = this_machine("this-machine", threads, "cpu")
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    zoo = Zoo(
        schema_="splitshare.zoo/1",
        name="trained",
        machine=f"{machine.cpu}, {threads} thread(s), {machine.os}; {versions}",
        notes=(
            "Models, tasks and recipe are ours: towers of several widths and depths, each on its tasks together.",
            f"Data: easy-VQA 1.0 (MIT licence), SHA-256 {data.sha256}; {RECIPE.epochs} epochs a model.",
        ),
        tasks=zoo_tasks(data, package_data(), test_requests),
        models=tuple(models),
    )
    zoo.write(output)
    return zoo
