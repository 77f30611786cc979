"""The page of every result: what it holds, and, in a real browser, that its filters and clicks work."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError
from splitshare.explorer.data import RUN, collect
from splitshare.explorer.page import TITLES, page
from splitshare.placement.algorithms.local import Local
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.algorithms.whole_models import WholeModels
from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.run import solve
from splitshare.stages import explore
from tests.explorer.browser import loads, needs_browser, opened

ROOT = Path(__file__).parents[2]
NAMES = ("four-tasks.laptop-two-jetsons", "clip-rn50x64.laptop-jetson")
METHODS: dict[str, PlacementAlgorithm] = {
    "optimum-highs": Optimum(),
    "s2m3-greedy": S2M3Greedy(),
    "whole-models": WholeModels(),
    "local": Local(),
}


@pytest.fixture(scope="module")
def results(canonical, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instances, placed by four methods, as a run leaves them."""
    root = tmp_path_factory.mktemp("results") / "canonical"
    for instance in canonical:
        if instance.name not in NAMES:
            continue
        instance.write(root / "instances" / f"{instance.name}.json")
        for method, algorithm in METHODS.items():
            solve(instance, algorithm).write(root / "placements" / method / f"{instance.name}.json")
    return root


def test_every_placement_is_a_row_and_follows_its_requests(results: Path, canonical):
    explored = collect(results, load_catalog(ROOT / "data"))
    own = explored.results[explored.results["family"] == RUN]
    assert len(own) == len(NAMES) * len(METHODS)
    assert list(own["method"].unique()) == ["Optimum (highs)", "S2M3 greedy", "Whole models", "Local only"]
    placed = own[own["key"] != ""]
    assert set(explored.placements) == set(explored.timelines) == set(placed["key"])
    assert own.loc[own["key"] == "", "latency_s"].isna().all()
    for row in placed.itertuples():  # the last stage of an idle request ends when the evaluator says
        instance = next(i for i in canonical if i.name == str(row.key).split()[0])
        run = pd.DataFrame(explored.timelines[str(row.key)])
        ends = run.assign(request=run["lane"].str.partition(":")[0]).groupby("request")["end"].max()
        assert set(ends.index) == {request.name for request in instance.requests}
        if row.method != "Whole models":  # requests come at the same rate, and none waits for another
            assert ends.mean() == pytest.approx(row.latency_s, rel=1e-4)
    held = explored.placements["four-tasks.laptop-two-jetsons s2m3-greedy"]
    assert sum(map(len, held.values())) == len(next(i for i in canonical if i.name == NAMES[0]).modules)


def test_recorded_results_stand_beside_without_placements(results: Path):
    explored = collect(results, load_catalog(ROOT / "data"))
    recorded = explored.results[explored.results["family"] != RUN]
    assert {"recorded: s2m3", "recorded: random-test", "recorded: onloading"} <= set(recorded["family"])
    assert (recorded["key"] == "").all()
    onloading = recorded[recorded["family"] == "recorded: onloading"]
    assert onloading["latency_s"].isna().all()
    assert onloading.loc[onloading["method"] == "J3O, batching", "accuracy_percent"].between(0, 100).all()


def test_the_page_needs_nothing_from_elsewhere(results: Path, tmp_path: Path):
    explore.run(explore.Options(tmp_path / "page.html", results, catalog_root=ROOT / "data"))
    assert loads((tmp_path / "page.html").read_text()) == []


def test_results_without_placements_are_told(tmp_path: Path):
    with pytest.raises(InputError, match="holds no placements; give --results results/canonical after a run"):
        explore.run(explore.Options(tmp_path / "page.html", tmp_path))


@pytest.mark.slow
@needs_browser
def test_filters_and_clicks_work_in_a_browser(results: Path, tmp_path: Path):
    (tmp_path / "page.html").write_text(page(collect(results, load_catalog(ROOT / "data"))))
    with opened(tmp_path / "page.html") as (page_, wrong):
        rows = page_.locator(".slick-row")
        rows.first.wait_for()

        def cells(column: str) -> list[str]:
            place = list(TITLES).index(column)
            return [row.inner_text().split("\n")[place] for row in rows.all()]

        assert set(cells("family")) == {RUN}
        assert len(cells("family")) == len(NAMES) * len(METHODS)
        family, testbed, method = page_.locator("select").all()
        method.select_option(label="S2M3 greedy")
        page_.wait_for_timeout(300)
        assert set(cells("method")) == {"S2M3 greedy"}
        testbed.select_option(label="laptop-two-jetsons")
        page_.wait_for_timeout(300)
        assert cells("workload") == ["four-tasks"]
        rows.first.locator(".slick-cell").first.click()
        page_.wait_for_timeout(300)
        assert page_.get_by_text("on four-tasks.laptop-two-jetsons").is_visible()
        family.select_option(label="(all)")
        testbed.select_option(label="(all)")
        page_.locator("input").fill("five-tasks-l")
        page_.wait_for_timeout(300)
        assert set(cells("workload")) == {"five-tasks-large"}
        assert set(cells("family")) == {"recorded: s2m3"}
        page_.set_viewport_size({"width": 390, "height": 844})
        page_.wait_for_timeout(300)
        assert page_.evaluate("document.documentElement.scrollWidth") <= 390
        assert wrong == []
