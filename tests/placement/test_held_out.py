"""Held-out instances: apart from those to tune on, the same everywhere, and those of the record."""

import csv
from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.methods import Method
from splitshare.placement.contract import FINDER, load
from splitshare.placement.held_out import (
    ADVERSARIAL,
    ASSIGNMENT,
    ASSIGNMENT_FILES,
    HELD_OUT,
    HELD_OUT_SEEDS,
    TUNING_SEEDS,
    held_out,
)
from splitshare.placement.instance_families import FAMILIES, family_instance
from splitshare.placement.run import solve
from splitshare.places import DATA
from splitshare.results.family_record import plain_rows
from splitshare.results.worst_cases import RECORD, read_worst_cases

PUBLISHED = Path(__file__).parents[2] / "data" / "assignment" / "optima.csv"


def test_no_seed_is_to_tune_on_and_to_judge_on():
    assert not set(TUNING_SEEDS) & set(HELD_OUT_SEEDS)
    assert set(HELD_OUT) == {*FAMILIES, ASSIGNMENT, ADVERSARIAL}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_its_held_out_seeds(family):
    drawn = held_out(family)
    assert [instance.name for instance in drawn] == [f"{family}-{seed}" for seed in HELD_OUT_SEEDS]
    tuning = {family_instance(family, seed).sha256() for seed in TUNING_SEEDS[:2]}
    assert len({instance.sha256() for instance in drawn} | tuning) == len(HELD_OUT_SEEDS) + 2


def test_the_assignment_problems_are_all_published_ones():
    rows = list(csv.DictReader(PUBLISHED.open()))
    expected = [f"{Path(row['file']).stem}-{row['problem']}" for row in rows]
    assert [instance.name for instance in held_out(ASSIGNMENT)] == expected
    assert {Path(row["file"]).stem: row["sense"] for row in rows} == dict(ASSIGNMENT_FILES)


def test_the_worst_cases_are_of_the_algorithms_that_the_record_names():
    recorded = read_worst_cases(DATA / "baselines" / RECORD)
    against = recorded[recorded["against"].str.startswith("optimum")]
    instances = held_out(ADVERSARIAL)
    assert len(instances) == len(against) == recorded["of"].nunique()
    for row, instance in zip(plain_rows(against.sort_values("file")), instances, strict=True):
        worst, best = solve(instance, load(row["of"])), solve(instance, Method.parse(row["against"]).load(FINDER))
        assert worst.objective == pytest.approx(row["objective_s"])
        assert best.objective == pytest.approx(row["reference_s"])
        assert row["objective_s"] / row["reference_s"] == pytest.approx(row["ratio"])


def test_a_family_without_held_out_instances_is_refused():
    with pytest.raises(InputError, match="did you mean 'large'"):
        held_out("larg")
