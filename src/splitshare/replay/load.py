"""What a trace asks of each device and link, beside what it can do: the bottleneck, and the rate that the system holds.

A queue whose resource is asked for more than all of its time grows for as long as the trace lasts: latencies then tell
how long it lasted. That is told from the trace and the plan alone, before anything is replayed (ours; Little, and the
stability condition of a single queue).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.plan import LinkModel, StagePlan, build_plan
from splitshare.replay.traces import RequestTrace

ENOUGH = 100
"""Requests from which on a trace's mean rate is taken to say something of what follows."""


@dataclass(frozen=True)
class OfferedLoad:
    """What a trace asks of a placed system."""

    rate_per_s: float
    """Mean rate of the trace, from its first to its last arrival; infinite where all arrive at once."""
    resources: pd.DataFrame
    """A row a device, link direction or cell that is used, the most asked for first: ``kind``, ``name``, ``offered``
    (seconds of it asked for in a second) and ``seconds_per_request``."""
    requests: int
    drops: bool = False
    """Whether requests that are late are dropped, so that no queue grows for ever."""

    @property
    def offered(self) -> float:
        """Of the bottleneck; 0 where nothing queues for anything."""
        return float(self.resources["offered"].max()) if len(self.resources) else 0.0

    @property
    def bottleneck(self) -> str:
        """The device, link or cell that is asked for most."""
        first = self.resources.iloc[0]
        return f"{first['kind']} {first['name']}"

    @property
    def holds_per_s(self) -> float:
        """The rate up to which no queue grows, requests being mixed as in the trace; infinite without queues."""
        return 1 / float(self.resources["seconds_per_request"].max()) if len(self.resources) else math.inf

    @property
    def grows(self) -> bool:
        """Whether some queue grows for as long as the trace lasts."""
        return self.requests >= ENOUGH and self.offered > 1 and not self.drops

    def in_words(self) -> str:
        """The bottleneck and, where a queue grows, what the figures are worth."""
        if not len(self.resources):
            return "Nothing is queued for: no stage takes time on a device or a link."
        asked = f"The bottleneck is the {self.bottleneck}"
        if not math.isfinite(self.rate_per_s):
            return f"{asked}: all requests arrive at once, and it serves {self.holds_per_s:.3g} requests/s."
        if self.drops and self.offered > 1:
            asked += f", asked for {self.offered:.1%} of its time"
            return f"{asked}; it serves {self.holds_per_s:.3g} requests/s, and what is late is dropped."
        if not self.grows:
            asked += f", asked for {self.offered:.1%} of its time"
            return f"{asked}; the system holds {self.holds_per_s:.3g} requests/s."
        return (
            f"OVERLOADED: {self.rate_per_s:.3g} requests/s are offered, and the {self.bottleneck} serves "
            f"{self.holds_per_s:.3g}. Its queue grows for as long as the trace lasts, so latencies tell how long that "
            f"is, not how good the placement is; ask for a rate below {self.holds_per_s:.3g}/s."
        )


def offered_load(
    instance: PlacementInstance,
    plan: StagePlan,
    trace: RequestTrace,
    least_s: NDArray[np.float64] | None = None,
    *,
    also_s: NDArray[np.float64] | None = None,
    drops: bool = False,
) -> OfferedLoad:
    """What ``trace`` asks of each resource of ``plan``.

    Args:
        instance: what the plan was built of.
        plan: for the classes of the trace.
        trace: the requests.
        least_s: seconds of each stage's resource for one request, at size 1, shape (stages,); by default
            ``plan.service_s``. With batches: of the batch size that takes least.
        also_s: seconds that resources were held beside stages, for loading modules; shape (resources,).
        drops: whether requests that are late are dropped.
    """
    per_stage_s = plan.service_s if least_s is None else least_s
    weight = np.bincount(trace.request_class, weights=trace.size, minlength=len(plan.first) - 1)
    stage_class = np.repeat(np.arange(len(plan.first) - 1), np.diff(plan.first))
    seconds = np.bincount(
        plan.resource[plan.resource >= 0],
        weights=(per_stage_s * weight[stage_class])[plan.resource >= 0],
        minlength=plan.resources,
    ).astype(np.float64)
    if also_s is not None:
        seconds = seconds + also_s
    span_s = float(trace.arrival_s[-1] - trace.arrival_s[0])
    rate_per_s = (len(trace) - 1) / span_s if span_s > 0 else math.inf
    names = _names(instance, plan)
    rows = [
        {
            "kind": kind,
            "name": name,
            "offered": seconds[resource] / len(trace) * rate_per_s,
            "seconds_per_request": seconds[resource] / len(trace),
        }
        for resource, (kind, name) in names.items()
        if seconds[resource] > 0
    ]
    columns = ["kind", "name", "offered", "seconds_per_request"]
    table = pd.DataFrame(rows, columns=columns).sort_values("seconds_per_request", ascending=False, kind="stable")
    return OfferedLoad(rate_per_s, table.reset_index(drop=True), len(trace), drops)


def expected_load(instance: PlacementInstance, routes: Mapping[str, Route], link_model: LinkModel) -> OfferedLoad:
    """What requests ask of each resource on average, each class as often as its ``rate_per_s`` says.

    Args:
        instance: what is placed.
        routes: a complete route for each of its request classes.
        link_model: how transfers share links.

    Raises:
        InputError: see ``build_plan``.
    """
    weights = np.array([request.rate_per_s for request in instance.requests], dtype=np.float64)
    classes = tuple(request.name for request in instance.requests)
    count = len(weights)
    mixed = RequestTrace(
        request_id=np.arange(count, dtype=np.int64),
        arrival_s=np.zeros(count),
        classes=classes,
        request_class=np.arange(count, dtype=np.int64),
        size=weights / weights.sum() * count,  # a request of each class, as large as its share
    )
    return offered_load(instance, build_plan(instance, routes, classes, link_model), mixed)


def _names(instance: PlacementInstance, plan: StagePlan) -> dict[int, tuple[str, str]]:
    """Kind and name of each resource that some stage queues for: a cell's links are one."""
    cell_of = {f"{a}->{b}": link.cell for link in instance.links for a, b in ((link.a, link.b), (link.b, link.a))}
    links: dict[int, set[str]] = {}
    for link, resource in zip(plan.link.tolist(), plan.resource.tolist(), strict=True):
        if link >= 0 and resource >= 0:
            links.setdefault(resource, set()).add(plan.links[link])
    found = {i: ("device", name) for i, name in enumerate(plan.devices)}
    for resource, members in sorted(links.items()):
        cells = {cell_of[name] for name in members}
        shared = len(members) > 1  # a direction of a link is its own; several are of one cell
        found[resource] = ("cell", str(cells.pop())) if shared else ("link", members.pop())
    return found
