"""What sharing saves and costs, by hand."""

import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.places import DATA
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.sharing_price import sharing_price
from tests.figures.test_figures import description

CATALOG = load_catalog(DATA)
SIZES = {"vision-encoder": 80, "text-encoder": 60, "audio-encoder": 85, "head": 0, "decoder": 0}


def test_a_row_is_bytes_saved_and_latency_added():
    modules = [description(n, m.architecture.kind, SIZES[m.architecture.kind]) for n, m in CATALOG.modules().items()]
    described = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(modules))
    placed = pd.DataFrame(
        [
            ("four-tasks", "a", "s2m3-greedy", 1.05),
            ("four-tasks", "a", "no-sharing", 1.0),
            ("four-tasks", "a", "local", 9.0),
            ("four-tasks", "b", "s2m3-greedy", 2.0),
            ("four-tasks", "b", "no-sharing", None),
            ("clip-vit-b16", "a", "s2m3-greedy", 1.0),
            ("clip-vit-b16", "a", "no-sharing", 1.0),
        ],
        columns=["workload", "testbed", "method", "objective_s"],
    )
    table = sharing_price(CATALOG, described, placed).set_index("testbed")
    assert list(table["workload"]) == ["four-tasks", "four-tasks"]  # a model alone shares nothing
    assert list(table["saving"]) == pytest.approx([1 - 225 / 585] * 2)
    assert table.loc["a", "price"] == pytest.approx(0.05)
    assert table["price"].isna().tolist() == [False, True]
    assert sharing_price(CATALOG, described, placed[placed["workload"] == "clip-vit-b16"]).empty
