"""What the page shows: a row a result, and for results with a placement where modules stand and what requests do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.figures.palette import METHODS, method_key, method_title
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.objective import Evaluation, evaluate
from splitshare.placement.pairs import read_base_pair
from splitshare.placement.variants import apply_variant
from splitshare.progress import track
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from splitshare.results.baselines import read_baselines
from splitshare.results.onloading import RECORD, read_record, references, results_table, title_of
from splitshare.results.table import Solved, placements_table
from splitshare.results.timeline import LINK, timeline_table

RUN = "this run"
"""The family of what the run placed itself."""
COLUMNS = (
    *("family", "workload", "testbed", "method", "status"),
    *("latency_s", "accuracy_percent", "gap_percent", "key"),
)
APART_S = 1e6
"""Between two requests that are to find the devices idle."""


@dataclass
class Explored:
    """All that the page holds."""

    results: pd.DataFrame
    """A row a result, with ``COLUMNS``; ``key`` is empty where no placement is kept."""
    testbeds: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Devices (name, place on the page, words) and links (ends, words) by instance."""
    placements: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Modules of each device, by key."""
    timelines: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """Stages of one idle request of each class, by key: lane, start, end, stage, words."""


def collect(results: Path, catalog: Catalog) -> Explored:
    """Read a run's instances and placements, and what is recorded of other methods.

    Args:
        results: directory of a scope of a run.
        catalog: the catalogue; its data folder has the record.

    Raises:
        InputError: a file is wrong.
    """
    solved = list(_solved(results))
    table = placements_table(solved) if solved else pd.DataFrame()
    rows: list[tuple[object, ...]] = []
    explored = Explored(pd.DataFrame(columns=list(COLUMNS)))
    for entry, row in zip(track(solved, "following requests"), table.to_dict("records"), strict=True):
        instance, placement = entry.instance, entry.placement
        key = f"{instance.name} {entry.method}" if placement.assignment else ""
        told = row["status"], _number(row["objective_s"]), None, _number(100 * row["gap"])
        rows.append((RUN, row["workload"], row["testbed"], method_title(entry.method), *told, key))
        explored.testbeds.setdefault(instance.name, _drawn(instance))
        if placement.assignment:
            changed = apply_variant(instance, placement.variant)
            explored.placements[key] = _held(changed, placement.assignment)
            explored.timelines[key] = _stages(changed, evaluate(changed, placement.assignment))
    rows += _recorded_placements(catalog.root / "baselines" / "placements.parquet")
    rows += _recorded_onloading(catalog.root / "baselines" / RECORD)
    explored.results = pd.DataFrame(rows, columns=list(COLUMNS))
    return explored


def _solved(results: Path) -> Iterator[Solved]:
    """Everything that lies there, in the order of figures."""
    known = list(METHODS)
    folders = [path for path in (results / "placements").iterdir() if path.is_dir()]
    for path in sorted((results / "instances").glob("*.json")):
        for folder in sorted(folders, key=lambda f: (_place(method_key(f.name), known), f.name)):
            placed = folder / path.name
            if placed.is_file():
                yield Solved(folder.name, *read_base_pair(path, placed))


def _place(method: str, known: list[str]) -> int:
    return known.index(method) if method in known else len(known)


def _drawn(instance: PlacementInstance) -> dict[str, Any]:
    """Devices on a circle and the links between them."""
    count = len(instance.devices)
    angles = [math.pi / 2 - 2 * math.pi * i / count for i in range(count)]
    at = {d.name: (round(math.cos(a), 4), round(math.sin(a), 4)) for d, a in zip(instance.devices, angles, strict=True)}
    sources = {request.source for request in instance.requests}
    return {
        "device": [("★ " if d.name in sources else "") + d.name for d in instance.devices],
        "name": [d.name for d in instance.devices],
        "x": [at[d.name][0] for d in instance.devices],
        "y": [at[d.name][1] for d in instance.devices],
        "memory": [f"{d.memory_bytes / 2**30:.3g} GiB for models" for d in instance.devices],
        "x0": [at[link.a][0] for link in instance.links],
        "y0": [at[link.a][1] for link in instance.links],
        "x1": [at[link.b][0] for link in instance.links],
        "y1": [at[link.b][1] for link in instance.links],
        "link": [
            f"{link.a} – {link.b}: {link.bandwidth_bytes_per_s * 8e-6:.3g} Mbit/s, {link.latency_s * 1e3:.3g} ms"
            for link in instance.links
        ],
    }


def _held(instance: PlacementInstance, assignment: Assignment) -> dict[str, list[str]]:
    """Names of the modules on each device, without what stands behind the at sign."""
    held: dict[str, list[str]] = {device.name: [] for device in instance.devices}
    for module, devices in assignment.items():
        for device in devices:
            copy = module.partition("+")[2]
            held[device].append(module.partition("@")[0] + (f" ({copy})" if copy else ""))
    return held


def _stages(instance: PlacementInstance, worth: Evaluation) -> dict[str, list[Any]]:
    """Stages of an idle request of each class, from the simulator, one class after another.

    Transfers over one link do not wait for each other, as in the evaluator: the last stage ends when it says.
    """
    count = len(instance.requests)
    trace = RequestTrace(
        request_id=np.arange(count, dtype=np.int64),
        arrival_s=np.arange(count, dtype=np.float64) * APART_S,
        classes=tuple(request.name for request in instance.requests),
        request_class=np.arange(count, dtype=np.int64),
        size=np.ones(count),
    )
    table = timeline_table(simulate(instance, worth.routes, trace, link_model="independent").stages)
    stages = table["stage"].astype(str)
    return {
        "lane": [f"{row.request}: {str(row.lane).replace(LINK, ' → ')}" for row in table.itertuples()],
        "start": [round(float(value), 6) for value in table["start_s"]],
        "end": [round(float(value), 6) for value in table["finish_s"]],
        "stage": ["encode" if s == "encode" else "head" if s == "head" else "transfer" for s in stages],
        "what": [str(module).partition("@")[0] if module is not None else "" for module in table["module"]],
    }


def _recorded_placements(path: Path) -> list[tuple[object, ...]]:
    """What other methods are recorded to reach, the median over seeds; their placements are not kept."""
    if not path.is_file():
        return []
    keys = ["family", "workload", "testbed", "method"]
    table = read_baselines(path).groupby(keys, sort=False, as_index=False)
    found = table.agg(status=("status", "first"), seconds=("objective_s", "median"), gap=("gap", "median"))
    return [
        (
            f"recorded: {family}",
            workload,
            testbed,
            method_title(method),
            status,
            _number(seconds),
            None,
            _number(100 * gap),
            "",
        )
        for family, workload, testbed, method, status, seconds, gap in found.itertuples(index=False)
    ]


def _recorded_onloading(path: Path) -> list[tuple[object, ...]]:
    """What methods of the onloading problem are recorded to reach, the mean over seeds."""
    if not path.is_file():
        return []
    record = read_record(path)
    results = results_table(record, references(record), list(dict.fromkeys(record["instance"])))
    rows: list[tuple[object, ...]] = []
    for row in results.to_dict("records"):
        told = method_title(str(row["method"]))
        accuracy, gap = _number(100 * row["objective"]), _number(100 * (1 - row["ratio"]))
        rows.append(
            ("recorded: onloading", title_of(row["instance"]), "", told, row["status"], None, accuracy, gap, "")
        )
    return rows


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else round(float(value), 6)
