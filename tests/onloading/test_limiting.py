"""Side constraints put on an instance by a command, and the table of what they cost."""

import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.choices import SideLimit
from splitshare.cli import app
from splitshare.commands.onloading import limit as limit_options
from splitshare.commands.onloading import price as price_options
from splitshare.errors import InputError, WorkError
from splitshare.figures.limit_price_plot import limit_price_figure
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.limiting import prices, with_limits, with_power
from splitshare.onloading.run import solve
from splitshare.stages.onloading import limit, price
from tests.onloading.examples import limited, tiny

WATTS = {"client": 2.0, "edge": 20.0, "cloud": 100.0}


def written(tmp_path, instance):
    instance.write(tmp_path / "instance.json")
    return tmp_path / "instance.json"


def test_a_command_adds_limits_and_energies(tmp_path):
    instance = tiny(1)
    limit.run(
        limit_options.Options(
            written(tmp_path, instance),
            tmp_path / "limited.json",
            least_accuracy=["t1=0.25"],
            least_served=["0.5", "t0=0.75"],
            watts=[f"{name}={watts}" for name, watts in WATTS.items()],
            uplink_j_per_byte=1e-6,
            energy_limit_j=3.0,
        )
    )
    found = OnloadingInstance.read(tmp_path / "limited.json")
    assert [(t.least_accuracy, t.least_served) for t in found.tasks] == [(None, 0.75), (0.25, 0.5)]
    assert (found.energy_limit_j, found.clients[0].uplink_j_per_byte) == (3.0, 1e-6)
    for model, before in zip(found.models, instance.models, strict=True):
        for name, compute in model.compute.items():
            assert compute.start_j == before.compute[name].start_s * WATTS[name]
            assert compute.per_query_j == before.compute[name].per_query_s * WATTS[name]
    said = json.loads(found.to_json())
    # What was there is as it was.
    for entry in (*said["tasks"], *said["clients"], *(c for m in said["models"] for c in m["compute"].values())):
        for field in ("least_accuracy", "least_served", "uplink_j_per_byte", "start_j", "per_query_j"):
            entry.pop(field, None)
    said.pop("energy_limit_j")
    assert OnloadingInstance.parse(said, "again").sha256() == instance.sha256()


def test_other_watts_leave_the_joules_of_sending_as_they_are(tmp_path):
    instance = with_power(tiny(1), WATTS, uplink_j_per_byte=1e-6)
    watts = [f"{name}={2 * watts}" for name, watts in WATTS.items()]
    limit.run(limit_options.Options(written(tmp_path, instance), tmp_path / "limited.json", watts=watts))
    found = OnloadingInstance.read(tmp_path / "limited.json")
    assert {client.uplink_j_per_byte for client in found.clients} == {1e-6}
    for model, before in zip(found.models, instance.models, strict=True):
        for name, compute in model.compute.items():
            assert compute.per_query_j == 2 * (before.compute[name].per_query_j or 0.0)


def test_an_unknown_task_is_told():
    given = {"t0": 0.2, "t00": 0.5}
    with pytest.raises(InputError, match=r"limits: least_accuracy: unknown task 't00'; did you mean 't0'"):
        with_limits(tiny(1), least_accuracy=given)
    with pytest.raises(InputError, match=r"limits: least_served: unknown task 't00'; did you mean 't0'"):
        with_limits(tiny(1), least_served=given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "instance.json: nothing is to change; give --least-accuracy, --least-served, --watts or --energy-limit-j"),
        ({"uplink_j_per_byte": 1.0}, "--uplink-j-per-byte: has no meaning without --watts"),
        ({"least_served": ["t9=0.5"]}, "--least-served: 't9=0.5': 't9' is no task"),
        ({"least_served": ["t0=2"]}, "--least-served: 't0=2': must be a task and a number, such as t0=0.5"),
        ({"least_accuracy": ["0.5", "0.6"]}, "--least-accuracy: '0.6': a number alone stands twice"),
        ({"watts": ["edge=20"]}, "--watts: says nothing of 'client'"),
        ({"watts": ["20"]}, "--watts: '20': must be a device class and a number"),
        ({"energy_limit_j": 1.0}, r"instance.json: models\[0\].compute.client.per_query_j: is missing"),
        ({"uplink_j_per_byte": 1.0, "least_served": ["1"]}, "--uplink-j-per-byte: has no meaning without --watts"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, given, told):
    path = written(tmp_path, tiny(1))
    with pytest.raises(InputError, match=told):
        limit.run(limit_options.Options(path, tmp_path / "limited.json", **given))
    assert not (tmp_path / "limited.json").exists()


