"""Train models, those that share modules together; weights go into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import replace

from splitshare.commands.embedded.train import Options


def run(options: Options) -> None:
    """Train models, and whoever shares modules with one of them, and write their weights.

    Raises:
        InputError: a model is unknown, the data set is missing or not the expected one, or there is no such device.
        WorkError: a training diverged.
    """
    from splitshare.benchmarks.embedded.easy_vqa import read_easy_vqa
    from splitshare.benchmarks.embedded.groups import training_groups
    from splitshare.benchmarks.embedded.prompts import context_of
    from splitshare.benchmarks.embedded.requests import requests_of
    from splitshare.benchmarks.embedded.training import Recipe, train
    from splitshare.benchmarks.embedded.weights import write_trained
    from splitshare.catalog.loader import load_catalog
    from splitshare.modules.torch_device import torch_device

    device = torch_device(options.torch_device)
    recipe = Recipe(seed=options.seed, torch_device=str(device))
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    catalog = load_catalog(options.catalog_root)
    data = read_easy_vqa()
    requests = requests_of(data.train, data, context_of(catalog))
    for group in training_groups(catalog, options.models or None):
        trained = train(catalog, group, requests, recipe)
        write_trained(trained, group, recipe, data.sha256, options.output)
