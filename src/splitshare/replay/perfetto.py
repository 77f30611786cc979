"""A replay as a timeline that browsers open: Chrome's trace events in JSON, for https://ui.perfetto.dev.

The format is Google's "Trace Event Format" (2016; JSON object form). A device, and each direction of a link, is a
thread of its own; a stage is a complete event (``X``) on the one that it held, for as long as it held it; flow events
(``s``, ``f``) lead from a stage to the one that waited for it; counters (``C``) tell how many stages wait and how many
requests are under way. Events of one thread must not overlap: transfers that do
(``independent``) and runs on a device that shares itself (``ps``) are spread over further threads of theirs, and the
stages of a batch are one event. A shared run lasts longer than it keeps its device busy: ``busy_s`` is told beside it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.files import atomic_path
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.result import ReplayResult

MOST_SLICES = 200_000
"""A browser still opens so many: about 150 MB."""
DEVICES, LINKS, REQUESTS = 1, 2, 3
"""Process numbers of the groups of tracks."""
GROUPS = {DEVICES: "Devices", LINKS: "Links", REQUESTS: "Requests"}
FIRST_THREAD = 10
"""Other than the processes' numbers: a thread with its process's number is taken for its main one."""
NS_PER_S = 1e9

Event = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """A part of a replay's time, in seconds of its trace: what touches it is written, whole."""

    begin_s: float = 0.0
    end_s: float = math.inf


@dataclass(frozen=True)
class _Track:
    """A device or a direction of a link."""

    group: int
    name: str
    rows: NDArray[np.int64]
    """Its stages in the table of stages, by start."""


@dataclass(frozen=True)
class _Slice:
    """What one thread shows: a stage, or the stages of a batch."""

    thread: int
    group: int
    begin_ns: int
    end_ns: int
    rows: tuple[int, ...]


def check_trace_path(path: Path) -> None:
    """Refuse a name that does not end in ``.json``, before any work is done for it.

    Raises:
        InputError: it does not.
    """
    if path.suffix != ".json":
        raise InputError(path, "", "is to be a trace for Perfetto; end the name in .json")


def write_trace_events(
    path: Path, result: ReplayResult, instance: PlacementInstance, window: Window | None = None
) -> int:
    """Write a replay, or a window of it, whole or not at all.

    Args:
        path: where to.
        result: a replay with its table of stages.
        instance: what was replayed.
        window: what of it; all by default.

    Returns:
        How many slices there are: stages, or batches of them, that held a device or a link.

    Raises:
        InputError: nothing happens in the window, or more than ``MOST_SLICES`` things do.
    """
    shown = window or Window()
    stages = result.stages
    begin_s, end_s = _held_s(stages)
    inside = (begin_s < shown.end_s) & (end_s >= shown.begin_s)
    tracks = _tracks(stages, instance)
    many = sum(int(inside[track.rows].sum()) for track in tracks)
    if not many:
        last_s = float(result.requests["finish_s"].max())
        raise InputError("--from-s", "", f"nothing happens from there on; the replay ends at {last_s:g} s")
    if many > MOST_SLICES:
        problem = f"{many} stages are more than a browser opens ({MOST_SLICES}); choose a window by --from-s, --until-s"
        raise InputError("--perfetto", "", problem)
    # What was dropped before it was served held nothing: it is never inside.
    held_ns = tuple(np.rint(np.nan_to_num(seconds) * NS_PER_S).astype(np.int64) for seconds in (begin_s, end_s))
    slices: list[_Slice] = []
    names: list[Event] = []
    thread = FIRST_THREAD
    for track in tracks:
        mine = _slices(track, stages, inside, held_ns, thread)
        lanes = 1 + max((part.thread - thread for part in mine), default=0)
        names += [event for lane in range(lanes) for event in _named(track, thread + lane, lane)]
        slices += mine
        thread += lanes
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        about = {"instance": instance.name, "clock": "seconds of the request trace", "made_by": "splitshare simulate"}
        file.write('{"displayTimeUnit": "ms", "otherData": ' + json.dumps(about) + ', "traceEvents": [\n')
        events = [
            *_groups(),
            *names,
            *_slice_events(slices, stages),
            *_flows(slices, stages),
            *_waiting(tracks, stages, _left_s(result), shown),
            *_under_way(result.requests, shown),
        ]
        file.write(",\n".join(json.dumps(event, ensure_ascii=False, allow_nan=False) for event in events))
        file.write("\n]}\n")
    return len(slices)


