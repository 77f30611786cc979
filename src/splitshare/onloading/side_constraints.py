"""Limits that couple all answers of an instance: least accuracy and share served by task, and the mean energy (ours).

Each is one row over all answers, ``sum(use x fraction) <= bound``, where *use* belongs to a query's client and task,
its model, its place and its batch size; a least share is a row of negative uses and a negative bound. The evaluator,
the programs and the Lagrangian relaxation all read them here. An instance without such limits has no row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitshare.errors import InputError
from splitshare.onloading.arrays import Arrays, Floats, Ints, per_device
from splitshare.onloading.instance import PLACES, OnloadingInstance


@dataclass(frozen=True)
class Joules:
    """What a query takes, in joules; 0 where a device cannot run a model."""

    client: Floats
    """Computing on each client, shape (C, J)."""
    edge: Floats
    """Computing on each server, a query's share in a batch, shape (S, J, B)."""
    cloud: Floats
    """Shape (J,)."""
    sent: Floats
    """Sending a query of the row over its client's uplink, shape (R,)."""


@dataclass(frozen=True)
class SideConstraints:
    """The limits; K of them."""

    names: tuple[str, ...]
    """What each holds, for messages."""
    bound: Floats
    """Shape (K,); a least share is negative here."""
    accurate: Ints
    """Number of the limit on the accuracy of each row's task, -1 where there is none, shape (R,)."""
    served: Ints
    """The same for the share served, shape (R,)."""
    asked: Floats
    """Queries a second of each row's task, of all clients together, shape (R,)."""
    energy: int
    """Number of the limit on energy, -1 where there is none."""
    joules: Joules | None
    """``None`` where the instance tells no energy."""

    def __len__(self) -> int:
        """How many limits there are."""
        return len(self.names)

    def joules_of(self, arrays: Arrays, row: Ints, model: Ints, place: Ints, server: Ints, batch: Ints) -> Floats:
        """Joules a query of answers (rows, models, places, servers, -1 but at the edge, batch sizes), (answers,)."""
        assert self.joules is not None
        client = arrays.row_client[row]
        at_client, at_edge = (place == PLACES.index(name) for name in ("client", "edge"))
        edge = self.joules.edge[server, model, np.maximum(batch, 0)]
        computing = np.where(at_edge, edge, self.joules.cloud[model])
        joules: Floats = np.where(at_client, self.joules.client[client, model], computing + self.joules.sent[row])
        return joules

    def terms(
        self, arrays: Arrays, row: Ints, model: Ints, place: Ints, server: Ints, batch: Ints
    ) -> tuple[Ints, Floats]:
        """The limits that answers use, K where there is none, and how much of each at a fraction of 1.

        Both have the shape (answers, 3): on its task's accuracy, on its task's share served, and on the energy.
        """
        share = arrays.rate[row] / self.asked[row]
        limit = np.stack([self.accurate[row], self.served[row], np.full(len(row), self.energy)], axis=1)
        use = np.zeros(limit.shape)
        use[:, 0] = -share * arrays.accuracy[row, model]
        use[:, 1] = -share
        if self.energy >= 0:
            use[:, 2] = arrays.rate[row] / arrays.demand * self.joules_of(arrays, row, model, place, server, batch)
        free = limit < 0
        return np.where(free, len(self), limit), np.where(free, 0.0, use)

    def charges(self, arrays: Arrays, prices: Floats) -> tuple[Floats, Floats, Floats]:
        """What the limits take of a query's worth at ``prices``, of shape (K,).

        Returns:
            At its client (R, J), at each stop's server (P, J, B) and in the cloud (R, J); negative where an answer
            helps its task to its least share.
        """
        price = np.append(prices, 0.0)  # position -1: no limit
        charge = -(price[self.accurate] / self.asked)[:, None] * arrays.accuracy
        charge -= (price[self.served] / self.asked)[:, None]
        per_joule = price[self.energy] / arrays.demand
        client, edge, cloud = charge, arrays.at_stops(charge)[:, :, None], charge
        if self.energy >= 0 and self.joules is not None:
            client = charge + per_joule * self.joules.client[arrays.row_client]
            sent = charge + per_joule * self.joules.sent[:, None]
            edge = arrays.at_stops(sent)[:, :, None] + per_joule * self.joules.edge[arrays.stop_server]
            cloud = sent + per_joule * self.joules.cloud
        return client, edge, cloud


def side_constraints_of(arrays: Arrays) -> SideConstraints:
    """The limits of an instance; a least share of a task that nobody asks is no limit."""
    instance = arrays.instance
    names: list[str] = []
    bound: list[float] = []
    asked: Floats = np.bincount(arrays.row_task, arrays.rate, minlength=len(instance.tasks)).astype(float)
    kinds = (("accuracy", "least_accuracy"), ("share served", "least_served"))
    number = np.full((len(kinds), len(instance.tasks)), -1, dtype=np.int64)
    for k, (what, field) in enumerate(kinds):
        for t, task in enumerate(instance.tasks):
            least = getattr(task, field)
            if least and asked[t] > 0:
                number[k, t] = len(names)
                names.append(f"the {what} of {task.name!r}")
                bound.append(-least)
    energy = -1
    if instance.energy_limit_j is not None:
        energy = len(names)
        names.append("the mean energy of a query in joules")
        bound.append(instance.energy_limit_j)
    accurate, served = number[:, arrays.row_task]
    joules = _joules(arrays) if instance.tells_energy else None
    return SideConstraints(tuple(names), np.array(bound), accurate, served, asked[arrays.row_task], energy, joules)


def limiting_field(instance: OnloadingInstance) -> str | None:
    """The first field that makes such a limit, for what cannot keep any to refuse it; ``None``: there is none."""
    for i, task in enumerate(instance.tasks):
        for field in ("least_accuracy", "least_served"):
            if getattr(task, field):
                return f"tasks[{i}].{field}"
    return None if instance.energy_limit_j is None else "energy_limit_j"


def refuse_limits(instance: OnloadingInstance, kind: str) -> None:
    """Stop what cannot keep such limits, rather than drop them.

    Args:
        instance: the instance.
        kind: what cannot.

    Raises:
        InputError: the instance has one.
    """
    field = limiting_field(instance)
    if field is not None:
        raise InputError(instance.name, field, f"is a limit that {kind} cannot keep; take an instance without it")


def _joules(arrays: Arrays) -> Joules:
    instance = arrays.instance
    sizes = np.array([batch.size for batch in instance.batches])[: len(arrays.least_rate)]

    def of(devices: list[str]) -> tuple[Floats, Floats]:
        """Joules of a batch and of each query in it, shape (devices, J)."""
        return per_device(instance, devices, lambda compute: (compute.start_j, compute.per_query_j or 0.0), 0.0)

    start, each = of([client.device for client in instance.clients])
    edge_start, edge_each = of([server.device for server in instance.servers])
    cloud_start, cloud_each = of([instance.cloud.device])
    per_byte = np.array([client.uplink_j_per_byte for client in instance.clients])
    return Joules(
        client=start + each,
        edge=edge_start[:, :, None] / sizes + edge_each[:, :, None],
        cloud=(cloud_start + cloud_each)[0],
        sent=arrays.size * per_byte[arrays.row_client],
    )
