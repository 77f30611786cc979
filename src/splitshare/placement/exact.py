"""The placement problem as an exact mixed-integer linear program (formulation ours).

Columns, with ``k`` a request class, ``m`` a module, ``n`` and ``h`` devices, ``e`` an encoder of ``k``:

- ``x[m,n]`` binary: module m stands on device n.
- ``z[k,n,S]`` binary: of k's encoders, exactly the set S runs on n. The finish times of S on n do not depend on
  anything else, so first come, first served on a shared device is exact; with at most three encoders there are
  at most seven sets. (Sequential routing needs only sets of one.)
- ``y[k,h]`` binary: k's head runs on h.
- ``w[k,e,n,h]`` continuous: encoder e runs on n and the head on h; a transportation polytope between z and y, which
  makes the product exact at binary points and the relaxation tight.
- ``T[k]`` continuous: latency of k, at least that over each of its encoders; ``t``, for the min-max objective, at
  least every ``T[k]``.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from splitshare.placement.instance import Assignment, PlacementInstance, Request
from splitshare.placement.objective import in_order_of_arrival
from splitshare.solvers.program import Floats, Ints, Milp


@dataclass
class ExactModel:
    """The program of one instance and the columns of ``x``, which hold the answer."""

    instance: PlacementInstance
    milp: Milp = field(default_factory=Milp)
    x: dict[tuple[str, str], int] = field(default_factory=dict)

    def assignment(self, values: Floats | None) -> Assignment | None:
        """The placement in a solution's values; ``None`` where there is none."""
        if values is None:
            return None
        chosen = [key for key, column in self.x.items() if values[column] > 0.5]
        return {m.name: tuple(n for module, n in chosen if module == m.name) for m in self.instance.modules}


def build(instance: PlacementInstance) -> ExactModel:
    """Write the program of ``instance``; its objective equals the evaluator's at every placement."""
    model = ExactModel(instance)
    _place_modules(model)
    total_rate = math.fsum(r.rate_per_s for r in instance.requests)
    slowest = model.milp.add_column(cost=1.0) if instance.objective == "max" else None
    for request in instance.requests:
        weight = request.rate_per_s / total_rate if slowest is None else 0.0
        latency = model.milp.add_column(cost=weight)
        if slowest is not None:
            model.milp.add_row({slowest: 1.0, latency: -1.0}, ">=", 0.0)
        if instance.routing == "sequential":
            _sequential_request(model, request, latency)
        else:
            _parallel_request(model, request, latency)
    return model


def _place_modules(model: ExactModel) -> None:
    instance, milp = model.instance, model.milp
    for module in instance.modules:
        for device in instance.devices:
            if module.bytes_on(device.name) <= device.memory_bytes:
                model.x[module.name, device.name] = milp.add_column(upper=1.0, integer=True)
        # Every module stands somewhere, and on one device only unless the instance allows replication.
        terms = {model.x[module.name, d.name]: 1.0 for d in instance.devices if (module.name, d.name) in model.x}
        milp.add_row(terms, ">=" if instance.replication else "=", 1.0)
    for device in instance.devices:
        # The modules on a device fit its memory, in units of that memory to keep coefficients near one.
        terms = {
            model.x[m.name, device.name]: m.bytes_on(device.name) / device.memory_bytes
            for m in instance.modules
            if (m.name, device.name) in model.x and m.bytes_on(device.name) > 0
        }
        if terms:
            milp.add_row(terms, "<=", 1.0)


def _link_to_placement(model: ExactModel, module: str, device: str, terms: dict[int, float]) -> None:
    """A request uses a module on a device only where it stands; without replication, exactly where it stands."""
    x = model.x.get((module, device))
    if x is None:
        for column in terms:
            model.milp.upper[column] = 0.0
    else:
        model.milp.add_row(terms | {x: -1.0}, "<=" if model.instance.replication else "=", 0.0)


def _head_columns(model: ExactModel, request: Request) -> tuple[dict[str, int], dict[int, float]]:
    """``y[k,h]`` by device, and the seconds (head compute and result's way back) that each costs."""
    instance, milp = model.instance, model.milp
    y: dict[str, int] = {}
    seconds: dict[int, float] = {}
    compute_s = instance.head_compute_s(request)
    for device in instance.devices:
        compute = compute_s.get(device.name)
        back = instance.comm_s(device.name, request.source, request.result_bytes)
        if compute is not None and math.isfinite(back):
            column = y[device.name] = milp.add_column(upper=1.0, integer=True)
            seconds[column] = compute + back
    milp.add_row(dict.fromkeys(y.values(), 1.0), "=", 1.0)  # the head runs on one device
    for device in instance.devices:
        column_terms = {y[device.name]: 1.0} if device.name in y else {}
        _link_to_placement(model, request.head, device.name, column_terms)
    return y, seconds