def test_the_instance_itself_is_not_written_over(tmp_path):
    path = written(tmp_path, tiny(1))
    with pytest.raises(InputError, match="is the instance itself"):
        limit.run(limit_options.Options(path, path, least_served=["0.5"]))


def optimal(instance):
    return solve(instance, load("optimum", gap=0.0))


def test_the_price_is_what_the_optimum_loses(tmp_path):
    """Each row against the same limit put on by hand; more is never cheaper."""
    instance = with_power(tiny(3), WATTS)
    for number, what in enumerate(get_args(SideLimit)):
        options = price_options.Options(
            [written(tmp_path, instance)],
            tmp_path / what,
            limit=what,
            shares=[0.3, 0.6, 0.9],
            algorithms=["optimum[gap=0]"],
        )
        table = price.run(options)
        kept = pd.read_csv(tmp_path / what / "prices.csv")
        pd.testing.assert_frame_equal(table.drop(columns="reason"), kept.drop(columns="reason"), check_dtype=False)
        assert kept["reason"].fillna("").tolist() == table["reason"].fillna("").tolist()
        free = table.iloc[0]
        assert (free["status"], free["price"]) == ("optimal", 0.0)
        assert free["objective"] == pytest.approx(optimal(instance).objective)
        for _, row in table.iloc[1:].iterrows():
            best = {task.name: max(m.accuracy.get(task.name, 0) for m in instance.models) for task in instance.tasks}
            same = (
                with_limits(instance, least_accuracy={name: most * row["share"] for name, most in best.items()}),
                with_limits(instance, least_served=dict.fromkeys(best, row["share"])),
                with_limits(instance, energy_limit_j=row["share"] * free["energy_j"]),
            )[number]
            decision = optimal(same)
            assert row["status"] == decision.status
            if decision.objective is not None:
                assert row["price"] == pytest.approx(1 - decision.objective / free["objective"], abs=1e-7)
        costs = table["price"].fillna(1.0).to_numpy()
        order = costs[1:] if what != "energy" else costs[:0:-1]
        assert (order[1:] >= order[:-1] - 1e-9).all()
        assert costs.max() > 0


def test_the_command_prices_and_draws(tmp_path):
    path = written(tmp_path, tiny(1))
    asked = ["onloading", "price", path, "-o", tmp_path / "out", "--limit", "accuracy", "--plot", tmp_path / "fig"]
    shares = ["--share", "0.3", "--share", "1", "--algorithm", "optimum", "--algorithm", "j3o"]
    done = CliRunner().invoke(app, [str(word) for word in (*asked, *shares)])
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "prices.csv")
    assert len(table) == 2 * 3
    assert {"infeasible", "optimal"} <= set(table["status"])
    assert (tmp_path / "fig" / "price.pdf").exists()
    figure = limit_price_figure(table)
    for axis, column in zip(figure.axes, ("objective", "least_accuracy"), strict=True):
        drawn = [line.get_ydata() for line in axis.get_lines()[::2]]
        told = table[table["share"].notna()][column].to_numpy().reshape(2, 2)
        np.testing.assert_array_equal(drawn, told)


