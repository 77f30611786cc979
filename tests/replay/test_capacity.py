"""How much load a placement stands: against the waiting time of a queue in closed form, and against what it serves."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from typer.testing import CliRunner

import splitshare
from splitshare.cli import app
from splitshare.errors import WorkError
from splitshare.figures.load_plot import load_figure
from splitshare.figures.style import paper_style, save_figure, watching
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.capacity import LoadedSystem, knee, load_curve
from splitshare.replay.generators import poisson_trace
from tests.replay.examples import example, fields, module, request

SERVICE_S = 0.2


def one_queue() -> PlacementInstance:
    """One encoder of 0.2 s on its source; the head takes nothing, elsewhere, where it does not queue again."""
    return example(
        modules=[module("vision", a=SERVICE_S), module("head", b=0.0)],
        requests=[request("single", {"vision": 0.0})],
        links=fields()["links"],
    )


def system(
    instance: PlacementInstance, routes: dict[str, Route], factor: float, requests: int = 20_000
) -> LoadedSystem:
    return LoadedSystem(
        instance,
        routes,
        lambda rate, seed: poisson_trace(instance, rate, requests=requests, seed=seed),
        factor,
        "independent",
    )


def waits_at_most(t: float, rate: float) -> float:
    """P(W <= t) of an M/D/1 queue (Erlang's formula), service ``SERVICE_S``."""
    rho = rate * SERVICE_S
    total = 0.0
    for k in range(int(t / SERVICE_S) + 1):
        x = rate * (k * SERVICE_S - t)
        total += x**k / math.factorial(k) * math.exp(-x)
    return (1 - rho) * total


@pytest.mark.parametrize(("factor", "attainment"), [(2.5, 0.95), (4.0, 0.8)])
def test_the_knee_of_one_queue_is_the_closed_form(factor: float, attainment: float) -> None:
    """A request waits at most (factor - 1) service times with the probability that is asked for."""
    limit_s = (factor - 1) * (SERVICE_S + 0.001 + 1000 / 1e6 + 0.001 + 10 / 1e6)
    expected = brentq(lambda rate: waits_at_most(limit_s, rate) - attainment, 0.01, 0.99 / SERVICE_S)
    found = knee(system(one_queue(), {"single": Route(("a",), "b")}, factor), attainment=attainment, seeds=range(8))
    assert found.rate_per_s == pytest.approx(expected, rel=0.03)
    assert found.low < expected < found.high or abs(found.rate_per_s / expected - 1) < 0.015
    assert found.holds_per_s == pytest.approx(1 / SERVICE_S)
    assert len(found.by_seed) == 8
    assert found.low <= np.mean(found.by_seed) <= found.high


def test_the_curve_falls_through_the_target_at_the_knee() -> None:
    loaded = system(one_queue(), {"single": Route(("a",), "b")}, 2.5)
    own = knee(loaded, attainment=0.9, seeds=range(4))
    table = load_curve(loaded, own, range(4))
    curve = table.groupby("offered_per_s").mean()
    assert curve["in_time"].is_monotonic_decreasing
    assert curve["in_time"][own.rate_per_s] == pytest.approx(0.9, abs=0.01)
    assert curve["p95_s"].is_monotonic_increasing
    assert (curve["goodput_per_s"] <= curve.index * 1.05).all()
    assert curve["busiest"].to_numpy() == pytest.approx(curve.index * SERVICE_S, rel=0.03)
    assert curve["busiest"].max() > 1.1  # from idle to beyond what it serves, where hardly any is in time
    assert curve["in_time"].iloc[-1] < 0.2


def test_what_queues_for_nothing_has_no_knee() -> None:
    instance = example(
        modules=[module("vision", a=0.0), module("head", a=0.0)], requests=[request("single", {"vision": 0.0})]
    )
    with pytest.raises(WorkError, match="no rate is too high"):
        knee(system(instance, {"single": Route(("a",), "a")}, 2.0), attainment=0.9, seeds=range(2))


def test_the_command_ranks_placements_and_draws_them(tmp_path) -> None:
    instance = next(i for i in splitshare.instances("s2m3") if i.name == "four-tasks.laptop-two-jetsons")
    instance.write(tmp_path / "i.json")
    for name in ("s2m3-greedy", "first-fit"):
        splitshare.solve(instance, name).write(tmp_path / f"{name}.json")
    asked = ["capacity", *(str(tmp_path / name) for name in ("i.json", "s2m3-greedy.json", "first-fit.json"))]
    more = ["--requests", "2000", "--seeds", "3", "-o", str(tmp_path / "out"), "--plot", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*asked, *more])
    assert done.exit_code == 0, done.output
    knees = pd.read_csv(tmp_path / "out/knees.csv").set_index("placement")
    assert knees["knee_per_s"]["s2m3-greedy"] > knees["knee_per_s"]["first-fit"]
    assert done.output.index("s2m3-greedy: ") < done.output.index("first-fit: ")
    table = pd.read_csv(tmp_path / "out/load.csv")
    assert (tmp_path / "out/load.pdf").stat().st_size > 5_000
    with watching() as told, paper_style():
        save_figure(
            load_figure(table, {str(name): float(rate) for name, rate in knees["knee_per_s"].items()}, 0.95),
            tmp_path,
            "again",
        )
    assert told == []
    same = CliRunner().invoke(app, [*asked[:2], asked[2], asked[2], "-o", str(tmp_path / "x")])
    assert "another placement's file is called 's2m3-greedy' too" in str(same.exception) + same.output
