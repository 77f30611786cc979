"""The onloading problem as a mixed-integer linear program, exactly as the evaluator states it (formulation ours).

A binary for each model that a client could hold, and for each model, server and batch size; a column for each answer
(a row, a model, a place and, at the edge, a batch size) that is at most its binary. A batch size that a query cannot
join within its limit has no column, so choosing batch sizes is linear as it stands. Where models share backbones there
is a binary for each backbone and place too, and every model that uses it is at most that. Rows of every shared limit,
of memory, of one batch size a model and server, of one variant a group and place, of queries that fill the batches, and
of the side constraints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from splitshare.onloading.arrays import Arrays, Floats, Ints
from splitshare.onloading.columns import Columns, columns_of, limits_of
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE, USED, Hosts, Offloading
from splitshare.solvers.program import Milp

Key = TypeVar("Key")
Location = tuple[Literal["client", "server"], int]
RELATIVE_GAP = 1e-4
"""A bound this close counts as the proof of an optimum: both solvers' own default."""


@dataclass(frozen=True)
class ExactModel:
    """The program and what its columns mean; it minimises, so its objective is the accuracy's negative."""

    arrays: Arrays
    milp: Milp
    answers: Columns
    """Answers by column: the first columns, in order."""
    client_column: dict[tuple[int, int], int]
    """Column by client and model."""
    server_column: dict[tuple[int, int, int], int]
    """Column by server, model and position of the batch size."""

    def hosts(self, values: Floats) -> Hosts:
        """The onloaded models of a solution; a binary counts from one half on."""
        arrays = self.arrays
        hosts = Hosts(np.zeros(arrays.client_s.shape, dtype=bool), np.full(arrays.edge_s.shape[:2], -1, dtype=np.int64))
        for (c, j), column in self.client_column.items():
            hosts.client[c, j] = values[column] > 0.5
        for (s, j, b), column in self.server_column.items():
            if values[column] > 0.5:
                hosts.server[s, j] = b
        return hosts

    def offloading(self, values: Floats) -> Offloading:
        """The fractions of a solution."""
        fraction = values[: len(self.answers.row)]
        used = fraction > USED
        answers = self.answers.only(used)
        return Offloading(answers.row, answers.model, answers.place, answers.server, fraction[used])


def build(arrays: Arrays, *, integer: bool = True) -> ExactModel:
    """Write the program down.

    Args:
        arrays: the instance.
        integer: whether models stand whole; if not, this is the linear relaxation.
    """
    answers = columns_of(arrays)
    alone = arrays.alone[answers.model]
    fits = np.where(
        answers.place == CLIENT,
        alone <= arrays.client_memory[arrays.row_client[answers.row]],
        (answers.place == CLOUD) | (alone <= arrays.server_memory[answers.server]),
    )
    answers = answers.only(fits)
    milp = Milp()
    for gain in answers.gain / arrays.demand:
        milp.add_column(cost=-float(gain))
    client_column: dict[tuple[int, int], int] = {}
    server_column: dict[tuple[int, int, int], int] = {}
    filling: dict[int, dict[int, float]] = {}
    for column in range(len(answers.row)):
        row, j, place = (int(values[column]) for values in (answers.row, answers.model, answers.place))
        if place == CLIENT:
            held = _column(milp, client_column, (int(arrays.row_client[row]), j), integer)
        elif place == EDGE:
            batch = int(answers.batch[column])
            held = _column(milp, server_column, (int(answers.server[column]), j, batch), integer)
            if arrays.least_rate[batch] > 0:
                filling.setdefault(held, {held: -float(arrays.least_rate[batch])})[column] = float(arrays.rate[row])
        else:
            continue
        milp.add_row({column: 1.0, held: -1.0}, "<=", 0.0)
    for terms in filling.values():
        milp.add_row(terms, ">=", 0.0)
    _add_limits(milp, arrays, answers)
    _add_memory(milp, arrays, client_column, server_column, integer)
    _add_variants(milp, arrays, client_column, server_column)
    return ExactModel(arrays, milp, answers, client_column, server_column)


