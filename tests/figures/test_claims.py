"""Claims of S2M3 by their rules, on numbers that were counted by hand."""

import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.places import DATA
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.claims_s2m3 import (
    greedy_optimal,
    greedy_optimal_cached,
    latency_readings,
    share_saving,
    split_saving,
)
from tests.figures.test_figures import description

CATALOG = load_catalog(DATA)


def described(**sizes: int) -> ModuleDescriptions:
    """Modules of so many parameters by kind, none of them embeddings."""
    kinds = {"vision_encoder": 80, "text_encoder": 60, "audio_encoder": 85, "head": 0, "decoder": 0} | sizes
    modules = [
        description(name, m.architecture.kind, kinds[m.architecture.kind.replace("-", "_")], 0)
        for name, m in CATALOG.modules().items()
    ]
    return ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(modules))


def test_s1_is_the_largest_saving_in_bytes_over_all_models():
    claim, of_two = split_saving(CATALOG, described())
    # Alignment: 80 + 60 + 85, its largest module 85.
    assert claim.measured_value == f"{1 - 85 / 225:.1%}"
    assert (claim.verdict, claim.n) == ("exceeded", 14)
    assert of_two.measured_value == f"{1 - 80 / 140:.1%}"
    assert of_two.verdict == "partly"


def test_s2_is_read_on_the_stated_workload_and_the_others_stand_beside():
    stated, others = share_saving(CATALOG, described(), ["clip-vit-b16", "four-tasks", "retrieval-vqa"], "four-tasks")
    assert stated.measured_value == f"{1 - 225 / 585:.1%}"
    assert stated.verdict == "reproduced"
    assert (others.n, others.measured_value) == (1, "50.0% to 50.0%")  # both have the same two towers
    assert others.verdict == "partly"
    assert len(share_saving(CATALOG, described(), ["clip-vit-b16", "four-tasks"], "four-tasks")) == 1
    (alone,) = share_saving(CATALOG, described(), ["clip-vit-b16"], "clip-vit-b16")
    assert (alone.verdict, alone.measured_value) == ("cannot be judged here", "0.0%")


PLACED = pd.DataFrame(
    [
        ("one", "a", "s2m3-greedy", True, 0.0),
        ("one", "b", "s2m3-greedy", True, 0.0),
        ("two", "a", "s2m3-greedy", False, 0.04),
        ("two", "b", "s2m3-greedy", True, 0.0),
        ("two", "b", "local", False, 0.9),
    ],
    columns=["workload", "testbed", "method", "optimal", "gap"],
)


def test_s4_tells_instances_of_several_models_apart():
    every, several = greedy_optimal(PLACED, {"one": 1, "two": 3})
    assert (every.measured_value, every.n, every.verdict) == ("3 of 4", 4, "not reproduced")
    assert "largest gap 4.00%; 2 of them are single models" in every.note
    assert (several.measured_value, several.n) == ("1 of 2", 2)
    assert len(greedy_optimal(PLACED, {"one": 1, "two": 1})) == 1


def test_s4_with_prompts_encoded_beforehand_counts_what_that_changes():
    cached = pd.DataFrame(
        [("one", "a", 1.1, 1.0), ("one", "b", 1.0, 1.0), ("two", "a", 2.0, 2.0)],
        columns=["workload", "testbed", "cached_greedy_s", "cached_optimum_s"],
    )
    (claim,) = greedy_optimal_cached(PLACED, cached)
    assert greedy_optimal_cached(PLACED, cached[:0]) == []
    assert claim.measured_value == "3 of 4"  # one.a is lost, two.a is won, two.b is as it was
    assert "largest gap 10.00%; 3 of the 4 instances have class prompts" in claim.note


@pytest.mark.parametrize("share", [0.94, 0.95])
def test_s4_with_all_instances_is_held_against_the_papers_share(share: float):
    instances = 100
    placed = pd.DataFrame(
        [("one", str(i), "s2m3-greedy", i < share * instances, 0.0) for i in range(instances)], columns=PLACED.columns
    )
    (claim,) = greedy_optimal(placed, {"one": 1})
    assert claim.verdict == "exceeded"  # 89 of 95 are 93.7 %


def test_s5_is_read_otherwise_beside():
    rows = [
        ("one", 1, "s2m3-greedy", "encoded", 0.9),
        ("one", 1, "optimum", "encoded", 0.6),
        ("two", 1, "optimum", "encoded", -2.0),
        ("one", 1, "s2m3-greedy", "cached", 0.5),
        ("two", 1, "s2m3-greedy", "cached", 0.3),
        ("both", 2, "s2m3-greedy", "cached", 0.99),
    ]
    columns = ["workload", "models", "method", "prompts", "reduction"]
    optimum, cached = latency_readings(pd.DataFrame(rows, columns=columns))
    assert (optimum.reading, optimum.measured_value, optimum.verdict) == (
        "placed at the edge to the optimum",
        "60.0%",
        "exceeded",
    )
    assert "faster for 1 of 2 models, by -70% for the median model" in optimum.note
    assert cached.reading == "prompts encoded beforehand, placed at the edge by the greedy"
    assert (cached.measured_value, cached.verdict) == ("50.0%", "partly")
