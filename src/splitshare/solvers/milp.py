"""A mixed-integer linear program in columns and rows, solved by the named solver and no other.

Every answer is rechecked here in plain arithmetic before anyone sees it: bounds, integrality and rows.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import linopy
import numpy as np
import numpy.typing as npt
import xarray as xr

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.solvers.adapter import ROW_TOLERANCE, Adapter, SolverLimits
from splitshare.solvers.gurobi import Gurobi
from splitshare.solvers.highs import Highs

SOLVERS: dict[Solver, Adapter] = {adapter.name: adapter for adapter in (Gurobi(), Highs())}
"""All solvers by name."""
MilpStatus = Literal["optimal", "infeasible", "time_limit"]
Sense = Literal["<=", "=", ">="]

FEASIBILITY_TOLERANCE = 1e-6
"""Largest violation of a row (relative to its largest term), a bound or integrality that an answer may have."""
PADDED_TERMS = 1_000_000
"""Terms up to which rows of any length are handed over in one array."""


@dataclass
class Milp:
    """A minimisation over columns with bounds, some of them integer, and linear rows.

    Columns are numbered in the order in which they are added; rows take ``{column: coefficient}``.
    """

    costs: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[dict[int, float]] = field(default_factory=list)
    senses: list[Sense] = field(default_factory=list)
    right: list[float] = field(default_factory=list)

    def add_column(self, *, cost: float = 0.0, lower: float = 0.0, upper: float = np.inf, integer: bool = False) -> int:
        """Add a column and return its number."""
        self.costs.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.costs) - 1

    def add_row(self, terms: dict[int, float], sense: Sense, right: float) -> None:
        """Add a row ``sum(coefficient * column) sense right``."""
        self.rows.append(terms)
        self.senses.append(sense)
        self.right.append(right)


@dataclass(frozen=True)
class MilpResult:
    """What a solver answered; ``values`` is ``None`` where it has no solution (shape: columns)."""

    status: MilpStatus
    values: npt.NDArray[np.float64] | None
    objective: float | None
    bound: float | None
    build_s: float
    solve_s: float
    solver: str
    """Name and version."""


def solve_milp(
    milp: Milp,
    *,
    solver: Solver,
    time_limit_s: float | None = None,
    seed: int = 0,
    threads: int = 1,
    relative_gap: float = 0.0,
) -> MilpResult:
    """Solve to proved optimality, or to the time limit, with exactly the solver that is named.

    Building (from columns and rows to the solver's model) and solving are timed apart.

    Args:
        milp: the program.
        solver: who solves it.
        time_limit_s: seconds of solving.
        seed: of the solver's own draws.
        threads: of the solver.
        relative_gap: what counts as optimal: a bound so close to the objective, relatively.

    Raises:
        WorkError: the solver has no licence, refuses the size, ends with a status that is no answer, or answers
            something that does not hold when recomputed.
    """
    adapter = SOLVERS[solver]
    with _quiet(), adapter.opened() as opened:
        decided = _decided(milp, solver)
        if decided is not None:
            return decided
        options = adapter.options(SolverLimits(time_limit_s, seed, threads, relative_gap)) | opened
        started = time.perf_counter()
        model = _linopy_model(milp)
        built = time.perf_counter()
        condition = _run(model, milp, adapter, options)
        if condition == "infeasible_or_unbounded" and not _bounded_below(milp):
            # Presolve does not say which: without costs nothing is unbounded.
            free = replace(milp, costs=[0.0] * len(milp.costs))
            answer = solve_milp(free, solver=solver, time_limit_s=time_limit_s, seed=seed, threads=threads)
            condition = "unbounded" if answer.status == "optimal" else answer.status
        result = _result(model, condition, milp, adapter, built - started)
        if opened:
            model.solver_model.dispose()
    return result


def _decided(milp: Milp, solver: Solver) -> MilpResult | None:
    """The answer where it is plain: a row without terms that does not hold, bounds that cross, or no columns at all.

    Linopy leaves rows without terms out, and HiGHS calls a program without columns "empty" and answers nothing.
    """
    infeasible = any(low > high for low, high in zip(milp.lower, milp.upper, strict=True)) or any(
        not any(terms.values()) and violation(0.0, sense, right) > ROW_TOLERANCE
        for terms, sense, right in zip(milp.rows, milp.senses, milp.right, strict=True)
    )
    if infeasible:
        return MilpResult("infeasible", None, None, None, 0.0, 0.0, solver_version(solver))
    if not milp.costs:
        return MilpResult("optimal", np.zeros(0), 0.0, 0.0, 0.0, 0.0, solver_version(solver))
    return None


def solver_version(solver: Solver) -> str:
    """Name and version of a solver, for provenance."""
    return SOLVERS[solver].version()


def _linopy_model(milp: Milp) -> linopy.Model:
    """The program in linopy's terms, in as few arrays as there can be: each costs milliseconds, however short."""
    model = linopy.Model()
    integer = np.asarray(milp.integer, dtype=bool)
    lower, upper = (np.asarray(v, dtype=float) for v in (milp.lower, milp.upper))
    label = np.empty(len(milp.costs), dtype=np.int64)  # column number -> linopy's label of the variable
    for name, chosen in (("continuous", ~integer), ("integer", integer)):
        columns = np.flatnonzero(chosen)
        if columns.size:
            variables = model.add_variables(
                lower=lower[columns],
                upper=upper[columns],
                coords=[columns],
                dims=[f"{name}_column"],
                name=name,
                integer=name == "integer",
            )
            label[columns] = variables.labels.values
    for number, rows in enumerate(_groups(milp.rows)):
        coordinates = {"row": np.arange(len(rows))}
        senses = xr.DataArray(np.asarray([milp.senses[i] for i in rows], dtype=str), coords=coordinates)
        right = xr.DataArray(np.asarray([milp.right[i] for i in rows], dtype=float), coords=coordinates)
        expression = _expression(model, [milp.rows[i] for i in rows], label)
        model.add_constraints(expression, senses, right, name=f"rows_{number}")
    objective = {column: cost for column, cost in enumerate(milp.costs) if cost != 0}
    model.add_objective(_expression(model, [objective], label).sum())
    return model


def _groups(rows: Sequence[dict[int, float]]) -> list[list[int]]:
    """Rows to be added together: all, or, where padding them to the longest would cost memory, by length."""
    if not rows:
        return []
    widths = [len(terms) for terms in rows]
    if len(rows) * max(widths) <= PADDED_TERMS:
        return [list(range(len(rows)))]
    groups: dict[int, list[int]] = {}
    for i, width in enumerate(widths):
        groups.setdefault(max(0, width - 1).bit_length() // 2, []).append(i)  # lengths up to 1, 4, 16, 64, ...
    return [groups[key] for key in sorted(groups)]


def _expression(
    model: linopy.Model, rows: Sequence[dict[int, float]], label: npt.NDArray[np.int64]
) -> linopy.LinearExpression:
    """All rows as one expression: terms padded to the longest row, as linopy stores them."""
    width = max(1, *(len(terms) for terms in rows))
    variables = np.full((len(rows), width), -1, dtype=np.int64)
    coefficients = np.full((len(rows), width), np.nan)
    for i, terms in enumerate(rows):
        variables[i, : len(terms)] = label[list(terms)]
        coefficients[i, : len(terms)] = list(terms.values())
    data = xr.Dataset(
        {
            "coeffs": (("row", "_term"), coefficients),
            "vars": (("row", "_term"), variables),
            "const": ("row", np.zeros(len(rows))),
        },
        coords={"row": np.arange(len(rows))},
    )
    return linopy.LinearExpression(data, model)


def _run(model: linopy.Model, milp: Milp, adapter: Adapter, options: dict[str, Any]) -> str:
    """Solve, and return linopy's word for how it ended."""

    def solve() -> str:
        # linopy would make an empty file, which no one needs: where there can be none there is none to be left.
        nowhere = Path(os.devnull, "none")
        model.solve(solver_name=adapter.name, io_api="direct", problem_fn=nowhere, **options)
        return str(model.termination_condition)

    size = f"{len(milp.costs)} variables and {len(milp.rows)} constraints"
    return adapter.solved(solve, lambda: model.solver_model, size)


def _result(model: linopy.Model, condition: str, milp: Milp, adapter: Adapter, build_s: float) -> MilpResult:
    ended = adapter.ended(model.solver_model, integer=any(milp.integer))
    status = _status(condition, adapter.name, milp)
    values = objective = None
    if status != "infeasible" and ended.has_solution:
        values = _values(model, len(milp.costs))
        objective = recheck(milp, values, adapter.name)
    if status == "optimal" and values is None:
        raise WorkError(f"solver {adapter.name}: reports an optimum without a solution")
    bound = ended.bound
    if status == "infeasible" or bound is None or not np.isfinite(bound):
        bound = None
    return MilpResult(status, values, objective, bound, build_s, ended.solve_s, adapter.version())


def _status(condition: str, solver: Solver, milp: Milp) -> MilpStatus:
    match condition:
        case "optimal":
            return "optimal"
        case "infeasible":
            return "infeasible"
        case "infeasible_or_unbounded" if _bounded_below(milp):
            return "infeasible"
        case "time_limit":
            return "time_limit"
    raise WorkError(f"solver {solver}: ended with status {condition!r}, which is no answer")


def _bounded_below(milp: Milp) -> bool:
    """Whether column bounds alone keep the objective finite, so that *unbounded* can be ruled out."""
    columns = zip(milp.costs, milp.lower, milp.upper, strict=True)
    return all(np.isfinite(low if cost > 0 else high) for cost, low, high in columns if cost != 0)


def _values(model: linopy.Model, columns: int) -> npt.NDArray[np.float64]:
    values = np.empty(columns)
    for variables in (model.variables[name] for name in model.variables):
        values[variables.labels.coords[variables.dims[0]].values] = variables.solution.values
    return values


def recheck(milp: Milp, values: npt.NDArray[np.float64], solver: Solver) -> float:
    """Recompute an answer in plain arithmetic.

    Args:
        milp: the program.
        values: a value a column.
        solver: who answered, for the error.

    Returns:
        The objective of ``values``.

    Raises:
        WorkError: a value is no number, or breaks a bound, integrality or a row by more than the tolerance.
    """
    tolerance = FEASIBILITY_TOLERANCE
    integer = np.asarray(milp.integer, dtype=bool)
    if not np.isfinite(values).all():
        raise WorkError(f"solver {solver}: the answer has values that are not numbers")
    outside = np.maximum(np.asarray(milp.lower) - values, values - np.asarray(milp.upper))
    worst_bound = float(np.max(outside, initial=0.0))
    worst_integer = np.max(np.abs(values - np.round(values))[integer], initial=0.0)
    if worst_bound > tolerance or worst_integer > tolerance:
        raise WorkError(
            f"solver {solver}: the answer breaks bounds by {worst_bound:.1e} and integrality by {worst_integer:.1e}"
        )
    for terms, sense, right in zip(milp.rows, milp.senses, milp.right, strict=True):
        products = [coefficient * values[column] for column, coefficient in terms.items()]
        scale = max(1.0, abs(right), *(abs(p) for p in products))
        broken = violation(sum(products), sense, right)
        if broken > tolerance * scale:
            raise WorkError(f"solver {solver}: the answer breaks a constraint by {broken:.1e}")
    return float((np.asarray(milp.costs) * values).sum())


def violation(left: float, sense: Sense, right: float) -> float:
    """By how much a row does not hold; 0 or less where it does."""
    return {"<=": left - right, ">=": right - left, "=": abs(left - right)}[sense]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep solver banners out of the output and linopy's remarks out of the log; errors still pass.

    HiGHS writes its banner from C++ before it reads any option, so the file descriptor itself is turned away.
    """
    log = logging.getLogger("linopy")
    level = log.level
    log.setLevel(logging.ERROR)
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, not a path
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        log.setLevel(level)
