"""Both solvers against enumeration, and what they say when there is no optimum to report."""

import itertools
import random
from pathlib import Path

import numpy as np
import pytest

from splitshare.errors import WorkError
from splitshare.solvers.milp import SOLVERS, solve_milp, solver_version
from splitshare.solvers.program import Milp, Sense

pytestmark = pytest.mark.parametrize("solver", SOLVERS)
BOX = 10.0


def rows_of(milp: Milp) -> list[dict[int, float]]:
    """Each row as ``{column: coefficient}``."""
    ends = zip([0, *milp.ends], milp.ends, strict=False)
    return [dict(zip(milp.indices[a:b], milp.coefficients[a:b], strict=True)) for a, b in ends]


def random_lp(seed: int) -> Milp:
    """Two columns in a box, up to four random rows of all senses."""
    draw = random.Random(seed)
    milp = Milp()
    for _ in range(2):
        milp.add_column(cost=draw.uniform(-1, 1), lower=-BOX, upper=BOX)
    for _ in range(draw.randint(1, 4)):
        sense: Sense = draw.choice(["<=", ">=", "<=", ">=", "="])
        milp.add_row({0: draw.uniform(-1, 1), 1: draw.uniform(-1, 1)}, sense, draw.uniform(-6, 6))
    return milp


def vertices_optimum(milp: Milp) -> float | None:
    """Least cost over all feasible crossings of two boundaries: an optimum of a bounded program is among them."""
    lines = [((1.0, 0.0), -BOX), ((1.0, 0.0), BOX), ((0.0, 1.0), -BOX), ((0.0, 1.0), BOX)]
    lines += [((terms[0], terms[1]), right) for terms, right in zip(rows_of(milp), milp.right, strict=True)]
    best = None
    for (a, b), (c, d) in itertools.combinations(lines, 2):
        matrix = np.array([a, c])
        if abs(np.linalg.det(matrix)) < 1e-12:
            continue
        point = np.linalg.solve(matrix, [b, d])
        if np.abs(point).max() > BOX + 1e-9:
            continue
        values = [
            terms[0] * point[0] + terms[1] * point[1] - right
            for terms, right in zip(rows_of(milp), milp.right, strict=True)
        ]
        holds = {"<": lambda v: v <= 1e-9, ">": lambda v: v >= -1e-9, "=": lambda v: abs(v) <= 1e-9}
        if all(holds[sense](value) for sense, value in zip(milp.senses.decode(), values, strict=True)):
            cost = float(np.dot(milp.costs, point))
            best = cost if best is None else min(best, cost)
    return best


def test_linear_programs_against_their_vertices(solver):
    solved = 0
    for seed in range(12):
        milp = random_lp(seed)
        expected = vertices_optimum(milp)
        result = solve_milp(milp, solver=solver)
        if expected is None:
            assert (result.status, result.values, result.objective, result.bound) == ("infeasible", None, None, None)
            continue
        solved += 1
        assert result.status == "optimal"
        assert result.objective == pytest.approx(expected, abs=1e-8)
        assert result.bound == pytest.approx(expected, abs=1e-8)
    assert 4 <= solved < 12


def random_knapsack(seed: int) -> Milp:
    """0-1 columns in two knapsacks and one free-standing continuous column that pays for what is missing."""
    draw = random.Random(seed)
    milp = Milp()
    items = range(draw.randint(5, 9))
    for _ in items:
        milp.add_column(cost=-draw.randint(1, 20), upper=1.0, integer=True)
    short = milp.add_column(cost=0.5, upper=100.0)
    for _ in range(2):
        milp.add_row({i: float(draw.randint(1, 15)) for i in items}, "<=", float(draw.randint(10, 40)))
    milp.add_row(dict.fromkeys(items, 1.0) | {short: 1.0}, ">=", float(draw.randint(2, 12)))
    return milp


def chosen_optimum(milp: Milp) -> float:
    """Least cost over all subsets; the continuous column fills up what the last row asks for."""
    items = len(milp.costs) - 1
    best = np.inf
    for chosen in itertools.product((0, 1), repeat=items):
        loads = [sum(row[i] * chosen[i] for i in range(items)) for row in rows_of(milp)[:2]]
        if all(load <= right for load, right in zip(loads, milp.right[:2], strict=True)):
            short = max(0.0, milp.right[2] - sum(chosen))
            best = min(best, sum(c * x for c, x in zip(milp.costs[:-1], chosen, strict=True)) + milp.costs[-1] * short)
    return best


def test_knapsacks_against_enumeration(solver):
    for seed in range(8):
        milp = random_knapsack(seed)
        result = solve_milp(milp, solver=solver, seed=seed)
        expected = chosen_optimum(milp)
        assert result.status == "optimal"
        assert result.objective == pytest.approx(expected, abs=1e-7)
        assert result.bound == pytest.approx(expected, abs=1e-6)
        assert result.values is not None
        assert set(np.round(result.values[:-1])) <= {0.0, 1.0}
        assert milp.program().recheck(result.values, f"solver {solver}") == result.objective


