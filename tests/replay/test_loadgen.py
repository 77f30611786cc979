"""LoadGen's scenarios against what is known without a replay."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.placement.objective import Route
from splitshare.replay.loadgen import offline, server, single_stream
from splitshare.replay.metrics import percentile
from splitshare.replay.simulator import idle_latency_s, simulate
from splitshare.replay.traces import RequestTrace
from tests.commands.test_replay import placement
from tests.replay.examples import example
from tests.replay.test_capacity import SERVICE_S, one_queue

ROUTES = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}


def test_one_at_a_time_is_the_idle_latency() -> None:
    idle_s = idle_latency_s(example(), ROUTES, link_model="serial")
    found = single_stream(example(), ROUTES, queries=2000, seed=1, link_model="serial")
    assert found.value == pytest.approx(max(idle_s.values()))  # a quarter of all requests are the slower ones
    routes = {"single": Route(("a",), "b")}
    alone = single_stream(one_queue(), routes, queries=100, seed=1, link_model="serial")
    assert alone.value == pytest.approx(idle_latency_s(one_queue(), routes, link_model="serial")["single"])


def test_a_few_at_a_time_wait_for_each_other() -> None:
    """Four requests of 0.2 s at once: the last is done after 0.8 s, and its output travels."""
    routes = {"single": Route(("a",), "b")}
    found = single_stream(one_queue(), routes, queries=100, seed=1, link_model="independent", samples=4)
    assert found.value == pytest.approx(4 * SERVICE_S + 0.002 + 0.001 + 10 / 1e6)
    assert found.scenario == "multi-stream"


def test_queries_do_not_meet() -> None:
    """Each query of several classes is what it is alone: replayed one by one, the percentile is the same."""
    found = single_stream(example(), ROUTES, queries=120, seed=3, link_model="serial", samples=3)
    rates = np.array([request.rate_per_s for request in example().requests])
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(3).spawn(2)[1]))
    classes = stream.choice(2, size=360, p=rates / rates.sum()).reshape(120, 3)
    latency_s = []
    for own in classes:
        trace = RequestTrace(np.arange(3), np.zeros(3), ("pair", "single"), own.astype(np.int64), np.ones(3))
        latency_s.append(simulate(example(), ROUTES, trace).requests["latency_s"].max())
    assert found.value == pytest.approx(percentile(np.sort(latency_s), 99))


def test_a_server_stands_less_than_the_system_holds_and_all_at_once_comes_close_to_it() -> None:
    routes = {"single": Route(("a",), "b")}
    served = server(one_queue(), routes, queries=3000, seeds=3, limit_factor=2.5, link_model="independent")
    at_once = offline(one_queue(), routes, queries=3000, seed=0, link_model="independent")
    assert 0 < served.value < at_once.value
    assert at_once.value == pytest.approx(1 / SERVICE_S, rel=0.001)


def test_the_command_tells_all_four(tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    placement(example().sha256()).write(tmp_path / "p.json")
    asked = ["loadgen", str(tmp_path / "i.json"), str(tmp_path / "p.json"), "--queries", "500", "--seeds", "2"]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "o.csv")])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "o.csv")
    assert table["scenario"].tolist() == ["single-stream", "multi-stream", "server", "offline"]
    assert all(f"{name}: " in done.output for name in table["scenario"])
    wrong = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "o.txt")])
    assert "the suffix must be .csv" in str(wrong.exception) + wrong.output
