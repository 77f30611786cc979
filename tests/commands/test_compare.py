"""Verdicts over the recorded baselines: of an algorithm, of results computed elsewhere, of one that does not repeat."""

import json
from pathlib import Path

import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.stages import compare

BASELINES = Path(__file__).parents[2] / "data" / "baselines"

FLICKERING = '''
import os

class Flickering:
    """Answers by what differs between processes."""

    name = "flickering"

    def place(self, instance, *, seed, time_limit):
        devices = [d.name for d in instance.devices if d.memory_bytes >= sum(m.memory_bytes for m in instance.modules)]
        able = [d for d in devices if all(m.compute_s.get(d) is not None for m in instance.modules)]
        return {m.name: able[os.getpid() % len(able)] for m in instance.modules} if able else None
'''


def verdict(output: Path, **chosen):
    defaults = {"algorithms": [], "results": None, "problem": None, "families": ["random-test"]}
    compare.run(compare.Options(**defaults | chosen, baselines=BASELINES, time_limit_s=5.0, seed=0, output=output))
    return json.loads((output / "verdict.json").read_text())


def recorded(method):
    table = pd.read_parquet(BASELINES / "placements.parquet")
    return table[(table["method"] == method) & (table["family"] == "random-test")]


def test_a_recorded_method_gets_its_recorded_results_again(tmp_path):
    plain = verdict(tmp_path, algorithms=["heft"])
    (family,) = plain["families"]
    own = family["summaries"][0]
    gaps = recorded("heft").set_index("instance")["gap"]
    assert own["placed"] == gaps.notna().sum()
    assert own["mean_gap"]["estimate"] == pytest.approx(gaps.mean())
    assert own["worst_gap"] == pytest.approx(gaps.max())
    assert "heft" not in {duel["baseline"] for duel in family["duels"]}
    assert plain["repeated"] == {"runs": 40, "changed": []}
    assert plain["time_ratio"]["median"] > 0
    assert (tmp_path / "performance_profile.png").stat().st_size > 10_000


def test_answers_that_differ_between_processes_are_told(tmp_path):
    file = tmp_path / "flickering.py"
    file.write_text(FLICKERING)
    for attempt in range(4):  # two processes may have numbers of the same parity
        plain = verdict(tmp_path / str(attempt), algorithms=[f"{file}:Flickering"], families=["s2m3"])
        if plain["repeated"]["changed"]:
            break
    assert plain["repeated"]["changed"]
    assert "NOT DETERMINISTIC" in (tmp_path / str(attempt) / "verdict.txt").read_text()


def test_results_from_elsewhere_are_judged_like_a_run(tmp_path):
    path = tmp_path / "their-method.csv"
    recorded("s2m3-greedy")[["instance", "instance_sha256", "objective_s"]].to_csv(path, index=False)
    plain = verdict(tmp_path / "out", results=path)
    (family,) = plain["families"]
    duels = {duel["baseline"]: duel for duel in family["duels"]}
    assert plain["method"] == "their-method"
    assert (duels["s2m3-greedy"]["wins"], duels["s2m3-greedy"]["ties"], duels["s2m3-greedy"]["losses"]) == (0, 40, 0)
    assert duels["optimum"]["better"] is False
    assert "as reported" in (tmp_path / "out" / "verdict.txt").read_text()
    again = verdict(tmp_path / "again", results=tmp_path / "out" / "results.csv")  # its own output is read back
    own, first = again["families"][0]["summaries"][0], family["summaries"][0]
    assert (own["placed"], own["optimal"]) == (first["placed"], first["optimal"])
    assert own["worst_gap"] == pytest.approx(first["worst_gap"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.drop(columns="objective_s"), "objective_s: the column is missing"),
        (lambda t: t.assign(instance="nowhere"), "instance, row 1: 'nowhere' is not among the recorded ones"),
        (lambda t: t.assign(objective_s=t["objective_s"] / 100), "below the proved bound"),
        (lambda t: t.assign(objective_s=-1.0), "must be a number from 0"),
        (lambda t: t.assign(instance_sha256="0" * 64), "not comparable"),
        (lambda t: t.assign(colour="red"), "colour: unknown column"),
        (lambda t: pd.concat([t, t]), "is there twice"),
        (lambda t: t.head(0), "has no rows"),
        (lambda t: t.assign(method=range(len(t))), "holds 40 methods"),
        (lambda t: t.assign(method="heft"), "'heft' is a recorded method's; give it another"),
        (lambda t: t.assign(objective_s="nan"), "objective_s, row 1: .*'nan'"),
    ],
)
def test_wrong_results_are_refused(tmp_path, change, complaint):
    path = tmp_path / "r.csv"
    change(recorded("random").query("seed == 0")[["instance", "instance_sha256", "objective_s"]]).to_csv(
        path, index=False
    )
    with pytest.raises(InputError, match=complaint):
        verdict(tmp_path / "out", results=path)
    assert not (tmp_path / "out").exists()


