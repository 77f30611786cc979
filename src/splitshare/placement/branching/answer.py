"""A branch and bound of one instance, from its start to its answer, watched and interruptible (ours)."""

from __future__ import annotations

import math
import time

from splitshare.choices import Status
from splitshare.placement.arrays import numbered
from splitshare.placement.branching.relaxation import relaxation
from splitshare.placement.branching.tree import Progress, Search
from splitshare.placement.contract import Answer, load
from splitshare.placement.feasible import none_feasible
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import normalised
from splitshare.placement.search import feasible_start
from splitshare.progress import lines
from splitshare.stopping import first_interrupt
from splitshare.version import __version__

NAME = f"builtin {__version__}"


def branch_and_bound(instance: PlacementInstance, *, seed: int = 0, time_limit_s: float | None = None) -> Answer:
    """Place the modules of ``instance``, with a proof where there is time for it.

    At the time limit, or at the first Ctrl-C, the best placement so far and the bound proved so far are the answer.

    Raises:
        WorkError: bytes of the instance cannot be added exactly in 64 bits, or it is too large to be held.
    """
    started = time.perf_counter()
    problem = numbered(instance)
    relaxed = relaxation(problem)
    built = time.perf_counter()
    limit_s = math.inf if time_limit_s is None else time_limit_s
    with first_interrupt() as interrupted, lines() as tell:

        def stop() -> bool:
            return interrupted() or time.perf_counter() - built >= limit_s

        search = Search(problem, relaxed, seed=seed, stop=stop, report=lambda progress: tell(shown(progress)))
        start = None
        if not search.incumbent.offer_quick(problem.arrays.may):
            # By name, not by import: what is proved does not hang on where the search starts, so optima need not be
            # proved anew when the greedy's code changes.
            placed = load("s2m3-greedy").place(instance, seed=seed, time_limit=time_limit_s)
            start = None if placed is None or isinstance(placed, Answer) else normalised(placed)
            if start is None and not stop():
                start = feasible_start(instance, time_limit_s)
            if start is None and not instance.replication and none_feasible(instance, time_limit_s):
                # To pack what does not fit is no question of latency: bounds of latency would prove it slowly.
                seconds = built - started, time.perf_counter() - built
                return Answer(None, "infeasible", None, None, *seconds, f"{NAME}, infeasible by scipy's HiGHS")
        found = search.run(start)
    exists = found.assignment is not None
    status: Status = "time_limit" if not found.proved else "optimal" if exists else "infeasible"
    return Answer(
        assignment=found.assignment,
        status=status,
        bound=None if status == "infeasible" else found.bound,
        objective=found.objective if exists else None,
        build_s=built - started,
        solve_s=time.perf_counter() - built,
        solver=NAME,
    )


def shown(progress: Progress) -> str:
    """One line of where a search stands."""
    best, bound = progress.objective, progress.bound
    gap = f"gap {(best - bound) / best:.2%}" if 0 < best < math.inf else "nothing found yet"
    return f"{progress.elapsed_s:7.1f} s  best {best:.6g} s  bound {bound:.6g} s  {gap}  {progress.nodes} nodes"