def test_the_columns_keep_their_numbers_however_kinds_are_mixed(solver):
    """Continuous and integer columns are given to the solver apart; each value must come back to its own column."""
    milp = Milp()
    for number in range(6):
        column = milp.add_column(cost=1.0, lower=0.0, integer=number % 2 == 0)
        milp.add_row({column: 1.0}, ">=", number + 0.5)
    result = solve_milp(milp, solver=solver)
    assert result.values is not None
    assert result.values == pytest.approx([1, 1.5, 3, 3.5, 5, 5.5])
    assert result.objective == pytest.approx(19.5)


def test_integer_columns_alone_and_no_rows(solver):
    milp = Milp()
    milp.add_column(cost=1.0, lower=-2.5, upper=7.0, integer=True)
    milp.add_column(cost=-1.0, lower=0.0, upper=3.9, integer=True)
    result = solve_milp(milp, solver=solver)
    assert result.objective == pytest.approx(-5.0)


def plain_programs():
    """Programs whose answer is plain: none or two equal columns, in a box, with at most one row, or rows of nothing.

    Yields the program and its least cost; infinite where it is unbounded, ``None`` where it is infeasible.
    """
    boxes = [(0.0, 0.0), (2.0, 2.0), (0.0, 5.0), (3.0, 1.0), (0.0, np.inf), (-np.inf, np.inf), (-np.inf, 3.0)]
    senses: tuple[Sense, ...] = ("<=", ">=", "=")
    rows = [None, *itertools.product(("nothing", "zeros", "ones"), senses, (-3.0, 0.0, 3.0))]
    shapes = [(0, False, (0.0, 0.0), 0.0)]
    shapes += itertools.product((2,), (False, True), boxes, (0.0, 1.0, -1.0))
    for (columns, integer, (lower, upper), cost), row in itertools.product(shapes, rows):
        milp = Milp()
        for _ in range(columns):
            milp.add_column(cost=cost, lower=lower, upper=upper, integer=integer)
        least, most, holds = columns * lower, columns * upper, lower <= upper
        if row is not None:
            kind, sense, right = row
            terms = {"nothing": {}, "zeros": dict.fromkeys(range(columns), 0.0)}
            milp.add_row(terms.get(kind, dict.fromkeys(range(columns), 1.0)), sense, right)
            if kind == "ones" and columns:
                least = least if sense == "<=" else max(least, right)
                most = most if sense == ">=" else min(most, right)
            else:
                holds &= {"<=": right >= 0, ">=": right <= 0, "=": right == 0}[sense]
        yield milp, None if not holds or least > most else 0.0 if cost == 0 else min(cost * least, cost * most)


def check_plain_programs(solver, programs):
    seen = set()
    for milp, least in programs:
        kind = "infeasible" if least is None else "optimal" if np.isfinite(least) else "unbounded"
        seen.add((kind, len(milp.costs)))
        if kind == "unbounded":
            with pytest.raises(WorkError, match="which is no answer"):
                solve_milp(milp, solver=solver)
            continue
        result = solve_milp(milp, solver=solver)
        assert result.status == kind, milp
        if kind == "infeasible":
            assert (result.values, result.objective, result.bound) == (None, None, None)
        else:
            assert result.objective == pytest.approx(least, abs=1e-7), milp
            assert result.bound == pytest.approx(least, abs=1e-7), milp
            assert result.values is not None
            assert len(result.values) == len(milp.costs)
    assert seen == {("infeasible", 0), ("optimal", 0), ("infeasible", 2), ("optimal", 2), ("unbounded", 2)}


def test_programs_without_columns_rows_terms_or_room(solver):
    programs = list(plain_programs())
    check_plain_programs(solver, [*programs[:28], *programs[28::11]])


@pytest.mark.slow
def test_all_programs_without_columns_rows_terms_or_room(solver):
    check_plain_programs(solver, plain_programs())


def test_infeasible_integers(solver):
    milp = Milp()
    x, y = (milp.add_column(cost=1.0, upper=5.0, integer=True) for _ in range(2))
    milp.add_row({x: 2.0, y: 4.0}, "=", 7.0)
    result = solve_milp(milp, solver=solver)
    assert (result.status, result.values, result.objective, result.bound) == ("infeasible", None, None, None)


def test_unbounded_is_no_answer(solver):
    for integer in (False, True):
        milp = Milp()
        x, y = (milp.add_column(cost=-1.0, integer=integer) for _ in range(2))
        milp.add_row({x: 1.0, y: -1.0}, "<=", 1.0)
        with pytest.raises(WorkError, match=rf"solver {solver}: ended with status .*unbounded.*, which is no answer"):
            solve_milp(milp, solver=solver)