def _tracks(stages: pd.DataFrame, instance: PlacementInstance) -> list[_Track]:
    """Every device, and each direction of a link that is used, in the instance's order."""
    found = []
    start_s = stages["start_s"].to_numpy(dtype=np.float64)
    directions = [n for link in instance.links for n in (f"{link.a}->{link.b}", f"{link.b}->{link.a}")]
    for group, column, known in (
        (DEVICES, "device", [device.name for device in instance.devices]),
        (LINKS, "link", directions),
    ):
        rows = stages.groupby(column, observed=True, sort=False).indices
        for name in known:
            if name in rows or group == DEVICES:
                own = np.asarray(rows.get(name, []), dtype=np.int64)
                found.append(_Track(group, name, own[np.argsort(start_s[own], kind="stable")]))
    return found


def _held_s(stages: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From when to when each stage held its device or link: a transfer arrives later, by the link's latency.

    A stage that ran in a batch held its device for as long as the batch did, whatever its share.
    """
    start_s, finish_s, busy_s = (stages[name].to_numpy(dtype=np.float64) for name in ("start_s", "finish_s", "busy_s"))
    return start_s, np.where(stages["device"].notna(), finish_s, start_s + busy_s)


def _slices(
    track: _Track,
    stages: pd.DataFrame,
    inside: NDArray[np.bool_],
    held_ns: tuple[NDArray[np.int64], ...],
    first: int,
) -> list[_Slice]:
    """What a track shows, on as few threads as do not overlap; the first is numbered ``first``."""
    free_ns: list[int] = []
    found = []
    for rows in _runs(track, stages, inside):
        begin, end = (int(ns[rows[0]]) for ns in held_ns)
        # Rounding may let a stage end a nanosecond after the next one begins.
        lane = next((i for i, free in enumerate(free_ns) if free - 1 <= begin), len(free_ns))
        if lane == len(free_ns):
            free_ns.append(0)
        begin = max(begin, free_ns[lane])
        free_ns[lane] = max(begin, end)
        found.append(_Slice(first + lane, track.group, begin, free_ns[lane], rows))
    return found


def _runs(track: _Track, stages: pd.DataFrame, inside: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Rows in the window that ran as one: on a device, of one module, from one start to one end."""
    rows = track.rows[inside[track.rows]]
    if track.group != DEVICES or not len(rows):
        return [(row,) for row in rows.tolist()]
    start_s, finish_s = (stages[name].to_numpy(dtype=np.float64)[rows] for name in ("start_s", "finish_s"))
    module = stages["module"].cat.codes.to_numpy()[rows]
    other = np.flatnonzero((np.diff(start_s) != 0) | (np.diff(finish_s) != 0) | (np.diff(module) != 0)) + 1
    return [tuple(run.tolist()) for run in np.split(rows, other)]


def _groups() -> Iterator[Event]:
    for number, name in GROUPS.items():
        yield {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": number, "tid": 0, "args": {"sort_index": number}}


def _named(track: _Track, thread: int, lane: int) -> list[Event]:
    own = {"ph": "M", "pid": track.group, "tid": thread}
    name = track.name if lane == 0 else f"{track.name} ({lane + 1})"
    return [
        own | {"name": "thread_name", "args": {"name": name}},
        own | {"name": "thread_sort_index", "args": {"sort_index": thread}},
    ]


def _slice_events(slices: list[_Slice], stages: pd.DataFrame) -> Iterator[Event]:
    columns = {name: stages[name].tolist() for name in ("request_id", "request", "stage", "module", "ready_s")}
    columns |= {name: stages[name].tolist() for name in ("start_s", "finish_s", "busy_s")}
    for part in slices:
        row = part.rows[0]
        stage, module = columns["stage"][row], columns["module"][row]
        name = module if stage in {"encode", "head"} else f"{stage} {module}"
        numbers = [int(columns["request_id"][r]) for r in part.rows]
        told: dict[str, Any] = {"request": numbers[0]} if len(numbers) == 1 else {"requests": numbers}
        told |= {
            "class": columns["request"][row],
            "stage": stage,
            "busy_s": sum(columns["busy_s"][r] for r in part.rows),
            "waited_s": max(columns["start_s"][r] - columns["ready_s"][r] for r in part.rows),
            "done_at_s": columns["finish_s"][row],
        }
        yield {
            "ph": "X",
            "name": name if len(numbers) == 1 else f"{name} x{len(numbers)}",
            "cat": stage,
            "pid": part.group,
            "tid": part.thread,
            "ts": part.begin_ns / 1000,
            "dur": (part.end_ns - part.begin_ns) / 1000,
            "args": told,
        }


def _flows(slices: list[_Slice], stages: pd.DataFrame) -> Iterator[Event]:
    """An arrow from each stage to the one that waits for it; none from or to what takes no time or is not shown.

    A class lists its inputs, its encoders, what they send, the head and the result (``splitshare.replay.plan``).
    """
    shown = {row: part for part in slices if part.end_ns > part.begin_ns for row in part.rows}
    owner = stages["request_id"].to_numpy()
    arrows = 0
    firsts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    lasts = np.r_[firsts[1:], len(owner)]
    rows = np.fromiter(shown, dtype=np.int64, count=len(shown))
    touched = np.unique(np.searchsorted(firsts, rows, side="right") - 1)
    for first, last in zip(firsts[touched].tolist(), lasts[touched].tolist(), strict=True):
        encoders = (last - first - 2) // 3
        head = last - 2
        chains = [[first + j, first + encoders + j, first + 2 * encoders + j, head] for j in range(encoders)]
        for chain in (*chains, [head, last - 1]):
            seen = [shown[row] for row in chain if row in shown]
            for before, after in itertools.pairwise(seen):
                arrows += 1
                arrow = {"name": "waits for", "cat": "flow", "id": arrows, "args": {"request": int(owner[first])}}
                yield arrow | {"ph": "s"} | _inside(before)
                yield arrow | {"ph": "f", "bp": "e"} | _inside(after)


def _inside(part: _Slice) -> Event:
    """A place in the middle of a slice: an arrow belongs to what goes on in its thread at its time."""
    return {"pid": part.group, "tid": part.thread, "ts": (part.begin_ns + part.end_ns) // 2 / 1000}


def _left_s(result: ReplayResult) -> NDArray[np.float64]:
    """When each stage left its queue: as it began, or as its request was dropped."""
    start_s = result.stages["start_s"].to_numpy(dtype=np.float64)
    number = result.stages["request_id"].to_numpy()
    owner = np.cumsum(np.r_[0, number[1:] != number[:-1]])
    dropped_s = result.requests["finish_s"].to_numpy(dtype=np.float64)[owner]
    return np.where(np.isnan(start_s), dropped_s, start_s)


def _waiting(
    tracks: list[_Track], stages: pd.DataFrame, left_s: NDArray[np.float64], window: Window
) -> Iterator[Event]:
    ready_s = stages["ready_s"].to_numpy(dtype=np.float64)
    for track in tracks:
        name = f"waiting: {track.name}"
        yield from _counter(track.group, name, "stages", ready_s[track.rows], left_s[track.rows], window)


def _under_way(requests: pd.DataFrame, window: Window) -> Iterator[Event]:
    arrival_s, finish_s = (requests[name].to_numpy(dtype=np.float64) for name in ("arrival_s", "finish_s"))
    yield from _counter(REQUESTS, "under way", "requests", arrival_s, finish_s, window)


def _counter(
    group: int, name: str, what: str, more_s: NDArray[np.float64], fewer_s: NDArray[np.float64], window: Window
) -> Iterator[Event]:
    """One more at each of ``more_s``, one fewer at each of ``fewer_s``; an event where the number changes."""
    real = fewer_s > more_s
    times = np.concatenate([more_s[real], fewer_s[real]])
    steps = np.repeat([1, -1], int(real.sum()))
    at_ns, place = np.unique(np.rint(times * NS_PER_S).astype(np.int64), return_inverse=True)
    level = np.cumsum(np.bincount(place, weights=steps, minlength=len(at_ns))).astype(np.int64)
    begin_ns = round(window.begin_s * NS_PER_S)
    before = int(np.searchsorted(at_ns, begin_ns, side="right"))
    own = {"ph": "C", "name": name, "pid": group, "tid": 0}
    count = int(level[before - 1]) if before else 0
    yield own | {"ts": begin_ns / 1000, "args": {what: count}}
    for moment, now in zip(at_ns[before:].tolist(), level[before:].tolist(), strict=True):
        if moment / NS_PER_S > window.end_s:
            return
        if now != count:
            count = now
            yield own | {"ts": moment / 1000, "args": {what: count}}
