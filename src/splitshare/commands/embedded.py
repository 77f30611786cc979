"""``splitshare embedded train`` and ``evaluate``: the embedded benchmark, from training to the accuracy record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.benchmarks.accuracy import AccuracyRecord, AccuracyRow, merge
from splitshare.benchmarks.embedded.easy_vqa import read_easy_vqa
from splitshare.benchmarks.embedded.evaluation import accuracy_rows, shared_scores, split_scores, whole_scores
from splitshare.benchmarks.embedded.groups import training_groups
from splitshare.benchmarks.embedded.prompts import context_of
from splitshare.benchmarks.embedded.requests import requests_of
from splitshare.benchmarks.embedded.training import Recipe, torch_threads, train
from splitshare.benchmarks.embedded.weights import read_log, read_trained, write_trained
from splitshare.catalog.loader import load_catalog
from splitshare.results.provenance import provenance


def run_train(*, catalog_root: Path, models: Sequence[str] | None, output: Path, recipe: Recipe) -> None:
    """Train models, those that share modules together, and write their weights into the directory ``output``.

    Args:
        catalog_root: the embedded benchmark's data folder.
        models: names; whoever shares modules with one of them is trained too. By default all.
        output: directory.
        recipe: how.

    Raises:
        InputError: a model is unknown, or the data set is missing or not the expected one.
        WorkError: a training diverged.
    """
    catalog = load_catalog(catalog_root)
    data = read_easy_vqa()
    requests = requests_of(data.train, data, context_of(catalog))
    for group in training_groups(catalog, models):
        trained = train(catalog, group, requests, recipe)
        write_trained(trained, group, recipe, data.sha256, output)


def run_evaluate(*, catalog_root: Path, weights: Path, output: Path, threads: int) -> AccuracyRecord:
    """Answer the test requests with every model: whole, split, and where models share modules, with these shared.

    Args:
        catalog_root: the embedded benchmark's data folder.
        weights: directory of ``run_train``.
        output: the accuracy record to write.
        threads: torch threads.

    Raises:
        InputError: weights are missing or wrong, or the data set is.
    """
    catalog = load_catalog(catalog_root)
    data = read_easy_vqa()
    requests = requests_of(data.test, data, context_of(catalog))
    machine = {key: value for key, value in provenance().items() if key not in _NOT_INVOLVED}
    rows: list[AccuracyRow] = []
    with torch_threads(threads):
        for group in training_groups(catalog):
            modules = read_trained(catalog, group, weights)
            log = read_log(group, weights)
            origin = machine | {
                "data_sha256": data.sha256,
                "weights": f"trained for {log.epochs} epochs, seed {log.seed}, {log.threads} thread(s), "
                f"in {log.seconds:.0f} s",
            }
            shared = shared_scores(group, modules, requests) if len(group) > 1 else {}
            for model in group:
                asked = requests[model.task]
                whole = whole_scores(catalog, model, modules, asked)
                rows += accuracy_rows(model, "whole", whole, whole, asked, origin)
                rows += accuracy_rows(model, "split", split_scores(model, modules, asked), whole, asked, origin)
                if model.name in shared:
                    rows += accuracy_rows(model, "shared", shared[model.name], whole, asked, origin)
    record = merge([AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(rows))])
    record.write(output)
    return record


def run_record(*, accuracy: Path, output: Path) -> None:
    """Put the rows of an accuracy record into another, in the place of older ones of the same models.

    Args:
        accuracy: what was measured (``run_evaluate``).
        output: the record to keep; made where there is none.

    Raises:
        InputError: one of the files is wrong.
    """
    kept = [AccuracyRecord.read(output)] if output.is_file() else []
    merge([*kept, AccuracyRecord.read(accuracy)]).write(output)


_NOT_INVOLVED = {"gurobipy_version", "highspy_version", "linopy_version", "pandas_version", "snakemake_version"}
"""Libraries of the provenance that accuracies have nothing to do with."""