def market_split(rows: int, columns: int, *, slack: bool) -> Milp:
    """Cornuéjols and Dawande's market split: far out of reach of branch and bound, with slack trivially feasible."""
    draw = random.Random(0)
    milp = Milp()
    for _ in range(columns):
        milp.add_column(upper=1.0, integer=True)
    for _ in range(rows):
        weights = [float(draw.randint(0, 99)) for _ in range(columns)]
        terms = dict(enumerate(weights))
        if slack:
            terms[milp.add_column(cost=1.0)] = 1.0
            terms[milp.add_column(cost=1.0)] = -1.0
        milp.add_row(terms, "=", float(sum(weights) // 2))
    return milp


def test_a_time_limit_gives_the_best_so_far_and_its_bound(solver):
    milp = market_split(6, 50, slack=True)
    result = solve_milp(milp, solver=solver, time_limit_s=0.5)
    assert result.status == "time_limit"
    assert result.solve_s < 5.0
    assert result.values is not None
    assert result.objective is not None
    assert result.bound is not None
    assert milp.program().recheck(result.values, f"solver {solver}") == result.objective
    assert 0 <= result.bound < result.objective


def test_a_time_limit_without_a_solution_gives_none(solver):
    result = solve_milp(market_split(6, 50, slack=False), solver=solver, time_limit_s=0.3)
    assert (result.status, result.values, result.objective) == ("time_limit", None, None)


def test_building_and_solving_are_timed_apart_and_the_solver_is_named(solver):
    result = solve_milp(random_knapsack(0), solver=solver)
    assert result.build_s > 0
    assert result.solve_s >= 0
    assert result.solver == solver_version(solver)
    assert result.solver.startswith(f"{solver} ")
    assert result.solver.split()[1][0].isdigit()


def test_the_same_seed_gives_the_same_answer_and_nothing_is_printed(solver, capfd):
    first, second = (solve_milp(random_knapsack(3), solver=solver, seed=5) for _ in range(2))
    assert first.values is not None
    assert second.values is not None
    assert np.array_equal(first.values, second.values)
    assert capfd.readouterr() == ("", "")


def test_more_than_the_licence_takes(solver, monkeypatch):
    """The licence that comes with gurobipy takes 2000 columns; HiGHS has no such limit."""
    monkeypatch.delenv("GRB_LICENSE_FILE", raising=False)
    milp = Milp()
    for _ in range(2001):
        milp.add_column(cost=1.0, lower=1.0, upper=2.0)
    milp.add_row({0: 1.0, 2000: 1.0}, ">=", 3.0)
    if solver == "highs":
        assert solve_milp(milp, solver=solver).objective == pytest.approx(2002.0)
        return
    # Where gurobipy looks for a licence by itself (Gurobi's documentation).
    if Path("/opt/gurobi/gurobi.lic").exists() or (Path.home() / "gurobi.lic").exists():
        pytest.skip("a full licence is installed")
    with pytest.raises(WorkError, match=r"the model has 2001 variables and 1 constraints, more than .* --solver highs"):
        solve_milp(milp, solver=solver)


def test_no_licence_says_so_and_no_other_solver_steps_in(solver, monkeypatch, tmp_path):
    monkeypatch.setenv("GRB_LICENSE_FILE", str(tmp_path / "none.lic"))
    if solver == "highs":
        assert solve_milp(random_knapsack(0), solver=solver).status == "optimal"
        return
    with pytest.raises(WorkError, match=r"no usable licence .* --solver highs"):
        solve_milp(random_knapsack(0), solver=solver)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, 0.0, 2.0], "breaks a constraint by 1.0e"),
        ([0.0, 0.0, 2.0], "breaks a constraint by 1.0e"),
        ([0.5, 0.5, 3.0], "integrality by 5.0e-01"),
        ([2.0, -1.0, 3.0], "breaks bounds by 1.0e"),
        ([1.0, 0.0, np.nan], "values that are not numbers"),
    ],
)
def test_an_answer_that_does_not_hold_is_caught(solver, values, told):
    milp = Milp()
    x, y = (milp.add_column(cost=1.0, upper=1.0, integer=True) for _ in range(2))
    z = milp.add_column(cost=2.0)
    milp.add_row({x: 1.0, y: 1.0}, "=", 1.0)
    milp.add_row({x: 1.0, z: 1.0}, ">=", 4.0)
    milp.add_row({y: 1.0, z: -1.0}, "<=", 0.0)
    assert milp.program().recheck(np.array([1.0, 0.0, 3.0]), f"solver {solver}") == 7.0
    with pytest.raises(WorkError, match=rf"solver {solver}: the answer .*{told}"):
        milp.program().recheck(np.array(values), f"solver {solver}")


def test_runs_of_one_process_may_have_other_threads(solver):
    """HiGHS fixes their number with the first run; the offloading programs always have one."""
    milp = random_lp(0)
    worths = [solve_milp(milp, solver=solver, threads=threads).objective for threads in (2, 1, 3, 3, 1, 2)]
    assert worths == pytest.approx([worths[0]] * 6)
