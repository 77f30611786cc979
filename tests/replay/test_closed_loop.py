"""Users that wait for their answers: against mean value analysis, the replay of their own trace, and by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.placement.objective import Route
from splitshare.replay.closed_loop import closed_loop
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import read_trace
from tests.commands.test_replay import placement
from tests.replay.examples import example, module, request

ROUTES = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}


def test_users_take_turns() -> None:
    """Two users who think for 1 s, they ask at once, and one waits for the other."""
    found = closed_loop(example(), ROUTES, users=2, think_s=1.0, requests=40, think="constant", seed=3)
    alone = closed_loop(example(), ROUTES, users=1, think_s=1.0, requests=9, think="constant", seed=3)
    assert alone.trace.arrival_s[0] == 1.0
    gaps = alone.trace.arrival_s[1:] - alone.finish_s[:-1]
    assert gaps == pytest.approx(1.0)
    assert found.trace.arrival_s[:2].tolist() == [1.0, 1.0]
    for user in (0, 1):
        mine = np.flatnonzero(found.user == user)
        assert found.trace.arrival_s[mine[1:]] - found.finish_s[mine[:-1]] == pytest.approx(1.0)


@pytest.mark.parametrize(("users", "think_s"), [(1, 0.5), (7, 2.0), (40, 3.0), (5, 0.0)])
@pytest.mark.parametrize("link_model", ["serial", "independent"])
def test_its_trace_replays_alike(users: int, think_s: float, link_model: str) -> None:
    found = closed_loop(example(), ROUTES, users=users, think_s=think_s, requests=400, seed=1, link_model=link_model)  # type: ignore[arg-type]
    again = simulate(example(), ROUTES, found.trace, link_model=link_model)  # type: ignore[arg-type]
    if think_s > 0:  # else requests of different users come at once, and may change places
        assert again.requests["finish_s"].to_numpy() == pytest.approx(found.finish_s)
    under_way = [(found.trace.arrival_s <= t).sum() - (found.finish_s <= t).sum() for t in found.trace.arrival_s]
    assert max(under_way) <= users


@pytest.mark.parametrize("users", [1, 3, 12])
def test_throughput_is_that_of_mean_value_analysis(users: int) -> None:
    """One device with constant times but for thinking would be no product form; with 60 classes of drawn times it is
    close to one with exponential times (Reiser and Lavenberg 1980): X = N / (Z + R), R = S (1 + Q of N - 1)."""
    draws = -np.log1p(-(np.arange(400) + 0.5) / 400)  # quantiles of the exponential distribution
    classes = [request(f"r{i}", {f"m{i}": 1e-6}, head="end", result_bytes=1e-6) for i in range(len(draws))]
    modules = [module(f"m{i}", b=0.1 * seconds) for i, seconds in enumerate(draws.tolist())]
    for one in modules:
        one["memory_bytes"] = 1e-6
        one["output_bytes"] = 1e-6
    links = [{"a": "a", "b": "b", "latency_s": 0.0, "bandwidth_bytes_per_s": 1e12}]
    devices = [{"name": name, "memory_bytes": 100.0} for name in "ab"]
    instance = example(requests=classes, modules=[*modules, module("end", a=0.0)], links=links, devices=devices)
    routes = {f"r{i}": Route(("b",), "a") for i in range(len(draws))}
    found = closed_loop(instance, routes, users=users, think_s=0.5, requests=60_000, seed=2)
    queue, rate = 0.0, 0.0
    for n in range(1, users + 1):
        response_s = draws.mean() * 0.1 * (1 + queue)
        rate = n / (0.5 + response_s)
        queue = rate * response_s
    assert found.throughput_per_s == pytest.approx(rate, rel=0.02)
    latency_s = (found.finish_s - found.trace.arrival_s).mean()
    assert users == pytest.approx(found.throughput_per_s * (0.5 + latency_s), rel=0.02)  # Little's law of the loop


def test_the_command(tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    placement(example().sha256()).write(tmp_path / "p.json")
    asked = [
        "closed-loop",
        str(tmp_path / "i.json"),
        str(tmp_path / "p.json"),
        "-o",
        str(tmp_path / "r.parquet"),
        "--users",
        "3",
        "--think-s",
        "0.5",
    ]
    done = CliRunner().invoke(app, [*asked, "--requests", "50", "--trace", str(tmp_path / "t.parquet")])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert "answers a second; the" in done.output
    assert len(read_trace(tmp_path / "t.parquet")) == 50
    assert len(pd.read_parquet(tmp_path / "r.parquet")) == 50
    wrong = CliRunner().invoke(app, [*asked, "--trace", str(tmp_path / "t.json")])
    assert "the suffix chooses the format" in str(wrong.exception)
