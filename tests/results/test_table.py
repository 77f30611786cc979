import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from splitshare.errors import WorkError
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.results.table import OPTIMALITY_TOLERANCE, Solved, latencies_table, placements_table, runs_table
from splitshare.results.write import write_csv, write_parquet
from tests.replay.examples import example

WHOLE = {"vision": ("b",), "text": ("b",), "head": ("a",)}


def instance(name: str = "work.bed") -> PlacementInstance:
    return example(name=name, origin={"workload": name.partition(".")[0], "testbed": "bed"})


def solved(method: str, objective: float | None, name: str = "work.bed", **changes: Any) -> Solved:
    of = instance(name)
    fields = {
        "schema": "splitshare.placement/1",
        "instance_sha256": of.sha256(),
        "algorithm": method,
        "status": "infeasible" if objective is None else "feasible",
        "assignment": None if objective is None else {module: list(hosts) for module, hosts in WHOLE.items()},
        "objective": objective,
        "bound": None,
        "build_s": 0.25,
        "solve_s": 0.5,
        "versions": {"splitshare": "0", "python": "3", "solver": "highs 1"},
    }
    return Solved(method, of, Placement.parse(fields | changes, "placement"))


def optimum(objective: float, method: str = "optimum-highs", **changes: Any) -> Solved:
    proved: dict[str, Any] = {"status": "optimal", "bound": objective}
    return solved(method, objective, **(proved | changes))


def test_the_gap_is_relative_to_the_proved_optimum_of_the_same_instance():
    table = placements_table(
        [
            solved("greedy", 3.0),
            optimum(2.0),
            solved("local", 2.0),
            solved("stuck", None),
            solved("greedy", 5.0, name="other.bed"),
        ]
    ).set_index(["workload", "method"])
    gap = table["gap"].to_dict()
    assert gap[("work", "greedy")] == pytest.approx(0.5)
    assert gap[("work", "optimum-highs")] == gap[("work", "local")] == 0.0
    assert math.isnan(gap[("work", "stuck")])
    assert math.isnan(gap[("other", "greedy")])  # nobody proved an optimum there
    assert table["optimal"].tolist() == [False, True, True, False, False]
    assert table["testbed"].unique().tolist() == ["bed"]
    assert table["optimum_s"].isna().tolist() == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("objective", "gap", "optimal"),
    [
        (2.0 * (1 + 0.5 * OPTIMALITY_TOLERANCE), 0.0, True),
        (2.0 * (1 - 0.5 * OPTIMALITY_TOLERANCE), 0.0, True),
        (2.0 * (1 + 3 * OPTIMALITY_TOLERANCE), 3 * OPTIMALITY_TOLERANCE, False),
    ],
)
def test_a_gap_within_the_tolerance_is_none(objective: float, gap: float, optimal: bool):
    row = placements_table([optimum(2.0), solved("greedy", objective)]).iloc[1]
    assert row["gap"] == pytest.approx(gap, rel=1e-6)
    assert row["optimal"] == optimal


def test_better_than_the_proved_optimum_is_an_error():
    with pytest.raises(WorkError, match=r"greedy on work\.bed: better than the proved optimum by 5\.00e-01"):
        placements_table([optimum(2.0), solved("greedy", 1.0)])


def test_a_method_that_changes_the_instance_may_fall_below_but_is_never_optimal():
    table = placements_table([optimum(2.0), solved("no-sharing", 1.0, variant="no-sharing")])
    assert table["gap"].tolist() == [0.0, -0.5]
    assert table["optimal"].tolist() == [True, False]
    assert table["variant"].tolist() == ["", "no-sharing"]


def test_solvers_that_disagree_are_an_error():
    with pytest.raises(WorkError, match=r"work\.bed: optimum-highs proves 2\.0, optimum-gurobi proves 2\.1"):
        placements_table([optimum(2.0), optimum(2.1, "optimum-gurobi")])
    placements_table([optimum(2.0), optimum(2.0 + 1e-9, "optimum-gurobi")])


def test_what_is_not_proved_is_no_optimum():
    table = placements_table([optimum(2.0, status="time_limit", bound=1.0), solved("greedy", 1.5)])
    assert table["optimum_s"].isna().all()
    assert not table["optimal"].any()


def test_an_instance_that_costs_nothing():
    table = placements_table([optimum(0.0), solved("greedy", 0.0), solved("local", 1.0)])
    assert table["gap"].tolist() == [0.0, 0.0, math.inf]


def test_latencies_are_those_of_the_request_classes():
    """By hand: vision's input takes 0.101 s, text's 0.051 s; both encoders on one device; 0.002 s back to the head."""
    table = latencies_table([solved("greedy", 1.0), solved("stuck", None)]).set_index("request")["latency_s"]
    assert table["single"] == pytest.approx(0.101 + 0.2 + 0.002 + 0.01)
    assert table["pair"] == pytest.approx(0.051 + 0.1 + 0.2 + 0.002 + 0.01)
    assert len(table) == 2
    assert latencies_table([]).columns.tolist() == ["instance", "method", "request", "latency_s"]


def test_runs_have_times_and_provenance_and_the_placements_table_has_not():
    entries = [optimum(2.0), solved("greedy", 3.0)]
    runs = runs_table(entries, {"revision": "abc", "date": "today"})
    placements = placements_table(entries)
    assert runs[placements.columns].equals(placements)
    assert set(runs) - set(placements) == {"build_s", "solve_s", "solver_version", "revision", "date"}
    assert runs["revision"].tolist() == ["abc", "abc"]


def test_csv_does_not_show_rounding_noise_and_is_the_same_every_time(tmp_path: Path):
    exact = pd.DataFrame({"a": [1 / 3, 1e-20, 1e20, None], "b": [1, 2, 3, 4], "c": ["x", "", 'a "b", c', "ü"]})
    noisy = exact.assign(a=exact["a"] * (1 + 1e-13))
    write_csv(exact, tmp_path / "exact.csv")
    write_csv(noisy, tmp_path / "noisy.csv")
    text = (tmp_path / "exact.csv").read_bytes()
    assert text == (tmp_path / "noisy.csv").read_bytes()
    assert text.decode() == 'a,b,c\n0.333333333,1,x\n1e-20,2,\n1e+20,3,"a ""b"", c"\n,4,ü\n'


def test_parquet_keeps_every_digit(tmp_path: Path):
    table = pd.DataFrame({"a": [1 / 3, math.pi], "b": ["x", "y"]})
    for name in ("one", "two"):
        write_parquet(table, tmp_path / f"{name}.parquet")
    assert pd.read_parquet(tmp_path / "one.parquet")["a"].tolist() == table["a"].tolist()
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
