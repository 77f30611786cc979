"""Tables of the onloading problem, and the verdicts on J1 and J2, from made-up results."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.figures.onloading_accuracy import accuracy_table
from splitshare.figures.onloading_batching import batching_table
from splitshare.figures.onloading_size import size_table
from splitshare.figures.onloading_zoos import curves_table
from splitshare.onloading.zoo import Zoo
from splitshare.results.claims_j3o import onloading_accuracy, onloading_run_time
from splitshare.results.onloading import COLUMNS, read_record, references, with_reference
from splitshare.results.onloading_time import summary, time_table

ROOT = Path(__file__).parents[2]


def results(*ratios, method="j3o-batching"):
    return pd.DataFrame(
        {
            "instance": [f"small-0{i}" for i in range(len(ratios))],
            "zoo": "published",
            "size": "small",
            "batching": True,
            "method": method,
            "objective": [0.5 * r for r in ratios],
            "bound": 0.5,
            "unserved": 0.0,
            "proved": [True] + [False] * (len(ratios) - 1),
            "ratio": list(ratios),
        }
    )


def recorded(*seconds):
    """A row a method and instance: J3O's and HiGHS's seconds, and whether HiGHS got to its proof."""
    rows = []
    for i, (j3o, highs, proved) in enumerate(seconds):
        facts: dict[str, object] = {"instance": f"large-0{i}", "zoo": "published", "size": "large"}
        facts = facts | {"seed": 0, "build_s": 0.0, "machine": "a machine"}
        rows.append(facts | {"method": "j3o-batching", "solve_s": j3o, "status": "feasible"})
        rows.append(
            facts | {"method": "optimum-highs", "solve_s": highs, "status": "optimal" if proved else "time_limit"}
        )
        rows.append(facts | {"method": "optimum-gurobi", "solve_s": None, "status": "unmeasured"})
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return table.assign(solver_version="highs 1", clients=2, servers=1, tasks=2, models=3, batching=False)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [((0.98, 0.975), "reproduced"), ((0.99, 0.5), "partly"), ((0.96, 0.96, 0.98), "not reproduced")],
)
def test_j1_is_judged_by_the_mean(ratios, verdict):
    claim = onloading_accuracy(results(*ratios))
    assert claim.verdict == verdict
    assert claim.measured_value == f"{sum(ratios) / len(ratios):.2%}"
    assert f"worst {min(ratios):.2%} of {len(ratios)} instances" in claim.note
    assert "optimum proved on 1" in claim.note


def test_j1_tells_zoos_apart():
    both = pd.concat([results(1.0), results(0.98).assign(size="trained-small", zoo="trained")])
    assert "by zoo: published 100.00%, trained 98.00%" in onloading_accuracy(both).note


def test_j2_counts_only_instances_on_which_the_solver_works():
    claim, some, every, gurobi = onloading_run_time(recorded((0.1, 2.0, True), (0.3, 30.0, False), (0.9, 1.0, True)))
    assert (claim.verdict, claim.measured_value) == ("reproduced", "3.0%")
    assert "over 2 of 3 instances" in claim.note
    assert "1 stopped before the proof" in claim.note
    assert (some.n, some.verdict) == (3, "partly")  # the mean of 0.05, 0.01 and 0.9 is above, the median below
    assert every.measured_value == some.measured_value == "32.0%"
    assert (gurobi.n, gurobi.verdict, gurobi.measured_value) == (0, "cannot be judged here", "unmeasured")
    slow = recorded((0.1, 2.0, True), (0.2, 2.0, True), (5.0, 10.0, True))
    assert onloading_run_time(slow)[0].verdict == "partly"  # the mean is above, the median below
    assert onloading_run_time(recorded((1.0, 2.0, True)))[0].verdict == "not reproduced"


def test_j2_stands_beside_gurobi_where_that_was_measured():
    record = recorded((0.1, 2.0, True), (0.3, 30.0, True))
    record.loc[record["method"] == "optimum-gurobi", "solve_s"] = [0.05, 3.0]
    gurobi = onloading_run_time(record)[-1]
    assert (gurobi.n, gurobi.measured_value) == (2, "105.0%")
    assert "J3O is the slower on 1" in gurobi.note


def test_j2_tells_our_own_method_and_zoos_beside_it():
    record = recorded((0.1, 2.0, True), (0.3, 30.0, False))
    ours = record[record["method"] == "j3o-batching"].assign(method="j3o-decomposed", solve_s=[0.02, 0.06])
    record = pd.concat([record, ours.assign(build_s=0.0)], ignore_index=True)
    claim = onloading_run_time(record)[0]
    assert "j3o-decomposed, ours: 0.6% (0.2% where HiGHS works for over 10 s)" in claim.note
    assert "by zoo" not in claim.note
    record.loc[record["instance"] == record["instance"].iloc[0], "zoo"] = "trained"
    first, second = sorted(part["ratio"].mean() for _, part in time_table(record).groupby("zoo"))
    assert f"{first:.1%}" in onloading_run_time(record)[0].note.partition("by zoo: ")[2]
    assert f"{second:.1%}" in onloading_run_time(record)[0].note.partition("by zoo: ")[2]
    assert "ours:" not in onloading_run_time(record.iloc[:-1])[0].note  # not recorded for all


def test_sizes_are_told_by_groups_of_clients():
    record = recorded((0.1, 2.0, True), (0.3, 30.0, False)).assign(zoo="published", bound=0.55, objective=0.5)
    record["clients"] = 30
    huge = record.assign(instance=record["instance"].map("huge-{}".format), clients=[500, 5000] * (len(record) // 2))
    table = size_table(record, huge).set_index(["method", "clients"])
    assert table.loc[("optimum-highs", 30), "median_s"] == pytest.approx(16.0)
    assert table.loc[("optimum-highs", 30), "stopped"] == 1
    assert table["median_gap"].to_numpy() == pytest.approx(0.1)
    assert size_table(record.assign(zoo="trained"), huge)["clients"].min() == 500


def test_run_times_by_size_and_where_there_is_work():
    table = time_table(recorded((0.1, 2.0, True), (0.3, 30.0, False), (0.9, 1.0, True)))
    assert table["ratio"].tolist() == pytest.approx([0.05, 0.01, 0.9])
    assert table["gurobi_status"].tolist() == ["unmeasured"] * 3
    rows = summary(table).set_index("instances_of")
    assert rows.loc["large", "instances"] == 3
    assert rows.loc["solver above 1 s", "instances"] == 2
    assert rows.loc["solver above 1 s", "proved"] == 1
    assert rows.loc["solver above 1 s", "total_ratio"] == pytest.approx(0.4 / 32)


def test_accuracy_by_method_and_size():
    both = pd.concat([results(1.0, 0.9), results(0.5, 0.7, method="cloud-only")], ignore_index=True)
    table = accuracy_table(both).set_index(["size", "method"])
    assert table.loc[("(all)", "j3o-batching"), "mean_share"] == pytest.approx(0.95)
    assert table.loc[("small", "cloud-only"), "worst_share"] == 0.5
    assert table.loc[("small", "j3o-batching"), "optimal"] == 1
    assert table.loc[("small", "j3o-batching"), "mean_bound_gap"] == pytest.approx(0.05)


def test_what_batching_adds_is_a_difference():
    both = pd.concat([results(1.0, 0.9), results(0.8, 0.9, method="j3o")], ignore_index=True)
    table = batching_table(both)
    assert table["gain"].tolist() == pytest.approx([0.0, 0.1])
    assert table["instance"].tolist() == ["small-01", "small-00"]


def test_derived_curves_are_lines_and_single_points_too():
    table = curves_table(Zoo.read(ROOT / "data" / "zoos" / "published.json"))
    assert len(table) == 60
    assert table["worst_error"].max() < 1e-6


def test_the_committed_record_is_complete_and_consistent():
    """Every method on every instance, no result above a proved bound, J3O's bound never below an optimum."""
    record = read_record(ROOT / "data" / "baselines" / "onloading.csv")
    counts = record[record["seed"] == 0].groupby("method").size()
    assert set(counts) == {60 + 12 + 20}  # published, trained, perception
    table = with_reference(record[record["status"] != "unmeasured"], references(record))
    assert table["ratio"].max() <= 1 + 2e-6
    proved = table[(table["method"] == "j3o-batching") & table["proved"]]
    assert len(proved) >= 50
    assert (proved["bound"] >= proved["reference"] * (1 - 2e-6)).all()
