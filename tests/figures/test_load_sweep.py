"""Figures of the sweep of load: the committed ones say what their takeaways say, and a method may place nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.config import Config
from splitshare.figures import latency_cdf, load_sweep, utilisation_map
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import watching

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "paper_figures"
CONFIG = Config.read(ROOT / "config/config.yaml")
SOURCES = {
    "points": "goodput_against_load",
    "knees": "load_knees",
    "latencies": "latency_cdf",
    "utilisation": "utilisation_against_load",
}


def test_curves_pass_the_target_at_the_knee_far_below_what_is_served() -> None:
    assert CONFIG.load_sweep is not None
    points = pd.read_csv(COMMITTED / "goodput_against_load.csv")
    knees = pd.read_csv(COMMITTED / "load_knees.csv")
    assert len(knees) == len(CONFIG.load_sweep.testbeds) * len(CONFIG.load_sweep.methods)
    for knee in knees.to_dict("records"):
        own = points[(points["instance"] == knee["instance"]) & (points["method"] == knee["method"])]
        rates, goodput = (own[name].to_numpy(dtype=float) for name in ("offered_per_s", "goodput_per_s"))
        at_knee = np.interp(knee["knee_per_s"], rates, own["in_time"].to_numpy(dtype=float))
        assert at_knee == pytest.approx(CONFIG.load_sweep.attainment, abs=0.01)
        assert knee["knee_per_s"] < knee["holds_per_s"] / 3
        assert rates[goodput.argmax()] < knee["holds_per_s"]
    ratio = knees.pivot_table(index="instance", columns="method", values="knee_per_s")
    helps = ratio["s2m3-greedy"] > ratio["no-sharing"]
    assert helps.any()
    assert not helps.all()


def test_one_device_fills_up_while_the_others_are_idle_for_most_of_the_time() -> None:
    table = pd.read_csv(COMMITTED / "utilisation_against_load.csv")
    full = table[table["share"] == 1.0]
    for _, own in full.groupby(["instance", "method"]):
        ordered = own["utilisation"].sort_values(ascending=False).to_numpy()
        assert ordered[0] > 0.9
        assert (ordered[1:] < 0.5).all()


@pytest.mark.parametrize("figure", [load_sweep, latency_cdf, utilisation_map])
def test_a_method_may_place_nothing_on_a_testbed(tmp_path: Path, figure) -> None:
    assert CONFIG.load_sweep is not None
    first = f"{CONFIG.load_sweep.workload}.{CONFIG.load_sweep.testbeds[0]}"
    (tmp_path / "load").mkdir()
    for name, committed in SOURCES.items():
        table = pd.read_csv(COMMITTED / f"{committed}.csv")
        there = (table["instance"] != first) | (table["method"] != "whole-models")
        table[there].to_csv(tmp_path / "load" / f"{name}.csv", index=False)
    with watching() as told:
        figure.draw(Inputs(figure.DECLARATION, tmp_path, CONFIG, load_catalog(ROOT / "data")), tmp_path / "out")
    assert told == []
    assert (tmp_path / "out" / f"{figure.NAME}.png").stat().st_size > 10_000
