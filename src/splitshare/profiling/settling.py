"""When a module is warm, and when it has been timed enough (ours).

The first runs of a batch find cold caches, kernels that were never launched, memory that has to be asked for anew as a
decoder's keys and values grow, and a GPU's clocks down. They are told by their times: what comes before two runs in a
row that agree is warm-up.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np

AGREEMENT = 0.1
"""Two runs agree if the longer one takes at most so much more than the shorter one."""

MAX_WARM_UPS = 10
"""Pairs that do not agree, after which a module that never settles is timed all the same, and ``settled`` is false."""

MAX_CLOCK_RUNS = 20_000
"""Runs for clocks to go up, at most: of those that take microseconds, most of the time passes between them."""

MIN_RUNS = 3
"""Timed runs of a batch, unless a single one is over the limit."""

MAX_RUNS = 200
"""Timed runs after which a fast module (a head takes microseconds) is known well enough."""

SPREAD = 0.1
"""Distance from the 10th to the 90th percentile, over the median, up to which the runs are enough."""

MORE = 2.0
"""Budgets that may be spent where they spread further."""


class Run(NamedTuple):
    """One run; a decoder's is a whole request, with the part up to the first new token."""

    seconds: float
    prefill_s: float | None = None


class Timed(NamedTuple):
    """The runs that count, and how it came to them."""

    runs: list[Run]
    warm_up_runs: int
    """Runs before them."""
    settled: bool
    """Two runs in a row agreed."""


def time_settled(run: Callable[[], Run], budget_s: float, longest_run_s: float, warm_for_s: float = 0.0) -> Timed:
    """Run until two runs in a row agree; these two are the first that count, and more follow.

    At least ``MIN_RUNS`` count, and until the budget is spent, ``MORE`` of it where they spread; at most ``MAX_RUNS``.
    A run that takes longer than ``longest_run_s`` is the last.

    Args:
        run: runs once.
        budget_s: seconds of runs that count.
        longest_run_s: seconds that a single run may take if there are to be more.
        warm_for_s: seconds of runs before any may count, for clocks to go up.
    """
    cold = tries = 0
    spent_s = 0.0
    before = run()
    while before.seconds <= longest_run_s:
        latest = run()
        cold += 1
        spent_s += before.seconds
        if spent_s >= warm_for_s or cold >= MAX_CLOCK_RUNS:
            if _agree(before, latest):
                return _more(run, [before, latest], cold - 1, True, budget_s, longest_run_s)
            tries += 1
            if tries >= MAX_WARM_UPS:
                return _more(run, [latest], cold, False, budget_s, longest_run_s)
        before = latest
    return Timed([before], cold, settled=False)


def _more(
    run: Callable[[], Run], runs: list[Run], warm_up_runs: int, settled: bool, budget_s: float, longest_run_s: float
) -> Timed:
    while len(runs) < MAX_RUNS and runs[-1].seconds <= longest_run_s:
        spent_s = sum(each.seconds for each in runs)
        enough_s = budget_s if spent_s < budget_s or _spread(runs) <= SPREAD else MORE * budget_s
        if len(runs) >= MIN_RUNS and spent_s >= enough_s:
            break
        runs.append(run())
    return Timed(runs, warm_up_runs, settled)


def _agree(one: Run, other: Run) -> bool:
    low, high = sorted((one.seconds, other.seconds))
    return high <= (1 + AGREEMENT) * low


def _spread(runs: list[Run]) -> float:
    seconds = [each.seconds for each in runs]
    low, high = np.percentile(seconds, [10, 90])
    return float((high - low) / median(seconds))