def _column(milp: Milp, columns: dict[Key, int], key: Key, integer: bool) -> int:
    if key not in columns:
        columns[key] = milp.add_column(upper=1.0, integer=integer)
    return columns[key]


def _add_limits(milp: Milp, arrays: Arrays, answers: Columns) -> None:
    """The shared limits, each divided by itself so that rows are of one scale."""
    limits = limits_of(arrays)
    bound, scale = limits.bound, limits.scale
    terms: list[dict[int, float]] = [{} for _ in bound]
    column, slot = np.nonzero(answers.use)
    limit = answers.limit[column, slot]
    for k, i, use in zip(limit.tolist(), column.tolist(), answers.use[column, slot].tolist(), strict=True):
        terms[k][i] = use / scale[k]
    for row, limit_value in zip(terms, bound / scale, strict=True):
        if row or limit_value < 0:  # a least share that no answer could bring is a row of no terms that does not hold
            milp.add_row(row, "<=", float(limit_value))


def _by_place(
    group: Ints, client_column: dict[tuple[int, int], int], server_column: dict[tuple[int, int, int], int]
) -> dict[tuple[Location, int], dict[int, list[int]]]:
    """Columns of what could stand at each place, by place and group, then by model.

    Args:
        group: of each model, below 0 where it is of none, shape (J,); such models are left out.
        client_column: see ``ExactModel``.
        server_column: see there.
    """
    columns: dict[tuple[Location, int], dict[int, list[int]]] = {}
    for (c, j), column in client_column.items():
        columns.setdefault((("client", c), int(group[j])), {}).setdefault(j, []).append(column)
    for (s, j, _), column in server_column.items():
        columns.setdefault((("server", s), int(group[j])), {}).setdefault(j, []).append(column)
    return {(place, number): of_models for (place, number), of_models in columns.items() if number >= 0}


def _add_memory(
    milp: Milp,
    arrays: Arrays,
    client_column: dict[tuple[int, int], int],
    server_column: dict[tuple[int, int, int], int],
    integer: bool,
) -> None:
    memory: dict[Location, dict[int, float]] = {}
    sizes: dict[tuple[int, int], dict[int, float]] = {}
    for (c, j), column in client_column.items():
        memory.setdefault(("client", c), {})[column] = float(arrays.memory[j] / arrays.client_memory[c])
    for (s, j, _), column in server_column.items():
        memory.setdefault(("server", s), {})[column] = float(arrays.memory[j] / arrays.server_memory[s])
        sizes.setdefault((s, j), {})[column] = 1.0
    users = _by_place(arrays.backbone, client_column, server_column)
    for (location, backbone), columns in users.items():
        capacity = arrays.client_memory if location[0] == "client" else arrays.server_memory
        loaded = milp.add_column(upper=1.0, integer=integer)
        memory[location][loaded] = float(arrays.backbone_memory[backbone] / capacity[location[1]])
        for of_model in columns.values():
            milp.add_row(dict.fromkeys(of_model, 1.0) | {loaded: -1.0}, "<=", 0.0)
    for terms in memory.values():
        milp.add_row(terms, "<=", 1.0)
    for terms in sizes.values():
        if len(terms) > 1:
            milp.add_row(terms, "<=", 1.0)


def _add_variants(
    milp: Milp,
    arrays: Arrays,
    client_column: dict[tuple[int, int], int],
    server_column: dict[tuple[int, int, int], int],
) -> None:
    """At most one variant of a group at each place, a row for each where there are two that could stand there."""
    for of_models in _by_place(arrays.variant, client_column, server_column).values():
        if len(of_models) > 1:
            milp.add_row({column: 1.0 for of_model in of_models.values() for column in of_model}, "<=", 1.0)
