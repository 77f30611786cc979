"""Figures that readers look for: tiers, run time against accuracy, shared modules, testbeds, the table of models."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import find_testbeds, read_testbed
from splitshare.figures import testbeds
from splitshare.figures.model_table import model_table
from splitshare.figures.module_sharing import sharing_table
from splitshare.figures.onloading_pareto import pareto_table, scaling_table
from splitshare.figures.onloading_tiers import tiers_table
from splitshare.results.onloading import read_record

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog(ROOT / "data")
COMMITTED = ROOT / "paper_figures"


def test_tiers_are_means_over_seeds_and_all_queries_are_somewhere():
    rows = [
        ("load", 1.0, 1, "j3o", 0.2, 0.5, 0.2, 0.1),
        ("load", 1.0, 2, "j3o", 0.4, 0.3, 0.2, 0.1),
        ("memory", 1.0, 1, "j3o", 0.0, 0.0, 0.0, 1.0),
    ]
    sweep = pd.DataFrame(rows, columns=["varied", "value", "seed", "method", "client", "edge", "cloud", "unserved"])
    table = tiers_table(sweep)
    assert len(table) == 1
    assert table.iloc[0][["client", "edge", "cloud", "unserved"]].tolist() == pytest.approx([0.3, 0.4, 0.2, 0.1])
    committed = pd.read_csv(COMMITTED / "onloading_tiers.csv")
    assert committed[["client", "edge", "cloud", "unserved"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    only = {"edge-only": "edge", "local-only": "client", "cloud-only": "cloud"}
    for method, tier in only.items():
        others = {"client", "edge", "cloud"} - {tier}
        assert committed.loc[committed["method"] == method, sorted(others)].to_numpy().max() == 0


def test_what_is_not_dominated_is_faster_or_better_than_every_other():
    record = read_record(ROOT / "data/baselines/onloading.csv")
    table = pareto_table(record)
    assert set(table["instances"]) == {92}
    assert "optimum-gurobi" not in set(table["method"])  # its licence refused most
    for row in table.itertuples():
        better = table[(table["mean_s"] <= row.mean_s) & (table["mean_missing"] <= row.mean_missing)]
        assert (len(better) == 1) is bool(row.pareto)
    missing = dict(zip(table["method"], table["mean_missing"], strict=True))
    assert sorted(missing, key=lambda name: missing[name])[:3] == ["optimum-highs", "j3o-decomposed", "j3o-batching"]
    scaling = scaling_table(record)
    own = record[(record["method"] == "j3o") & (record["clients"] <= 5)]
    first = scaling[(scaling["method"] == "j3o") & (scaling["group"] == "(0, 5]")].iloc[0]
    assert first["median_s"] == pytest.approx((own["build_s"] + own["solve_s"]).median())
    assert first["instances"] == own["instance"].nunique()


def test_shared_modules_are_counted_once(descriptions):
    table = sharing_table(CATALOG, descriptions)
    once = table.drop_duplicates("module")
    whole = sum(
        descriptions.by_name[ref.module].parameter_bytes
        for model in CATALOG.models.values()
        for ref in (*model.encoders, model.head)
    )
    assert table["bytes"].sum() == whole
    assert once["bytes"].sum() == whole - once["saved_bytes"].sum()


def test_the_table_of_models_says_what_is_measured_and_what_does_not_fit(descriptions):
    cloud = pd.DataFrame({"workload": ["clip-vit-b16"], "edge_s": [0.5], "cloud_s": [0.25]})
    table = model_table(CATALOG, descriptions, cloud, pd.Series({"clip-vit-b16": 2.0}), [])
    assert len(table) == len(CATALOG.models)
    own = table.set_index("model").loc[CATALOG.model("clip-vit-b16").title]
    assert (own["local_s"], own["edge_s"], own["cloud_s"]) == (2.0, 0.5, 0.25)
    assert pd.isna(own["accuracy"])
    assert table["edge_s"].notna().sum() == 1
    split = pd.read_csv(COMMITTED / "memory_split.csv").set_index("model")
    for model, whole, largest in table[["model", "whole_bytes", "largest_module_bytes"]].itertuples(index=False):
        assert (whole, largest) == (split.loc[model, "whole_bytes"], split.loc[model, "largest_module_bytes"])


def test_every_device_of_a_testbed_has_its_modules_by_both():
    testbed = read_testbed(find_testbeds(ROOT / "data")["laptop-jetson"])
    rows = [
        ("laptop-jetson", "s2m3-greedy", "a", "laptop"),
        ("laptop-jetson", "optimum", "a", "jetson"),
        ("another", "optimum", "b", "laptop"),
    ]
    placed = pd.DataFrame(rows, columns=["testbed", "method", "module", "device"])
    memory = {("laptop-jetson", device.name): 1e9 for device in testbed.devices}
    times = {device.device_type: "100% assumed" for device in testbed.devices}
    table = testbeds.testbeds_table({"laptop-jetson": testbed}, memory, placed, times).set_index("device")
    assert table["greedy"].to_dict() == {"laptop": "a", "jetson": ""}
    assert table["optimum"].to_dict() == {"laptop": "", "jetson": "a"}
    assert table["source"].sum() == 1
    assert testbeds.links_in_words(testbed) == "1 link, 94.2 Mbit/s, 1 ms"