def test_no_table_where_nothing_is_found_or_no_energy_is_told(tmp_path):
    path = written(tmp_path, with_limits(tiny(1), least_accuracy={"t0": 1.0}))
    options = price_options.Options([path], tmp_path / "out", algorithms=["optimum", "j3o"])
    with pytest.raises(WorkError, match=r"optimum on tiny-1: infeasible \(.*\); j3o on tiny-1: infeasible"):
        price.run(options)
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no joules are told"):
        list(prices(tiny(1), {"j3o": load("j3o")}, "energy", [0.5]))


def test_the_decision_without_limit_keeps_those_that_the_instance_has():
    instance = limited(0)
    rows = list(prices(instance, {"optimum": load("optimum")}, "served", [1.0]))
    assert rows[0]["objective"] == solve(instance, load("optimum")).objective


def test_what_finds_nothing_has_a_row_that_says_so_and_others_go_on(tmp_path):
    """Of a share served that clients alone cannot reach."""
    path = written(tmp_path, with_limits(tiny(0), least_served={"t0": 1.0, "t1": 1.0}))
    options = price_options.Options(
        [path], tmp_path / "out", shares=[0.5], algorithms=["local-only", "optimum"], plot=tmp_path / "fig"
    )
    table = price.run(options)
    assert table["algorithm"].tolist() == ["local-only", "optimum", "optimum"]
    nothing = pd.read_csv(tmp_path / "out" / "prices.csv").iloc[0]
    assert nothing["status"] == "infeasible"
    assert nothing["reason"]
    assert nothing[["share", "price", "objective"]].isna().all()
    assert [len(axis.get_lines()) for axis in limit_price_figure(table).axes] == [2, 2]


def test_what_takes_no_energy_has_a_row_that_says_so_and_others_go_on(tmp_path):
    """Clients that compute for nothing, and a server that does not."""
    said = json.loads(with_power(tiny(0), WATTS).to_json())
    for model in said["models"]:
        for device, compute in model["compute"].items():
            if any(client["device"] == device for client in said["clients"]):
                compute |= {"start_j": 0.0, "per_query_j": 0.0}
    path = written(tmp_path, OnloadingInstance.parse(said, "said"))
    options = price_options.Options(
        [path],
        tmp_path / "out",
        limit="energy",
        shares=[0.5],
        algorithms=["local-only", "optimum"],
        plot=tmp_path / "fig",
    )
    table = price.run(options)
    assert table["algorithm"].tolist() == ["local-only", "optimum", "optimum"]
    assert table["energy_j"].iloc[0] == 0 < table["energy_j"].iloc[1]
    nothing = pd.read_csv(tmp_path / "out" / "prices.csv").iloc[0]
    assert (nothing["status"], nothing["price"]) == ("feasible", 0)
    assert nothing["reason"] == "takes no energy, so that there is no share of it to ask for"
    with pytest.raises(WorkError, match=r"local-only on tiny-0: feasible \(takes no energy, so that"):
        price.run(replace(options, output=tmp_path / "none", algorithms=["local-only"]))
    assert not (tmp_path / "none").exists()


def test_of_two_limits_the_stricter_one_stays():
    """A laxer one changes nothing, so that no optimum gains by it."""
    energetic = with_power(tiny(0), WATTS)
    free = optimal(energetic)
    most = {task.name: max(m.accuracy.get(task.name, 0) for m in energetic.models) for task in energetic.tasks}
    row = next(prices(energetic, {"optimum": load("optimum", gap=0.0)}, "energy", []))
    assert row["objective"] == free.objective
    by_hand = with_limits(
        energetic,
        least_accuracy={name: 0.3 * value for name, value in most.items()},
        least_served=dict.fromkeys(most, 0.4),
        energy_limit_j=0.8 * row["energy_j"],
    )
    for what in get_args(SideLimit):
        base, *laxer = prices(by_hand, {"optimum": load("optimum", gap=0.0)}, what, [0.1, 0.3, 0.6])
        assert base["price"] == 0
        for row in laxer:
            if row["price"] is not None:
                assert row["price"] >= -1e-9
            if what != "energy" and row["share"] < 0.4:
                assert row["objective"] == pytest.approx(base["objective"], abs=1e-9)
