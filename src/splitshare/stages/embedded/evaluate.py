"""Record the test accuracy of every model whole, split and shared as OUTPUT."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import typer

from splitshare.commands.embedded.evaluate import Options

if TYPE_CHECKING:
    from splitshare.benchmarks.accuracy import AccuracyRecord, AccuracyRow
    from splitshare.choices import Dtype

_NOT_INVOLVED = {"gurobipy_version", "highspy_version", "pandas_version", "snakemake_version"}
"""Libraries of the provenance that accuracies have nothing to do with."""


def run(options: Options) -> AccuracyRecord:
    """Answer the test requests with every model: whole, split, and where models share modules, with these shared.

    Raises:
        InputError: weights are missing or wrong, or the data set is, or there is no such device.
    """
    from splitshare.benchmarks.accuracy import AccuracyRecord, merge
    from splitshare.benchmarks.embedded.easy_vqa import read_easy_vqa
    from splitshare.benchmarks.embedded.evaluation import accuracy_rows, at_precision, group_scores
    from splitshare.benchmarks.embedded.groups import training_groups
    from splitshare.benchmarks.embedded.prompts import context_of
    from splitshare.benchmarks.embedded.requests import on_device, requests_of
    from splitshare.benchmarks.embedded.training import torch_threads
    from splitshare.benchmarks.embedded.weights import read_log, read_trained
    from splitshare.catalog.loader import load_catalog
    from splitshare.modules.torch_device import described, torch_device
    from splitshare.results.provenance import provenance

    catalog = load_catalog(options.catalog_root)
    data = read_easy_vqa()
    device = torch_device(options.torch_device)
    requests = on_device(requests_of(data.test, data, context_of(catalog)), device)
    machine = {key: value for key, value in provenance().items() if key not in _NOT_INVOLVED}
    if device.type != "cpu":
        machine["torch_device"] = described(device)
    rows: list[AccuracyRow] = []
    with torch_threads(options.threads):
        for group in training_groups(catalog):
            modules = {name: m.to(device) for name, m in read_trained(catalog, group, options.weights).items()}
            log = read_log(group, options.weights)
            origin = machine | {
                "data_sha256": data.sha256,
                "weights": f"trained for {log.epochs} epochs, seed {log.seed}, "
                f"{_where(log.threads, log.torch_device)}, in {log.seconds:.0f} s",
            }
            own = group_scores(catalog, group, modules, requests)
            for (model, arrangement), scores in own.items():
                asked = requests[model.task]
                rows += accuracy_rows(model, arrangement, scores, own[model, "whole"], asked, origin)
            for precision in cast("list[Dtype]", options.precisions):
                precise, asked_so = at_precision(precision, modules, requests)
                found = group_scores(catalog, group, precise, asked_so)
                for (model, arrangement), scores in found.items():
                    asked, reference = requests[model.task], own[model, arrangement]
                    whole = found[model, "whole"]
                    rows += accuracy_rows(model, arrangement, scores, whole, asked, origin, precision, reference)
    record = merge([AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(rows))])
    record.write(options.output)
    return record


def _where(threads: int, torch_device: str) -> str:
    return f"{threads} thread(s)" if torch_device == "cpu" else torch_device


def show(record: AccuracyRecord) -> None:
    """Print a line a row."""
    from splitshare.benchmarks.accuracy import beside_own_precision

    for row in record.rows:
        typer.echo(
            f"{row.model} {row.arrangement} {row.metric}: {row.value:.4f} ({row.ci_low:.4f} to {row.ci_high:.4f}), "
            f"{row.differing_predictions} of {row.samples} otherwise than the whole model{beside_own_precision(row)}"
        )