def _transfer_columns(
    model: ExactModel, request: Request, position: int, on_device: dict[str, list[int]], y: dict[str, int]
) -> tuple[Ints, Floats]:
    """``w[k,e,n,h]``, tied to the encoder's and the head's devices; returns columns and the seconds that each costs."""
    instance, milp = model.instance, model.milp
    size_bytes = instance.encoder_output_bytes(request, position)
    transfer_s = instance.comm_between_s(list(on_device), list(y), size_bytes)
    n, h = (axis.astype(np.int32) for axis in np.nonzero(np.isfinite(transfer_s)))
    w = milp.add_columns(len(n), upper=1.0)
    # Exactly one head device for an encoder that runs on n, none otherwise.
    runs = [(row, column) for row, columns in enumerate(on_device.values()) for column in columns]
    _flow(milp, n, w, *np.array(runs, dtype=np.int32).reshape(-1, 2).T, count=len(on_device))
    _flow(milp, h, w, np.arange(len(y), dtype=np.int32), np.array(list(y.values()), dtype=np.int32), count=len(y))
    return w, transfer_s[n, h]


def _flow(milp: Milp, row: Ints, index: Ints, from_row: Ints, from_index: Ints, *, count: int) -> None:
    """Rows in which what is ``index`` adds up to what is ``from_index``."""
    coefficient = np.concatenate([np.ones(len(row)), np.full(len(from_row), -1.0)])
    rows, columns = np.concatenate([row, from_row]), np.concatenate([index, from_index])
    milp.add_rows(rows, columns, coefficient, "=", 0.0, count=count)


def _at_least(
    milp: Milp,
    terms: dict[int, float],
    before: dict[int, float],
    transfers: tuple[Ints, Floats],
    after: dict[int, float],
) -> None:
    """A row by which ``terms`` are at least the seconds of what is chosen, column by column."""
    columns, seconds = transfers
    index = np.concatenate([[*terms, *before], columns, list(after)]).astype(np.int32)
    first = [*terms.values(), *(-s for s in before.values())]
    coefficient = np.concatenate([first, -seconds, [-s for s in after.values()]])
    milp.add_rows(np.zeros(len(index), dtype=np.int32), index, coefficient, ">=", 0.0, count=1)


def _parallel_request(model: ExactModel, request: Request, latency: int) -> None:
    instance, milp = model.instance, model.milp
    positions = range(len(request.encoders))
    subsets = [s for size in range(1, len(positions) + 1) for s in itertools.combinations(positions, size)]
    on_device: dict[int, dict[str, list[int]]] = {p: {} for p in positions}
    finish: dict[int, dict[int, float]] = {p: {} for p in positions}
    compute_s = [instance.encoder_compute_s(request, p) for p in positions]
    for device in instance.devices:
        columns: list[int] = []
        ready_s = [instance.comm_s(request.source, device.name, use.input_bytes) for use in request.encoders]
        here_s = [seconds.get(device.name) for seconds in compute_s]
        able = [here_s[p] is not None and math.isfinite(ready_s[p]) for p in positions]
        for subset in subsets:
            if not all(able[p] for p in subset):
                continue
            finish_s = in_order_of_arrival({p: ready_s[p] for p in subset}, {p: here_s[p] for p in subset})
            column = milp.add_column(upper=1.0, integer=True)
            columns.append(column)
            for p in subset:
                on_device[p].setdefault(device.name, []).append(column)
                finish[p][column] = finish_s[p]
        if columns:
            milp.add_row(dict.fromkeys(columns, 1.0), "<=", 1.0)  # one set of encoders a device
    y, head_seconds = _head_columns(model, request)
    for p in positions:
        _encoder_runs_once(model, request, p, on_device[p])
        transfers = _transfer_columns(model, request, p, on_device[p], y)
        # The latency is at least finish, transfer to the head, head and way back, over each encoder.
        _at_least(milp, {latency: 1.0}, finish[p], transfers, head_seconds)


def _encoder_runs_once(model: ExactModel, request: Request, position: int, on_device: dict[str, list[int]]) -> None:
    model.milp.add_row({c: 1.0 for columns in on_device.values() for c in columns}, "=", 1.0)
    for device in model.instance.devices:
        terms = dict.fromkeys(on_device.get(device.name, []), 1.0)
        _link_to_placement(model, request.encoders[position].module, device.name, terms)


def _sequential_request(model: ExactModel, request: Request, latency: int) -> None:
    instance, milp = model.instance, model.milp
    y, head_seconds = _head_columns(model, request)
    previous: int | None = None
    for p, use in enumerate(request.encoders):
        compute_s = instance.encoder_compute_s(request, p)
        on_device: dict[str, list[int]] = {}
        compute: dict[int, float] = {}
        arrival: dict[int, float] = {}
        for device in instance.devices:
            seconds = compute_s.get(device.name)
            travel = instance.comm_s(request.source, device.name, use.input_bytes)
            if seconds is not None and math.isfinite(travel):
                column = milp.add_column(upper=1.0, integer=True)
                on_device[device.name] = [column]
                compute[column], arrival[column] = seconds, travel
        _encoder_runs_once(model, request, p, on_device)
        finish = milp.add_column()
        # An encoder starts when its input has arrived and the encoder before it has finished.
        arrived = {column: -(arrival[column] + compute[column]) for column in compute}
        milp.add_row({finish: 1.0} | arrived, ">=", 0.0)
        if previous is not None:
            milp.add_row({finish: 1.0, previous: -1.0} | {c: -s for c, s in compute.items()}, ">=", 0.0)
        previous = finish
        transfers = _transfer_columns(model, request, p, on_device, y)
        _at_least(milp, {latency: 1.0, finish: -1.0}, {}, transfers, head_seconds)
