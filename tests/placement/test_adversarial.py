"""Worst cases: what is changed and what is not, what is kept, and that it is what `solve` finds."""

import itertools
import json
import math
import random

import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.figures.ratio_matrix import ratio_figure
from splitshare.figures.style import paper_style, save_figure, watching
from splitshare.placement.adversarial import Numbers, Schedule, search
from splitshare.placement.contract import load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.instance_families import family_instance
from splitshare.placement.run import objective_of
from splitshare.stages import adversarial
from tests.placement import judge
from tests.placement.test_search import TINY

START = family_instance("communication-bound", 0)


def objective(name):
    algorithm = load(name)
    return lambda instance: objective_of(instance, algorithm)


def leaves(value, path=()):
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {p: v for key, item in items for p, v in leaves(item, (*path, key)).items()}
    return {path: value}


def test_only_seconds_links_and_memory_change_and_stay_within_reach():
    for start in (START, *TINY[:6], *TINY[40:44]):
        fields = start.model_dump(mode="json", by_alias=True)
        before, numbers, draw = leaves(fields), Numbers(fields), random.Random(0)
        for _ in range(400):
            numbers.change(fields, 3.0, draw)
        after = leaves(fields)
        assert after.keys() == before.keys()
        changed = {path for path in before if before[path] != after[path]}
        kinds = {next(key for key in reversed(path) if key not in {d.name for d in start.devices}) for path in changed}
        assert kinds <= {
            "compute_s",
            "head_compute_s",
            "latency_s",
            "bandwidth_bytes_per_s",
            "memory_bytes",
            "memory_bytes_on",
        }
        assert {"compute_s", "memory_bytes"} <= kinds
        assert all(before[p] / 3.0000001 <= after[p] <= before[p] * 3.0000001 for p in changed)
        memory = [p for p in changed if p[2] in {"memory_bytes", "memory_bytes_on"} and float(before[p]).is_integer()]
        assert all(float(after[p]).is_integer() for p in memory)
        PlacementInstance.parse(fields, "changed")


def test_a_worst_case_is_what_both_algorithms_do_on_it():
    found = search(START, objective("heft"), objective("s2m3-greedy"), Schedule(steps=60), seed=0)
    assert found.worst is not None
    assert found.start_ratio is not None
    assert found.worst.ratio >= found.start_ratio
    again = found.worst.instance
    assert found.worst.objective_s == objective("heft")(again)
    assert found.worst.reference_s == objective("s2m3-greedy")(again)
    assert found.worst.ratio > 1.05 * found.start_ratio


def test_each_is_worse_than_the_other_somewhere():
    """What the source found of HEFT and CPOP, here of HEFT and the greedy."""
    heft, greedy, schedule = objective("heft"), objective("s2m3-greedy"), Schedule(steps=80)
    for one, other in ((heft, greedy), (greedy, heft)):
        found = search(family_instance("communication-bound", 1), one, other, schedule, seed=1)
        assert found.worst is not None
        assert found.worst.ratio > 1.05


def test_seeds_are_followed_and_an_algorithm_is_no_worse_than_itself():
    one, other = objective("heft"), objective("cpop")
    same = [search(START, one, other, Schedule(steps=25), seed=seed) for seed in (3, 3, 4)]
    assert same[0] == same[1] != same[2]
    itself = search(START, one, one, Schedule(steps=10), seed=0)
    assert itself.worst is not None
    assert itself.worst.ratio == 1
    start = search(START, one, other, Schedule(steps=0), seed=0)
    assert start.worst is not None
    assert (start.worst.instance, start.worst.ratio) == (START, start.start_ratio)


def test_against_the_optimum_a_ratio_is_a_gap():
    """Held against the judge, who tries everything."""
    found = 0
    for start in TINY[:8]:
        best = search(start, objective("s2m3-greedy"), objective("optimum"), Schedule(steps=15), seed=0).worst
        if best is not None:
            found += 1
            expected = judge.optimum(best.instance)
            assert expected is not None
            assert best.ratio == pytest.approx(best.objective_s / expected)
            assert best.ratio >= 1 - 1e-9
    assert found > 3


