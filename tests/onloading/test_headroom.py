"""Plans that may use a share of the limits: equal to instances whose limits are lower, and judged by replays."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.onloading.contract import load
from splitshare.onloading.headroom import best_limits, limited
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from tests.onloading.examples import fields, tiny


def patient(seed: int, share: float) -> OnloadingInstance:
    """Tiny, with limits and bandwidths lowered by hand, and so much time that transfers are never too long."""
    plain = fields(seed, batching=bool(seed % 2))
    for task in plain["tasks"]:
        task["latency_limit_s"] = 1000.0
    plain["cloud"]["compute_limit"] *= share
    for server in plain["servers"]:
        server["compute_limit"] *= share
        server["backhaul_bytes_per_s"] *= share
    for client in plain["clients"]:
        client["compute_limit"] *= share
        client["uplink_bytes_per_s"] *= share
    return OnloadingInstance.parse(plain, "patient")


@given(st.integers(0, 30), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
@settings(deadline=None, max_examples=15)
def test_a_share_of_the_limits_is_lower_limits(seed: int, share: float) -> None:
    asked, by_hand = limited(patient(seed, 1.0), share), patient(seed, share)
    for name in ("optimum", "j3o-batching", "accuracy-greedy"):
        found, wanted = (solve(instance, load(name)) for instance in (asked, by_hand))
        assert found.objective == pytest.approx(wanted.objective, abs=1e-6)
        if name == "optimum":
            assert found.bound == pytest.approx(wanted.bound, abs=1e-5)


def test_transfers_take_no_longer_because_less_may_be_used() -> None:
    """A query whose way takes 0.9 of its limit is still answered in time by a plan that may use half of each link."""
    plain = fields(3)
    for client in plain["clients"]:
        client["uplink_bytes_per_s"] = 1e4
        client["demand_per_s"] = {"t0": 0.01}
    plain["tasks"][0]["latency_limit_s"] = 0.1 + plain["tasks"][0]["query_bytes"] / 1e4 / 0.9
    instance = OnloadingInstance.parse(plain, "near")
    half = limited(instance, 0.5)
    assert solve(half, load("edge-only")).objective == pytest.approx(solve(instance, load("edge-only")).objective)


def test_all_of_it_is_the_instance_itself() -> None:
    instance = tiny(5)
    assert limited(instance, None).sha256() == instance.sha256()
    assert limited(instance, 0.5).sha256() != instance.sha256()
    assert solve(limited(instance, 1.0), load("j3o")).objective == solve(instance, load("j3o")).objective


def test_the_best_limit_is_told_for_each_load() -> None:
    table = pd.DataFrame(
        [
            (1.0, 0.5, 0.6),
            (1.0, 0.8, 0.7),
            (1.0, 0.8, 0.8),
            (1.0, 1.0, 0.7),
            (0.5, 0.5, 0.8),
            (0.5, 0.8, 0.9),
            (0.5, 1.0, 0.9),
        ],
        columns=["load", "utilisation", "accuracy_in_time"],
    )
    best = best_limits(table)
    assert best[["load", "utilisation"]].to_numpy().tolist() == [[0.5, 1.0], [1.0, 0.8]]
    assert best["gain"].to_numpy() == pytest.approx([0.0, 0.05])


def test_the_command(tmp_path: Path) -> None:
    tiny(2).write(tmp_path / "i.json")
    asked = ["onloading", "headroom", str(tmp_path / "i.json"), "-o", str(tmp_path / "out"), "--horizon-s", "30"]
    done = CliRunner().invoke(app, [*asked, "--limit", "0.6", "--seeds", "2", "--plot", str(tmp_path / "fig")])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "replays.csv")
    assert sorted(set(table["utilisation"])) == [0.6, 1.0]
    assert len(table) == 2 * 3 * 2
    planned = table.groupby("utilisation")["planned_accuracy"].first()
    assert planned[0.6] <= planned[1.0]
    in_time = table["accuracy_in_time"] <= table["accuracy"] + 1e-12
    assert in_time.all()
    assert np.isfinite(table["late"]).all()
    assert len(pd.read_csv(tmp_path / "out" / "best.csv")) == 3
    assert (tmp_path / "fig" / "headroom.png").exists()
    wrong = CliRunner().invoke(app, [*asked, "--warm-up-s", "30"])
    assert "leaves nothing of 30 s" in str(wrong.exception)