def test_a_reported_status_that_is_no_answer_counts_as_not_placed(tmp_path):
    path = tmp_path / "theirs.csv"
    table = recorded("s2m3-greedy")[["instance", "objective_s"]].assign(status="feasible", solve_s="nan")
    words = ["infeasible", "crashed", "time_limit", "optimal", ""]
    table.iloc[: len(words), table.columns.get_loc("status")] = words
    # What has no answer is held against no bound.
    table.iloc[0, table.columns.get_loc("objective_s")] /= 100
    table.to_csv(path, index=False)
    plain = verdict(tmp_path / "out", results=path)
    assert plain["families"][0]["summaries"][0]["placed"] == table["objective_s"].notna().sum() - 2
    assert [failure["status"] for failure in plain["failures"]][:2] == ["infeasible", "crashed"]


def test_a_family_without_a_row_is_told(tmp_path):
    path = tmp_path / "theirs.csv"
    recorded("s2m3-greedy")[["instance", "objective_s"]].to_csv(path, index=False)
    plain = verdict(tmp_path / "out", results=path, families=["random-test", "random-tuning"])
    assert [family["family"] for family in plain["families"]] == ["random-test"]
    words = (tmp_path / "out" / "verdict.txt").read_text().splitlines()
    (told,) = [line for line in words if line.startswith("random-tuning: NOT REPORTED: none of its ")]
    missing = int(told.split(" instances")[0].split()[-1])
    assert missing > 0
    assert f"NOT ALL WERE REPORTED: {missing} of {missing + 40} instances have no row." in words[-1]


def test_a_family_that_is_not_recorded_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"did you mean 'random-test'"):
        verdict(tmp_path, algorithms=["heft"], families=["randomtest"])


def test_one_of_algorithm_and_results_is_asked_for(tmp_path):
    with pytest.raises(InputError, match="one of the two"):
        verdict(tmp_path)


def test_an_algorithm_that_never_answers_gets_a_verdict_of_nothing_placed(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import sys\nclass Leaves:\n    name = 'leaves'\n"
        "    def place(self, instance, *, seed, time_limit):\n        sys.exit(3)\n"
    )
    plain = verdict(tmp_path / "out", algorithms=[f"{mine}:Leaves"])
    (family,) = plain["families"]
    assert family["summaries"][0]["placed"] == 0
    assert len(plain["failures"]) == 40
    words = (tmp_path / "out" / "verdict.txt").read_text()
    assert "places 0 of 40 instances" in words
    assert "SystemExit: 3" in words
    json.loads((tmp_path / "out" / "verdict.json").read_text(), parse_constant=pytest.fail)


def test_the_name_of_a_recorded_method_is_refused(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("class Mine:\n    name = 'heft'\n    def place(self, instance, *, seed, time_limit): ...\n")
    with pytest.raises(InputError, match="recorded method's"):
        verdict(tmp_path / "out", algorithms=[f"{mine}:Mine"])


def test_several_and_a_grid_of_parameters_are_judged_side_by_side(tmp_path):
    asked = ["heft", "s2m3-greedy[order=memory,compute]"]
    compare.run(
        compare.Options(algorithms=asked, families=["random-tuning"], baselines=BASELINES, output=tmp_path, seed=0)
    )
    table = pd.read_csv(tmp_path / "summary.csv").set_index("method")
    assert list(table.index) == ["heft", "s2m3-greedy[order=memory]", "s2m3-greedy[order=compute]"]
    for method, as_recorded in (("heft", "heft"), ("s2m3-greedy[order=compute]", "s2m3-greedy")):
        own = pd.read_parquet(BASELINES / "placements.parquet")
        own = own[(own["family"] == "random-tuning") & (own["method"] == as_recorded)]
        assert table.loc[method, "placed"] == own["objective_s"].notna().sum()
        assert table.loc[method, "mean_gap"] == pytest.approx((own["objective_s"] / own["optimum_s"] - 1).mean())
    assert table["mean_gap"].nunique() == 3
    assert (tmp_path / "s2m3-greedy+order=memory" / "verdict.json").is_file()


def test_two_of_one_label_are_refused(tmp_path):
    with pytest.raises(InputError, match="heft: is there twice"):
        compare.run(compare.Options(algorithms=["heft", "heft"], baselines=BASELINES, output=tmp_path))
