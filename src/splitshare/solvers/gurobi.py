"""Gurobi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gurobipy

from splitshare.choices import Solver
from splitshare.errors import WorkError
from splitshare.solvers.adapter import ROW_TOLERANCE, Ended, SizeLimitError, SolverLimits


class Gurobi:
    """Gurobi through gurobipy, with the licence that there is."""

    name: Solver = "gurobi"

    def version(self) -> str:
        """Name and version, for provenance."""
        return f"gurobi {'.'.join(map(str, gurobipy.gurobi.version()))}"

    @contextmanager
    def opened(self) -> Iterator[dict[str, Any]]:
        """An environment, which holds the licence."""
        try:
            environment = gurobipy.Env(params={"OutputFlag": 0})
        except gurobipy.GurobiError as error:
            raise WorkError(
                f"solver gurobi: no usable licence ({error}); set GRB_LICENSE_FILE to a licence, unset it to use the "
                "size-limited licence that comes with gurobipy, or ask for --solver highs"
            ) from None
        with environment:
            yield {"env": environment}

    def options(self, limits: SolverLimits) -> dict[str, Any]:
        """See ``Adapter``."""
        options: dict[str, Any] = {
            "MIPGap": limits.relative_gap,
            "MIPGapAbs": 1e-10,
            "FeasibilityTol": ROW_TOLERANCE,
            "IntFeasTol": 1e-9,
            "OptimalityTol": 1e-9,
            "Seed": limits.seed,
            "Threads": limits.threads,
        }
        return options if limits.time_s is None else options | {"TimeLimit": limits.time_s}

    def solved(self, solve: Callable[[], str], raw: Callable[[], Any], size: str) -> str:
        """See ``Adapter``.

        Raises:
            SizeLimitError: the program is larger than the licence takes.
            WorkError: any other error of Gurobi's.
        """
        try:
            return solve()
        except gurobipy.GurobiError as error:
            if error.errno == gurobipy.GRB.Error.SIZE_LIMIT_EXCEEDED:
                raise SizeLimitError(
                    f"solver gurobi: the model has {size}, more than the size-limited licence takes (2000 of each); "
                    "use a full licence or --solver highs"
                ) from None
            raise WorkError(f"solver gurobi: {error} (model of {size})") from None
        except AttributeError:
            # When time runs out before the first solution, linopy asks for its values all the same.
            model = raw()
            if model.Status == gurobipy.GRB.TIME_LIMIT and not model.SolCount:
                return "time_limit"
            raise

    def ended(self, raw: Any, *, integer: bool) -> Ended:
        """See ``Adapter``; a linear program that was stopped has no bound to read."""
        return Ended(raw.Runtime, bool(raw.SolCount), getattr(raw, "ObjBound", None))
