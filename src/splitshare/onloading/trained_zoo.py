"""The trained zoo: multi-task models trained on the embedded benchmark, judged and timed on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import inf
from statistics import median

import torch
from torch import Tensor

from splitshare.benchmarks.embedded.evaluation import shared_scores
from splitshare.benchmarks.embedded.requests import Requests, on_device
from splitshare.benchmarks.embedded.training import Recipe, torch_threads, train
from splitshare.benchmarks.metrics.classification import ranked, top_k
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.modules.base import SplitModule
from splitshare.onloading.zoo import ZooModel
from splitshare.onloading.zoo_models import Member, member_catalog
from splitshare.onloading.zoo_tasks import QUESTIONS, at_side
from splitshare.profiling.batch_curve import BatchCurve
from splitshare.profiling.meters import meter_of
from splitshare.profiling.settling import time_settled
from splitshare.profiling.timing import CLOCKS_UP_S, run_once

DEVICE = "this-machine"
BATCHES = (1, 2, 4, 8, 16, 32)
RECIPE = Recipe(epochs=4)
"""Fewer epochs than the embedded benchmark's, so that models differ in accuracy as in size."""


# Long: one model from its training to its curves, and what is said of it.
def train_member(
    embedded: Catalog,
    member: Member,
    train_requests: dict[str, Requests],
    test_requests: dict[str, Requests],
    *,
    recipe: Recipe = RECIPE,
    budget_s: float = 1.0,
    threads: int = 1,
) -> ZooModel:
    """Train one model of the zoo on its tasks, judge it on the test set, and time it batch by batch.

    Args:
        embedded: the embedded benchmark's catalogue.
        member: the model.
        train_requests: training requests by task.
        test_requests: test requests by task.
        recipe: how it is trained; it is judged and timed on the same device.
        budget_s: seconds of timed runs a batch.
        threads: torch threads while it is timed.

    Raises:
        WorkError: the training diverged.
    """
    catalog = member_catalog(embedded, member)
    models = list(catalog.models.values())
    side = member.tower.side
    trained = train(catalog, models, at_side(train_requests, side), recipe)
    device = torch.device(recipe.torch_device)
    for module in trained.modules.values():
        module.to(device)
    asked = on_device(at_side(test_requests, side), device)
    scores = shared_scores(models, trained.modules, asked)
    states = [tensor for module in trained.modules.values() for tensor in module.state_dict().values()]
    # A question is what takes longest to answer: captions are encoded once, when the model is loaded.
    timed = next((model for model in models if model.task in QUESTIONS), models[0])
    with torch_threads(threads):
        seconds = batch_seconds(Answering(timed, trained.modules), asked[timed.task], budget_s)
    return ZooModel(
        name=member.name,
        parameters=sum(p.numel() for module in trained.modules.values() for p in module.parameters()),
        memory_bytes=float(sum(tensor.nbytes for tensor in states)),
        memory_provenance="measured",
        memory_source="weights and kept state of encoders and heads as loaded, float32",
        accuracy={
            model.task: float(top_k(ranked(scores[model.name]), asked[model.task].labels.cpu().numpy(), 1).mean())
            for model in models
        },
        accuracy_provenance="measured",
        accuracy_source=f"trained for {recipe.epochs} epochs, seed {recipe.seed}; right answers on the test set",
        curves=(
            BatchCurve(
                device=DEVICE,
                batches=BATCHES,
                seconds=seconds,
                provenance="measured",
                source=f"median of wall-clock runs after a warm-up, {threads} thread(s), encoders and head on "
                f"queries of {timed.task}",
            ),
        ),
    )


class Answering(SplitModule):
    """All modules of one task in a row, as they answer a batch of queries on one device."""

    def __init__(self, model: Model, modules: Mapping[str, SplitModule]) -> None:
        super().__init__()
        self.encoders = torch.nn.ModuleDict({encoder.role: modules[encoder.module] for encoder in model.encoders})
        self.head = modules[model.head.module]

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Scores of the choices, one row a query."""
        arrived = {role: encoder({role: inputs[role]}) for role, encoder in self.encoders.items()}
        scores: Tensor = self.head.scores(arrived)
        return scores

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Random inputs of every encoder."""
        examples: dict[str, Tensor] = {}
        for encoder in self.encoders.values():
            assert isinstance(encoder, SplitModule), "made of split modules"
            examples |= encoder.example_inputs(batch, items, generator)
        return examples


def batch_seconds(module: SplitModule, requests: Requests, budget_s: float) -> tuple[float, ...]:
    """Median seconds of the module on the first test requests, for each of ``BATCHES``."""
    medians: list[float] = []
    meter = meter_of(requests.images.device, held_bytes=0)
    with torch.inference_mode():
        for batch in BATCHES:
            inputs = requests.inputs(torch.arange(batch))
            ready_s = 0.0 if medians else CLOCKS_UP_S
            timed = time_settled(partial(run_once, meter, module, inputs), budget_s, inf, ready_s)
            medians.append(median(run.seconds for run in timed.runs))
    return tuple(medians)
