"""A problem that a package of its own brings: one file and its algorithms, and every command knows it."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.problems import names, problem_named

OUTSIDE = Path(__file__).parent / "outside"

MINE = """
class Heaviest:
    name = "heaviest"

    def pack(self, instance, *, seed, time_limit):
        return [max((i for i in instance.items if i.weight <= instance.capacity), key=lambda i: i.weight).name]

class Everything:
    name = "everything"

    def pack(self, instance, *, seed, time_limit):
        return [item.name for item in instance.items]
"""


def splitshare(*arguments, cwd):
    environment = os.environ | {"PYTHONPATH": str(OUTSIDE)}
    command = [sys.executable, "-m", "splitshare.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A directory with six instances, what two methods made of them, and a file of algorithms."""
    directory = tmp_path_factory.mktemp("knapsack")
    sys.path.insert(0, str(OUTSIDE))
    try:
        knapsack = importlib.import_module("knapsack.problem")
        for seed in range(20, 26):
            knapsack.random_instance(seed).write(directory / "instances" / f"k{seed}.json")
    finally:
        sys.path.remove(str(OUTSIDE))
        for name in [name for name in sys.modules if name.partition(".")[0] == "knapsack"]:
            del sys.modules[name]
    (directory / "mine.py").write_text(MINE)
    instances = sorted((directory / "instances").iterdir())
    done = splitshare(
        *("record", *instances, "--family", "drawn", "--method", "optimum", "--method", "by-density"),
        *("-o", directory / "baselines"),
        cwd=directory,
    )
    assert done.returncode == 0, done.stderr
    return directory


def test_it_is_solved_and_evaluated(recorded):
    instance = recorded / "instances" / "k20.json"
    done = splitshare("solve", instance, "--algorithm", "by-density", "-o", "packing.json", cwd=recorded)
    assert done.stdout.startswith("by-density: feasible, value "), done.stderr
    worth = json.loads(splitshare("evaluate", instance, "packing.json", cwd=recorded).stdout)
    assert worth["objective"] == json.loads((recorded / "packing.json").read_text())["objective"]
    other = splitshare("evaluate", recorded / "instances" / "k21.json", "packing.json", cwd=recorded)
    assert (other.returncode, "belongs to another instance" in other.stderr) == (2, True)


def test_it_gets_a_verdict_with_checks(recorded):
    done = splitshare(
        *("compare", "--algorithm", "mine.py:Heaviest", "--baselines", "baselines", "-o", "out"), cwd=recorded
    )
    assert done.returncode == 0, done.stderr
    assert "drawn: heaviest packs 6 of 6 instances" in done.stdout
    verdict = json.loads((recorded / "out" / "verdict.json").read_text())
    assert [check["passed"] for check in verdict["checks"]] == [True] * 4
    assert verdict["problem"] == "knapsack"
    assert verdict["repeated"] == {"runs": 6, "changed": []}
    (family,) = verdict["families"]
    duels = {duel["baseline"]: (duel["wins"], duel["losses"]) for duel in family["duels"]}
    results = pd.read_csv(recorded / "out" / "results.csv").set_index("instance")
    table = pd.read_csv(recorded / "baselines" / "knapsack" / "results.csv")
    best = table[table["method"] == "optimum"].set_index("instance")["objective"]
    assert results["gap"].to_dict() == pytest.approx((1 - results["objective"] / best).to_dict(), abs=1e-8)
    assert duels["optimum"] == (0, int((results["objective"] < best * (1 - 1e-6)).sum()))
    assert family["summaries"][0]["mean_gap"]["estimate"] == pytest.approx(results["gap"].mean())


def test_what_breaks_its_rules_is_told(recorded):
    done = splitshare(
        *("compare", "--algorithm", "mine.py:Everything", "--baselines", "baselines", "-o", "out2"), cwd=recorded
    )
    assert "packs 0 of 6 instances" in done.stdout, done.stderr
    assert "feasible fails (k0: " in done.stdout
    assert "6 of 6 runs gave no feasible packing; the first: k20: infeasible: " in done.stdout


def test_results_from_elsewhere_are_judged_by_its_sense(recorded):
    table = pd.read_csv(recorded / "baselines" / "knapsack" / "results.csv")
    best = table.loc[table["method"] == "optimum", ["instance", "objective"]]
    best.to_csv(recorded / "theirs.csv", index=False)
    arguments = (
        "compare",
        "--problem",
        "knapsack",
        "--results",
        "theirs.csv",
        "--baselines",
        "baselines",
        "-o",
        "out3",
    )
    done = splitshare(*arguments, cwd=recorded)
    assert "6 of them optimally" in done.stdout, done.stderr
    best.assign(objective=best["objective"] * 1.01).to_csv(recorded / "theirs.csv", index=False)
    done = splitshare(*arguments, cwd=recorded)
    assert done.returncode == 2
    assert "is above the proved bound of" in done.stderr


def test_without_the_package_there_are_two_problems():
    assert names() == ["placement", "onloading"]
    with pytest.raises(InputError, match="unknown problem 'onloadin'; did you mean 'onloading'"):
        problem_named("onloadin")
