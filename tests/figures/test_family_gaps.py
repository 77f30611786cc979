"""Gaps to the best known by family and method: seeds, what is not placed, what was refused, and the record itself."""

from pathlib import Path

import pandas as pd
import pytest

from splitshare.figures.family_gaps import cell_text, families_table, gaps_table
from splitshare.placement.assignment_problems import read_assignment_problems
from splitshare.placement.held_out import ASSIGNMENT, HELD_OUT, held_out
from splitshare.results.family_record import BEST, RESULTS, check_best, plain_rows, read_best, read_results

BASELINES = Path(__file__).parents[2] / "data" / "baselines"
ASSIGNMENTS = BASELINES.parent / "assignment"


def test_seeds_count_by_their_median_and_what_is_not_placed_has_no_gap():
    best = pd.DataFrame({"instance": ["i", "j"], "objective_s": [2.0, 4.0]})
    results = pd.DataFrame(
        [
            *(("i", "random", seed, "feasible", value, 1.0) for seed, value in enumerate((2.0, 3.0, 9.0))),
            *(("j", "random", seed, "feasible", 4.0, 3.0) for seed in range(3)),
            ("i", "half", 0, "feasible", 2.0, 0.5),
            ("j", "half", 0, "infeasible", None, 0.5),
            ("i", "refused", 0, "unmeasured", None, None),
            ("i", "licensed", 0, "optimal", 2.0, 0.5),
            ("j", "licensed", 0, "unmeasured", None, None),
        ],
        columns=["instance", "method", "seed", "status", "objective_s", "solve_s"],
    ).assign(family="f", build_s=0.0, at_limit=0)
    table = gaps_table(results, best).set_index("method")
    assert "refused" not in table.index
    drawn = table.loc["random"]
    assert (drawn["placed"], drawn["as_good"], drawn["mean_gap"], drawn["worst_gap"]) == (2, 1, 0.25, 0.5)
    half = table.loc["half"]
    assert (half["instances"], half["placed"], half["as_good"], half["mean_gap"]) == (2, 1, 1, 0.0)
    licensed = table.loc["licensed"]
    assert (licensed["instances"], licensed["placed"]) == (2, 1)
    told = {row["method"]: cell_text(row) for row in plain_rows(table.reset_index())}
    assert (told["licensed"], told["random"]) == ("0 (1/2)", "25")


def test_the_record_is_complete_and_of_these_instances():
    results, best = read_results(BASELINES / RESULTS), read_best(BASELINES / BEST)
    assert set(results["family"]) == set(HELD_OUT)
    digests = {i.name: i.sha256() for family in HELD_OUT for i in held_out(family)}
    check_best(results, best, digests, BASELINES / BEST)
    assert (results["instance"].map(digests) == results["instance_sha256"]).all()
    assert len(set(results["time_limit_s"])) == 1
    for method, part in results.groupby("method", sort=True):
        for seed, runs in part.groupby("seed"):
            assert sorted(runs["instance"]) == sorted(digests), (method, seed)
    assert families_table(best)["instances"].sum() == len(digests)


def test_the_best_known_of_the_assignment_problems_are_the_published_optima():
    known = {row["instance"]: row for row in plain_rows(read_best(BASELINES / BEST))}
    for row in pd.read_csv(ASSIGNMENTS / "optima.csv").to_dict("records"):
        problem = read_assignment_problems(ASSIGNMENTS / row["file"])[row["problem"] - 1]
        found = known[f"{Path(row['file']).stem}-{row['problem']}"]
        assert (found["family"], found["optimal"]) == (ASSIGNMENT, 1)
        assert problem.total(found["objective_s"], row["sense"]) == pytest.approx(row["optimum"], abs=1e-4)
