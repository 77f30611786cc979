"""Algorithms over held-out families: where one is the new best known, and where it is not."""

import json
from pathlib import Path

import pandas as pd
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.placement.contract import load
from splitshare.placement.held_out import held_out
from splitshare.placement.run import solve
from splitshare.results.family_record import BEST, RESULTS
from splitshare.results.new_best import new_bests
from splitshare.results.record_families import record_families
from splitshare.stages import compare, standings

FAMILY = "min-max"
MINE = """
from splitshare.placement.contract import load

class Mine:
    name = "mine-{0}"

    def place(self, instance, *, seed, time_limit):
        return load("{0}").place(instance, seed=seed, time_limit=time_limit)
"""


@pytest.fixture(scope="module")
def baselines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record in which nothing is better than what ``worst-fit`` finds."""
    output = tmp_path_factory.mktemp("record")
    record_families([FAMILY], ["worst-fit", "best-fit"], time_limit_s=10.0, output=output)
    return output


@pytest.fixture(scope="module")
def judged(baselines, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("judged")
    for name in ("s2m3-greedy", "worst-fit"):
        (folder / f"{name}.py").write_text(MINE.format(name))
        compare.run(
            compare.Options(
                algorithms=[f"{folder / name}.py:Mine"],
                families=[FAMILY],
                baselines=baselines,
                output=folder / name,
            )
        )
    return {name: folder / name for name in ("s2m3-greedy", "worst-fit")}


def objectives(name):
    return {i.name: solve(i, load(name)).objective for i in held_out(FAMILY)}


def test_a_better_answer_is_the_new_best_known_with_both_values(judged):
    least = {i: min(objectives(name)[i] for name in ("worst-fit", "best-fit")) for i in objectives("worst-fit")}
    better = {i: own for i, own in objectives("s2m3-greedy").items() if own < least[i] * (1 - 1e-6)}
    assert len(better) >= 3  # else nothing is planted
    (family,) = json.loads((judged["s2m3-greedy"] / "verdict.json").read_text())["families"]
    told = {best["instance"]: best for best in family["new_best"]}
    assert set(told) == set(better)
    words = (judged["s2m3-greedy"] / "verdict.txt").read_text()
    for name, own in better.items():
        assert told[name]["objective"] == pytest.approx(own)
        assert told[name]["best_known"] == pytest.approx(least[name])
        assert f"NEW BEST KNOWN on {name}: {own:.9g} s where" in words
    table = pd.read_csv(judged["s2m3-greedy"] / "by_family.csv").iloc[0]
    assert table["new_best"] == len(better)
    assert table["as_good"] == sum(own <= least[i] * (1 + 1e-6) for i, own in objectives("s2m3-greedy").items()) / 5
    gaps = [own / least[i] - 1 for i, own in objectives("s2m3-greedy").items()]
    assert table["mean_gap"] == pytest.approx(sum(gaps) / 5)
    assert table["worst_gap"] == pytest.approx(max(gaps))
    assert table["best_recorded"] in ("worst-fit", "best-fit")
    results = pd.read_csv(judged["s2m3-greedy"] / "results.csv")
    assert dict(zip(results["instance"], results["best_known_s"], strict=True)) == pytest.approx(least)


def test_an_answer_that_is_equal_or_worse_is_not(judged):
    (family,) = json.loads((judged["worst-fit"] / "verdict.json").read_text())["families"]
    assert "new_best" not in family
    assert "NEW BEST KNOWN" not in (judged["worst-fit"] / "verdict.txt").read_text()


def test_standings_name_the_instances(judged):
    table = standings.run(standings.Options([folder / "verdict.json" for folder in judged.values()]))
    told = table.set_index("method")["new_best"]
    assert told["mine-s2m3-greedy"].count("was") >= 3
    assert told["mine-worst-fit"] == told["best-fit"] == ""


def test_verdicts_over_other_best_known_values_do_not_mix(judged, tmp_path):
    plain = json.loads((judged["worst-fit"] / "verdict.json").read_text())
    plain["families"][0]["best_known_sha256"] = "0" * 64
    (tmp_path / "other.json").write_text(json.dumps(plain))
    with pytest.raises(InputError, match="other best known values"):
        standings.run(standings.Options([judged["s2m3-greedy"] / "verdict.json", tmp_path / "other.json"]))


def test_reported_results_may_better_the_best_known_but_not_the_bound(judged, baselines, tmp_path):
    path = tmp_path / "theirs.csv"
    table = pd.read_csv(judged["s2m3-greedy"] / "results.csv")
    table.to_csv(path, index=False)
    asked = compare.Options(results=path, families=[FAMILY], baselines=baselines, output=tmp_path / "out")
    compare.run(asked)
    (family,) = json.loads((tmp_path / "out" / "verdict.json").read_text())["families"]
    assert len(family["new_best"]) >= 3
    for name in (RESULTS, BEST):
        (tmp_path / name).write_bytes((baselines / name).read_bytes())
    best = pd.read_csv(tmp_path / BEST)
    best.assign(bound_s=best["objective_s"], optimal=1).to_csv(tmp_path / BEST, index=False)
    with pytest.raises(InputError, match="below the proved bound"):
        compare.run(compare.Options(results=path, families=[FAMILY], baselines=tmp_path, output=tmp_path / "out"))


def test_held_out_and_a_family_are_one_or_the_other():
    with pytest.raises(InputError, match="leave it out"):
        compare.run(compare.Options(algorithms=["heft"], families=["large"], held_out=True))
    with pytest.raises(InputError, match="'onloading' has no held-out families"):
        compare.run(compare.Options(algorithms=["j3o"], problem="onloading", held_out=True))


KNOWN = pd.DataFrame({"instance": ["i", "j"], "reference": [2.0, 4.0], "proved_bound": [1.0, 6.0], "found_by": "x, 1"})


@pytest.mark.parametrize(
    ("sense", "instance", "objective", "is_new"),
    [
        ("min", "i", 1.9, True),
        ("min", "i", 2.0, False),
        ("min", "i", 2.0 - 1e-7, False),
        ("min", "i", 2.1, False),
        ("max", "j", 4.1, True),
        ("max", "j", 4.0, False),
        ("max", "j", 3.9, False),
    ],
)
def test_new_is_what_is_better_by_more_than_rounding(sense, instance, objective, is_new):
    found = new_bests(pd.DataFrame({"instance": [instance], "objective": [objective]}), KNOWN, sense)
    assert [best.instance for best in found] == ([instance] if is_new else [])


@pytest.mark.parametrize(("sense", "instance", "objective"), [("min", "i", 0.9), ("max", "j", 6.1)])
def test_a_value_beyond_the_bound_is_an_error(sense, instance, objective):
    with pytest.raises(WorkError, match="beyond the proved bound"):
        new_bests(pd.DataFrame({"instance": [instance], "objective": [objective]}), KNOWN, sense)