def test_dead_ends_are_counted_and_have_no_ratio():
    found = search(START, lambda _: None, lambda _: 1.0, Schedule(steps=4), seed=0)
    assert (found.worst, found.start_ratio, found.dead_ends) == (None, None, 5)


def test_temperatures_fall_from_the_first_to_the_last():
    schedule = Schedule(steps=5)
    temperatures = [schedule.temperature(step) for step in range(5)]
    assert temperatures[0] == schedule.first_temperature
    assert temperatures[-1] == pytest.approx(schedule.last_temperature)
    ratios = [b / a for a, b in itertools.pairwise(temperatures)]
    assert ratios == pytest.approx([ratios[0]] * 4)


def test_the_command_keeps_instances_that_solve_reads(tmp_path):
    for seed in (0, 1):
        family_instance("min-max", seed).write(tmp_path / f"{seed}.json")
    options = adversarial.Options(
        [tmp_path / "0.json", tmp_path / "1.json"], tmp_path / "out", ["heft", "peft"], ["heft", "cpop"], steps=8
    )
    found = adversarial.run(options)
    assert [(one.of, one.against) for one in found] == [("heft", "cpop"), ("peft", "heft"), ("peft", "cpop")]
    rows = pd.read_csv(tmp_path / "out/worst.csv")
    matrix = pd.read_csv(tmp_path / "out/matrix.csv", index_col="of")
    assert list(matrix.columns) == ["heft", "cpop"]
    assert matrix.isna().loc["heft", "heft"]
    for row in rows.to_dict("records"):
        assert matrix.loc[row["of"], row["against"]] == row["ratio"]
        file = tmp_path / "out/instances" / row["file"]
        seconds = []
        for name in (row["of"], row["against"]):
            told = CliRunner().invoke(app, ["solve", str(file), "--algorithm", name, "-o", str(tmp_path / "p.json")])
            assert told.exit_code == 0
            seconds.append(json.loads((tmp_path / "p.json").read_text())["objective"])
        assert row["ratio"] == pytest.approx(seconds[0] / seconds[1], rel=1e-6)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "worst.csv", "matrix.csv", "instances", "worst_ratios.pdf", "worst_ratios.png"
    }  # fmt: skip


def test_what_cannot_be_compared_is_told(tmp_path):
    START.write(tmp_path / "a.json")
    with pytest.raises(InputError, match="held against itself"):
        adversarial.run(adversarial.Options([tmp_path / "a.json"], tmp_path / "out", ["heft"], ["heft"]))
    START.write(tmp_path / "b.json")
    with pytest.raises(InputError, match="name of another instance"):
        adversarial.run(
            adversarial.Options([tmp_path / "a.json", tmp_path / "b.json"], tmp_path / "out", ["heft"], ["cpop"])
        )
    with pytest.raises(InputError, match="unknown algorithm"):
        adversarial.run(adversarial.Options([tmp_path / "a.json"], tmp_path / "out", ["heft"], ["cpopp"]))


@pytest.mark.parametrize("size", [1, 3, 9])
def test_the_figure_keeps_the_rules_of_style(size, tmp_path):
    names = [
        "s2m3-greedy",
        "heft",
        "cpop",
        "peft",
        "large-neighbourhood-search",
        "min-min",
        "max-min",
        "sufferage",
        "a",
    ]
    draw = random.Random(0)
    matrix = pd.DataFrame(
        [[draw.uniform(0.9, 12) if i != j else math.nan for j in range(size)] for i in range(size)],
        index=names[:size],
        columns=names[:size],
    )
    with watching() as told, paper_style():
        save_figure(ratio_figure(matrix), tmp_path, "worst_ratios")
    assert told == []
