"""Generalised assignment problems: the reader, the mapping against brute force, and the OR-Library's optima."""

import itertools
import random

import numpy as np
import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.placement.algorithms.genetic import Genetic
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.assignment_problems import AssignmentProblem, read_assignment_problems
from splitshare.placement.objective import evaluate
from splitshare.placement.run import solve
from splitshare.stages import assignment_instances
from tests.readers.readers import ROOT

PUBLISHED = pd.read_csv(ROOT / "data/assignment/optima.csv")


def brute_force(problem, sense):
    agents, jobs = problem.cost.shape
    totals = []
    for to in itertools.product(range(agents), repeat=jobs):
        load = np.zeros(agents)
        np.add.at(load, list(to), problem.size[list(to), range(jobs)])
        if (load <= problem.capacity).all():
            totals.append(int(problem.cost[list(to), range(jobs)].sum()))
    return (min(totals) if sense == "min" else max(totals)) if totals else None


@pytest.mark.parametrize("sense", ["min", "max"])
def test_the_mapping_is_exact(sense):
    draw = random.Random(0)
    infeasible = 0
    for _ in range(15):
        agents, jobs = draw.randint(1, 3), draw.randint(1, 5)
        cost, size = (np.array([[draw.randint(0, 9) for _ in range(jobs)] for _ in range(agents)]) for _ in range(2))
        problem = AssignmentProblem(cost, size, np.array([draw.randint(0, 4 * jobs) for _ in range(agents)]))
        instance = problem.placement("problem", sense)
        best = brute_force(problem, sense)
        placed = solve(instance, Optimum())
        if best is None:
            infeasible += 1
            assert placed.status == "infeasible"
        else:
            assert placed.objective is not None
            assert problem.total(placed.objective, sense) == pytest.approx(best, abs=1e-6)
    assert 0 < infeasible < 12


def test_any_assignment_is_worth_its_sum():
    (problem, *_) = read_assignment_problems(ROOT / "data/assignment/gap5.txt")
    instance = problem.placement("gap5-1", "max")
    placed = Genetic(children=0, population=2).place(instance, seed=0, time_limit=None)
    assert placed is not None
    agents = [int(placed[f"j{job + 1}"][0].removeprefix("a")) - 1 for job in range(problem.cost.shape[1])]
    profit = problem.cost[agents, range(len(agents))].sum()
    assert problem.total(evaluate(instance, placed).objective, "max") == pytest.approx(profit)


@pytest.mark.parametrize("row", list(PUBLISHED.itertuples()), ids=lambda row: row.name)
def test_published_optima(row):
    problem = read_assignment_problems(ROOT / "data/assignment" / row.file)[row.problem - 1]
    placed = solve(problem.placement(row.name, row.sense), Optimum())
    assert placed.status == "optimal"
    assert placed.objective is not None
    assert problem.total(placed.objective, row.sense) == pytest.approx(row.optimum, abs=1e-6)


def test_the_command_writes_what_the_reader_of_instances_reads(tmp_path):
    options = assignment_instances.Options(ROOT / "data/assignment/gap1.txt", tmp_path, "max")
    written = assignment_instances.run(options)
    assert [instance.name for instance in written] == [f"gap1-{i}" for i in range(1, 6)]
    for instance in written:
        assert type(instance).read(tmp_path / f"{instance.name}.json") == instance


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the number of problems: is missing"),
        ("1 2 2 1 1 1 1 1 1 1 1 3", "problem 1, capacity 2 of 2: is missing"),
        ("1 2 2 1 1 1 1.5", r"problem 1, cost 2 of 2, agent 2: '1.5' is no whole number"),
        ("1 1 1 -1", "cost 1 of 1: must be from 0"),
        ("1 0 1", "the number of agents: must be from 1"),
        ("1 1 1 1 1 1 7", "'7' stands after the last problem"),
        ("1 5000 5000", "the number of jobs: must be from 1 to 2000"),
        ("1 1 1 9999999999", "cost 1 of 1: must be|no whole number"),
    ],
)
def test_wrong_files_are_told_in_a_line(tmp_path, text, complaint):
    file = tmp_path / "gap.txt"
    file.write_text(text)
    with pytest.raises(InputError, match=complaint) as told:
        read_assignment_problems(file)
    assert "\n" not in str(told.value)


def test_a_file_whose_name_is_no_instance_s(tmp_path):
    file = tmp_path / "my problems.txt"
    file.write_text("1 1 1 1 1 1")
    with pytest.raises(InputError, match="rename it"):
        assignment_instances.run(assignment_instances.Options(file, tmp_path, "min"))
