"""What happened to the requests of an emulated replay, and its tables: those of the simulator."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from splitshare.errors import WorkError
from splitshare.replay.emulator.compute import Took
from splitshare.replay.emulator.program import Program
from splitshare.replay.plan import STAGES
from splitshare.replay.result import ReplayResult
from splitshare.replay.tables import categorical
from splitshare.replay.traces import RequestTrace

STATUSES = ("ok", "dropped", "failed")
RUN_COLUMNS = ("request_id", "request", "place", "stage", "module", "device", "profiled_s", *Took._fields)


class StageTimes(NamedTuple):
    """When a stage was ready, started, was done, and with how many it ran."""

    ready_s: float
    start_s: float
    finish_s: float
    batch: int = 1


_NEVER = StageTimes(math.nan, math.nan, math.nan)


@dataclass
class Outcome:
    """What is known of each request, by its number in the trace; seconds since the replay began."""

    epoch: dict[int, int] = field(default_factory=dict)
    stages: dict[tuple[int, int], StageTimes] = field(default_factory=dict)
    computed: dict[tuple[int, int], Took] = field(default_factory=dict)
    """What real modules took; of a batch each stage has its share."""
    ended: dict[int, tuple[str, float, str]] = field(default_factory=dict)
    """Status, time and reason."""

    def end(self, request: int, status: str, time_s: float, reason: str = "") -> bool:
        """A request has ended; only the first end counts. Returns whether this was it."""
        if request in self.ended:
            return False
        self.ended[request] = (status, time_s, reason)
        return True

    def counts(self, issued: int) -> dict[str, int]:
        """Requests by status.

        Raises:
            WorkError: ``issued`` is not the sum of ok, dropped and failed.
        """
        statuses = Counter(status for status, _, _ in self.ended.values())
        counts = {status: statuses[status] for status in STATUSES}
        if sum(counts.values()) != issued:
            raise WorkError(f"{issued} requests were issued, but {counts} have ended: the driver has lost some")
        return counts

    def reasons(self) -> dict[str, int]:
        """How many requests were lost for which reason."""
        return dict(Counter(reason for status, _, reason in self.ended.values() if status != "ok"))


def runs_table(trace: RequestTrace, programs: dict[int, Program], outcome: Outcome) -> pd.DataFrame:
    """What real modules took on this host, whatever the profile says.

    Returns:
        A row a run, by request and then place: ``request_id, request, place`` (of the stage in its class, from 0),
        ``stage, module, device, profiled_s, wall_s, cpu_s, moved_s``. ``wall_s`` is how long the module computed, its
        tensors unpacked and packed, and moved to a GPU and back in ``moved_s`` of it; on a CPU, what of it is not
        ``cpu_s``, CPU time of its thread, it waited for a core (with one torch thread: others are not counted). The
        stage held the device for at least ``profiled_s``. Stages of a batch have equal shares of all four. Without rows
        where all modules were recorded.
    """
    rows: list[tuple[object, ...]] = []
    for (i, place), took in sorted(outcome.computed.items()):
        name = trace.classes[trace.request_class[i]]
        step = next(c for c in programs[outcome.epoch[i]].classes if c.name == name).steps[place]
        batch = outcome.stages.get((i, place), _NEVER).batch
        profiled_s = step.batches.get(batch, step.compute_s) / batch
        rows.append((trace.request_id[i], name, place, step.kind, step.module, step.end, profiled_s, *took))
    return pd.DataFrame(rows, columns=list(RUN_COLUMNS))


# Long: one pass over the events fills all tables.
def tables(trace: RequestTrace, programs: dict[int, Program], outcome: Outcome) -> ReplayResult:
    """The two tables of the replay; what never happened is null. Only ``ok`` requests have a latency.

    A batch's time is shared evenly among its stages.
    """
    outcome.counts(len(trace))
    classes = {epoch: {c.name: c for c in program.classes} for epoch, program in programs.items()}
    modules: dict[str, int] = {}
    devices: dict[str, int] = {}
    links: dict[str, int] = {}
    for program in programs.values():
        for step in (s for c in program.classes for s in c.steps):
            modules.setdefault(step.module, len(modules))
            if step.computes:
                devices.setdefault(step.end, len(devices))
            elif step.begin != step.end:
                links.setdefault(f"{step.begin}->{step.end}", len(links))
    requests: list[tuple[float, float, int]] = []
    rows: list[tuple[int, int, int, int, int, int]] = []
    times: list[tuple[float, float, float, float]] = []
    for i in range(len(trace)):
        status, end_s, _ = outcome.ended[i]
        first_s = math.inf
        epoch = outcome.epoch.get(i)
        request_class = classes[epoch][trace.classes[trace.request_class[i]]] if epoch is not None else None
        for place, step in enumerate(request_class.steps if request_class else ()):
            ready_s, start_s, finish_s, batch = outcome.stages.get((i, place), _NEVER)
            travels = not step.computes and step.begin != step.end
            if (travels or step.computes) and start_s < first_s:
                first_s = start_s
            rows.append(
                (
                    i,
                    STAGES.index(step.kind),
                    modules[step.module],
                    devices[step.end] if step.computes else -1,
                    links[f"{step.begin}->{step.end}"] if travels else -1,
                    place,
                )
            )
            busy_s = (finish_s - start_s - (step.delay_s if travels else 0.0)) / batch
            times.append((ready_s, start_s, finish_s, max(0.0, busy_s) if not math.isnan(busy_s) else busy_s))
        requests.append((first_s if first_s < math.inf else math.nan, end_s, STATUSES.index(status)))
    start_s_, end_s_, codes = (np.array(column) for column in zip(*requests, strict=True))
    ok = codes == 0
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6)
    seconds = np.array(times, dtype=np.float64).reshape(-1, 4)
    owner = columns[:, 0]
    return ReplayResult(
        pd.DataFrame(
            {
                "request_id": trace.request_id,
                "request": categorical(trace.request_class, trace.classes),
                "arrival_s": trace.arrival_s,
                "start_s": start_s_,
                "finish_s": end_s_,
                "latency_s": np.where(ok, end_s_ - trace.arrival_s, np.nan),
                "status": categorical(codes.astype(np.int64), STATUSES),
            }
        ),
        pd.DataFrame(
            {
                "request_id": trace.request_id[owner],
                "request": categorical(trace.request_class[owner], trace.classes),
                "stage": categorical(columns[:, 1], STAGES),
                "module": categorical(columns[:, 2], list(modules)),
                "device": categorical(columns[:, 3], list(devices)),
                "link": categorical(columns[:, 4], list(links)),
                "ready_s": seconds[:, 0],
                "start_s": seconds[:, 1],
                "finish_s": seconds[:, 2],
                "busy_s": seconds[:, 3],
            }
        ),
    )
