"""Sweeps of load: parts put together give what one would have given, and what is known of a queue in closed form."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import splitshare
from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.load_sweep import KEYS, Asked, over_seeds, sweep_seeds
from splitshare.stages import load_sweep, load_tables
from tests.replay.test_capacity import SERVICE_S, one_queue, system

ROUTES = {"single": Route(("a",), "b")}
NAME = "four-tasks.laptop-two-jetsons"
METHODS = ("s2m3-greedy", "no-sharing")


@pytest.fixture(scope="module")
def swept() -> dict[str, pd.DataFrame]:
    asked = Asked(0.9, 1 / SERVICE_S, (0.2, 0.5, 0.8, 1.2), (0.5,))
    return sweep_seeds(system(one_queue(), ROUTES, 2.5, requests=8000), asked, range(5))


def test_a_queue_is_as_busy_and_as_slow_as_the_closed_form_says(swept: dict[str, pd.DataFrame]) -> None:
    busy = over_seeds("utilisation", swept["utilisation"].assign(m="m"), ["m"])
    device = busy[busy["name"] == "a"].set_index("share")["utilisation"]
    assert device.to_numpy() == pytest.approx([0.2, 0.5, 0.8, 1.0], rel=0.03)
    points = over_seeds("points", swept["points"].assign(m="m"), ["m"]).set_index("share")
    alone_s = SERVICE_S + 0.001 + 1000 / 1e6 + 0.001 + 10 / 1e6
    for share in (0.2, 0.5, 0.8):
        waits_s = SERVICE_S * share / (2 * (1 - share))  # M/D/1: Pollaczek and Khinchin
        assert points["mean_s"][share] == pytest.approx(alone_s + waits_s, rel=0.08)
        assert points["goodput_per_s"][share] == pytest.approx(share / SERVICE_S * points["in_time"][share], rel=0.03)
    assert points["in_time"].is_monotonic_decreasing
    assert points["in_time"][1.2] < 0.1


def test_percentiles_of_latency_are_those_of_the_queue(swept: dict[str, pd.DataFrame]) -> None:
    """Half of the time the queue is empty (a load of one half), and then a request takes what it takes alone."""
    cdf = swept["latencies"].groupby("percent")["latency_s"].mean()
    assert cdf.is_monotonic_increasing
    assert cdf[1] == pytest.approx(cdf[45])
    assert cdf[55] > cdf[45] * 1.01


def test_intervals_are_students_over_seeds(swept: dict[str, pd.DataFrame]) -> None:
    own = over_seeds("knees", swept["knees"].assign(m="m"), ["m"]).iloc[0]
    values = swept["knees"]["knee_per_s"]
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (own["knee_per_s_low"], own["knee_per_s_high"], own["seeds"]) == pytest.approx((low, high, 5))
    assert own["holds_per_s"] == pytest.approx(1 / SERVICE_S)


def test_limits_that_are_missed_when_idle_have_a_knee_of_zero() -> None:
    loaded = system(one_queue(), ROUTES, 1.0, requests=500)
    strict = type(loaded)(loaded.instance, ROUTES, loaded.draw, 1.0, "independent", {"single": 0.1})
    found = sweep_seeds(strict, Asked(0.9, 5.0, (0.5,), (0.5,)), [0])
    assert found["knees"]["knee_per_s"].tolist() == [0.0]
    assert found["points"]["in_time"].tolist() == [0.0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    instance = next(i for i in splitshare.instances("s2m3") if i.name == NAME)
    instance.write(folder / f"{NAME}.json")
    for method in METHODS:
        splitshare.solve(instance, method).write(folder / "placements" / method / f"{NAME}.json")
    return folder


def asked_of(files: Path, name: str, **changes: object) -> load_sweep.Options:
    fields: dict[str, object] = {
        "instance": files / f"{NAME}.json",
        "output": files / name,
        "placements": files / "placements",
        "methods": list(METHODS),
        "reference": "s2m3-greedy",
        "shares": [0.1, 0.7],
        "latencies_at": [0.7],
        "requests": 400,
        "seeds": 3,
    }
    return load_sweep.Options(**fields | changes)  # type: ignore[arg-type]


def test_parts_put_together_are_the_whole(files: Path) -> None:
    load_sweep.run(asked_of(files, "whole"))
    load_tables.run(load_tables.Options([files / "whole"], files / "one"))
    parts = []
    for method in METHODS:
        for first, seeds in ((0, 2), (2, 1)):
            parts.append(files / f"{method}-{first}")
            load_sweep.run(asked_of(files, parts[-1].name, methods=[method], first_seed=first, seeds=seeds))
    load_tables.run(load_tables.Options(parts, files / "many"))
    for name in KEYS:
        one, many = (pd.read_csv(files / folder / f"{name}.csv") for folder in ("one", "many"))
        pd.testing.assert_frame_equal(one, many)
        assert (one["seeds"] == 3).all()
    points = pd.read_csv(files / "one/points.csv")
    assert points.groupby("share")["offered_per_s"].nunique().tolist() == [1, 1]  # the same rates for all methods
    greedy = points[points["method"] == "s2m3-greedy"].set_index("share")["busiest"]
    assert greedy.to_numpy() == pytest.approx([0.1, 0.7], rel=0.1)  # shares of what its own placement serves
    knees = pd.read_csv(files / "one/knees.csv").set_index("method")
    assert knees["knee_per_s"]["s2m3-greedy"] > knees["knee_per_s"]["no-sharing"]


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (["first", "first"], "is there twice"),
        (["alone"], "one seed only"),
        (["first", "other"], "has other seeds than"),
        (["missing"], "points.parquet: no such file"),
        (["damaged"], "in_time: the column is missing"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(files: Path, parts: list[str], problem: str) -> None:
    small = {"requests": 150, "seeds": 2, "methods": ["s2m3-greedy"]}
    made = {
        "first": small,
        "alone": small | {"seeds": 1},
        "other": small | {"methods": ["no-sharing"], "first_seed": 5},
        "damaged": small,
    }
    for part in set(parts) & set(made):
        load_sweep.run(asked_of(files, part, **made[part]))
    if "damaged" in parts:
        path = files / "damaged/points.parquet"
        pd.read_parquet(path).drop(columns="in_time").to_parquet(path)
    with pytest.raises(InputError, match=problem):
        load_tables.run(load_tables.Options([files / part for part in parts], files / "refused"))
    assert not (files / "refused").exists()


def test_a_method_that_places_nothing_has_no_rows_and_cannot_be_the_reference(files: Path) -> None:
    instance = PlacementInstance.read(files / f"{NAME}.json")
    none = splitshare.solve(instance, "local")
    assert none.assignment is None
    none.write(files / "placements/local" / f"{NAME}.json")
    load_sweep.run(asked_of(files, "with-local", methods=["local", "s2m3-greedy"], requests=150, seeds=2))
    load_sweep.run(asked_of(files, "local-only", methods=["local"], requests=150, seeds=2))
    load_tables.run(load_tables.Options([files / "local-only", files / "with-local"], files / "placed"))
    assert set(pd.read_csv(files / "placed/points.csv")["method"]) == {"s2m3-greedy"}
    with pytest.raises(InputError, match="no rates and limits"):
        load_sweep.run(asked_of(files, "nowhere", reference="local"))
    with pytest.raises(InputError, match=r"0\.3 is none of the shares"):
        load_sweep.run(asked_of(files, "nowhere", latencies_at=[0.3]))
    assert np.isfinite(pd.read_csv(files / "placed/knees.csv")["knee_per_s"]).all()
