"""The arrangements' table against sums by hand."""

import pytest

from splitshare.benchmarks.accuracy import AccuracyRow
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.profiling.records import ModuleDescription, ModuleDescriptions, Work
from splitshare.results.embedded import arrangements
from tests.conftest import ROOT

SIZES = {"vision-encoder": 300_000, "text-encoder": 100_000, "head": 10_000}
EMBEDDINGS = 20_000
"""Of a text encoder."""


@pytest.fixture
def catalog():
    return load_catalog(ROOT / EMBEDDED)


def described(catalog):
    modules = [
        ModuleDescription(
            module=name,
            architecture=module.ref.architecture,
            kind=module.architecture.kind,
            dtype="float32",
            parameters=SIZES[module.architecture.kind],
            embedding_parameters=EMBEDDINGS if module.architecture.kind == "text-encoder" else 0,
            parameter_bytes=4 * SIZES[module.architecture.kind],
            definition_sha256="0" * 64,
            work=(Work(batch=1, flops=1, input_bytes=1, output_bytes=1),),
        )
        for name, module in catalog.modules().items()
    ]
    return ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(modules))


def accuracies(catalog):
    return [
        AccuracyRow(
            benchmark=model.benchmark,
            source="embedded",
            task=model.task,
            model=model.name,
            arrangement=arrangement,
            metric="top-1",
            value=0.9,
            ci_low=0.8,
            ci_high=0.95,
            samples=100,
            differing_predictions=2 if arrangement == "shared" else 0,
            provenance={},
        )
        for model in catalog.models.values()
        for arrangement in ("whole", "split", "shared")
    ]


def test_memory_and_differences_of_each_arrangement(catalog):
    table = arrangements(catalog, described(catalog), accuracies(catalog))
    found = {(row["arrangement"], row["counting"]): row for row in table.to_dict("records")}
    # Three image encoders, two text encoders, three heads; shared: one of each encoder and three heads.
    for title, total, largest in (
        ("A model a task, whole", 3 * 300 + 2 * 100 + 3 * 10, 300 + 100 + 10),
        ("A model a task, split", 3 * 300 + 2 * 100 + 3 * 10, 300),
        ("Shared encoders, a whole copy a task", 3 * 300 + 2 * 100 + 3 * 10, 300 + 100 + 10),
        ("Shared encoders, split and shared", 300 + 100 + 3 * 10, 300),
    ):
        row = found[title, "all parameters"]
        assert (row["total_thousand"], row["largest_piece_thousand"]) == (total, largest)
    without = found["A model a task, whole", "without token embedding"]
    assert without["total_thousand"] == 3 * 300 + 2 * 80 + 3 * 10
    shared = found["Shared encoders, split and shared", "all parameters"]
    assert (shared["requests"], shared["differing"], shared["visual_question_answering"]) == (300, 6, 0.9)
