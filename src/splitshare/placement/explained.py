"""Which property of an instance makes a heuristic miss the optimum: features, gaps, and a few questions (ours).

The questions are a small classification tree (Breiman et al. 1984): at each node the feature and threshold that leave
the purest halves, by the Gini index. It is small so that it can be read, not so that it is right about each instance.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.placement.contract import PlacementAlgorithm
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve

FEATURES = {
    "modules": "modules",
    "devices": "devices",
    "modules_per_device": "modules a device",
    "memory": "bytes of all modules over bytes of all devices",
    "largest": "the largest module over the mean device",
    "communication": "mean seconds of sending an input over a link, over mean seconds of computing",
    "heterogeneity": "coefficient of variation of a module's seconds over devices, mean over modules",
    "sharing": "requests that use a module, the mean",
    "encoders": "encoders of a request, the mean",
    "sources": "devices from which requests come, as a share",
    "replication": "whether modules may stand several times",
    "max": "whether the objective is the greatest latency",
}
"""What is looked at, and what it is."""
MISSED = 1e-6
"""Relative gap above which the optimum is missed."""


def features(instance: PlacementInstance) -> dict[str, float]:
    """The features of an instance, in the order of ``FEATURES``; infinite bandwidth and no links count as no time."""
    sizes = [m.memory_bytes for m in instance.modules]
    rooms = [d.memory_bytes for d in instance.devices]
    seconds = {m.name: [s for s in m.compute_s.values() if s is not None] for m in instance.modules}
    spread = [statistics.pstdev(s) / statistics.fmean(s) for s in seconds.values() if s and statistics.fmean(s) > 0]
    inputs = [use.input_bytes for r in instance.requests for use in r.encoders]
    sending = [link.latency_s + statistics.fmean(inputs) / link.bandwidth_bytes_per_s for link in instance.links]
    computing = [s for own in seconds.values() for s in own]
    mean_s = statistics.fmean(computing) if computing else 0.0
    uses = [name for r in instance.requests for name in {*(use.module for use in r.encoders), r.head}]
    values = (
        len(sizes),
        len(rooms),
        len(sizes) / len(rooms),
        sum(sizes) / sum(rooms) if sum(rooms) > 0 else 0.0,
        max(sizes) / statistics.fmean(rooms) if sum(rooms) > 0 else 0.0,
        statistics.fmean(sending) / mean_s if sending and mean_s > 0 else 0.0,
        statistics.fmean(spread) if spread else 0.0,
        len(uses) / len(set(uses)),
        len(inputs) / len(instance.requests),
        len({r.source for r in instance.requests}) / len(rooms),
        float(instance.replication),
        float(instance.objective == "max"),
    )
    return dict(zip(FEATURES, map(float, values), strict=True))


@dataclass(frozen=True)
class Gap:
    """How far a heuristic is from the optimum of an instance."""

    objective: float | None
    """Seconds; ``None``: it finds no placement."""
    best: float | None
    """The best known, seconds."""
    bound: float | None
    """Proved: nothing is below."""

    @property
    def missed(self) -> bool | None:
        """Whether the optimum is missed; ``None``: not proved either way, or there is no placement at all."""
        if self.best is None:
            return None
        if self.objective is None or self.objective > self.best * (1 + MISSED):
            return True
        proved = self.bound is not None and self.objective <= self.bound * (1 + MISSED) + 1e-12
        return False if proved else None

    @property
    def share(self) -> float:
        """Relative gap to the best known; infinite where nothing was found."""
        if self.best is None or self.best <= 0:
            return math.nan
        return math.inf if self.objective is None else self.objective / self.best - 1


def gap_of(
    instance: PlacementInstance, heuristic: PlacementAlgorithm, exact: PlacementAlgorithm, time_limit_s: float
) -> Gap:
    """Solve an instance by both.

    Raises:
        WorkError: an exact answer that the evaluator does not confirm.
    """
    found = solve(instance, heuristic)
    proved = solve(instance, exact, time_limit_s=time_limit_s)
    known = [worth for worth in (found.objective, proved.objective) if worth is not None]
    bound = proved.objective if proved.status == "optimal" else proved.bound
    return Gap(found.objective, min(known) if known else None, bound)


@dataclass(frozen=True)
class Node:
    """A question, or where a path ends."""

    missed: int
    of: int
    feature: str | None = None
    """``None``: the path ends here."""
    threshold: float = 0.0
    low: Node | None = None
    """At most the threshold."""
    high: Node | None = None

    @property
    def share(self) -> float:
        """Of its instances, those whose optimum is missed."""
        return self.missed / self.of if self.of else math.nan

    def says(self, row: dict[str, float]) -> bool:
        """Whether it expects a miss: by the majority where the path ends."""
        if self.feature is None or self.low is None or self.high is None:
            return self.share > 0.5
        return (self.low if row[self.feature] <= self.threshold else self.high).says(row)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree for people, a line a node."""
        pad = "  " * depth
        if self.feature is None or self.low is None or self.high is None:
            yield f"{pad}missed on {self.missed} of {self.of}"
            return
        yield f"{pad}{self.feature} <= {self.threshold:.3g}:"
        yield from self.low.lines(depth + 1)
        yield f"{pad}{self.feature} > {self.threshold:.3g}:"
        yield from self.high.lines(depth + 1)


def tree(table: pd.DataFrame, missed: Sequence[bool], *, depth: int = 2, least: int = 5) -> Node:
    """A tree of a few questions.

    Args:
        table: features, a row an instance.
        missed: of each.
        depth: questions on a path at most.
        least: instances that each answer must have.
    """
    return _grown(table, np.array(missed, dtype=bool), depth, least)


def _grown(table: pd.DataFrame, missed: NDArray[np.bool_], depth: int, least: int) -> Node:
    end = Node(int(missed.sum()), len(missed))
    if depth == 0 or end.missed in {0, end.of}:
        return end
    best: tuple[float, str, float] | None = None
    for name in table.columns:
        values = table[name].to_numpy()
        order = np.unique(values)
        for threshold in (order[:-1] + order[1:]) / 2:
            low = values <= threshold
            if min(low.sum(), (~low).sum()) < least:
                continue
            impurity = sum(_gini(missed[side]) * side.sum() for side in (low, ~low))
            if best is None or impurity < best[0] - 1e-12:
                best = (impurity, str(name), float(threshold))
    if best is None or best[0] >= _gini(missed) * len(missed) - 1e-12:
        return end
    _, name, threshold = best
    low = table[name].to_numpy() <= threshold
    return Node(
        end.missed,
        end.of,
        name,
        threshold,
        _grown(table[low], missed[low], depth - 1, least),
        _grown(table[~low], missed[~low], depth - 1, least),
    )


def _gini(missed: NDArray[np.bool_]) -> float:
    share = float(missed.mean())
    return 2 * share * (1 - share)
