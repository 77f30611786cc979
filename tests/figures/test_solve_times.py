import pandas as pd
import pytest

from splitshare.figures.solve_times import scaling_table, solve_times, times_table


def test_times_are_of_building_and_solving_and_proofs_replace_the_recorded_optimum():
    recorded = pd.DataFrame(
        {
            "family": "f",
            "method": ["optimum", "quick", "quick", "quick", "quick"],
            "instance": ["a", "a", "a", "b", "b"],
            "build_s": [9.0, 0.0, 0.0, 1.0, 1.0],
            "solve_s": [9.0, 1.0, 3.0, 4.0, 6.0],
            "machine": "m",
        }
    )
    proofs = pd.DataFrame(
        {
            "family": "f",
            "solver": ["highs", "gurobi", "highs", "gurobi"],
            "instance": ["a", "a", "b", "b"],
            "build_s": 1.0,
            "solve_s": [10.0, 20.0, 30.0, 60.0],
            "machine": "m",
        }
    )
    table = times_table(solve_times(recorded, proofs)).set_index("method")
    assert list(table.index) == ["quick", "optimum, highs", "optimum, gurobi"]  # the fastest first
    quick = table.loc["quick"]
    assert (quick["runs"], quick["median_s"], quick["longest_s"]) == (4, 4.0, 7.0)
    assert quick["all_instances_s"] == pytest.approx(2 + 6)  # seeds averaged
    assert table.loc["optimum, gurobi", "all_instances_s"] == pytest.approx(82)


def test_scaling_groups_instances_by_modules_times_devices():
    runs = pd.DataFrame(
        {
            "method": "m",
            "instance": ["a", "a", "b", "c"],
            "seconds": [1.0, 3.0, 5.0, 9.0],
            "family": "f",
            "machine": "x",
        }
    )
    table = scaling_table(runs, {"a": 4, "b": 6, "c": 40})
    assert list(table["group"]) == ["(0, 6]", "(24, 48]"]
    assert list(table["instances"]) == [2, 1]
    assert list(table["median_s"]) == [3.0, 9.0]
    assert list(table["size"]) == pytest.approx([(4 + 4 + 6) / 3, 40])
