"""Every answer that an instance allows, as columns over its shared limits: what the linear and the exact program share.

Limits are numbered: one a row (the fractions of a client's task sum to at most 1), then computing of each client,
uplink of each client, computing of each server, backhaul of each server, and computing of the cloud.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE

WIDTH = 4
"""Most limits that one answer uses: its row, an uplink, a backhaul and the cloud."""


@dataclass(frozen=True)
class Limits:
    """Where each kind of limit starts, and the limits themselves; C clients and S servers as in the instance."""

    rows: int
    clients: int
    servers: int
    bound: Floats
    """Shape (limits,)."""

    @property
    def client(self) -> int:
        """First limit on a client's computing."""
        return self.rows

    @property
    def uplink(self) -> int:
        """First uplink."""
        return self.rows + self.clients

    @property
    def server(self) -> int:
        """First limit on a server's computing."""
        return self.rows + 2 * self.clients

    @property
    def backhaul(self) -> int:
        """First backhaul."""
        return self.server + self.servers

    @property
    def cloud(self) -> int:
        """The cloud's computing: the last limit."""
        return self.server + 2 * self.servers


@dataclass(frozen=True)
class Columns:
    """Answers; every array has the shape (answers,), but for the last two of (answers, WIDTH)."""

    row: Ints
    model: Ints
    place: Ints
    batch: Ints
    """Position of the batch size of an answer at the edge, 0 elsewhere."""
    gain: Floats
    """Right answers a second at a fraction of 1."""
    limit: Ints
    """Limits that the answer uses; the last limit's number plus 1 fills what is free."""
    use: Floats
    """How much of each at a fraction of 1; 0 fills what is free."""

    def only(self, chosen: Flags | Ints) -> Columns:
        """Some of the answers."""
        return Columns(
            self.row[chosen],
            self.model[chosen],
            self.place[chosen],
            self.batch[chosen],
            self.gain[chosen],
            self.limit[chosen],
            self.use[chosen],
        )


def limits_of(arrays: Arrays) -> Limits:
    """The limits of an instance."""
    bound = np.concatenate(
        [
            np.ones(len(arrays.rate)),
            arrays.client_limit,
            arrays.uplink,
            arrays.server_limit,
            arrays.backhaul,
            [arrays.cloud_limit],
        ]
    )
    return Limits(len(arrays.rate), len(arrays.client_limit), len(arrays.server_limit), bound)


def columns_of(arrays: Arrays) -> Columns:
    """All answers, but for those in the cloud that another model there gives at least as well for no more computing."""
    limits = limits_of(arrays)
    free = len(limits.bound)
    kinds = (
        (CLIENT, arrays.client_allowed[:, :, None]),
        (EDGE, arrays.edge_allowed),
        (CLOUD, (arrays.cloud_allowed & cloud_useful(arrays))[:, :, None]),
    )
    parts = []
    for place, allowed in kinds:
        row, model, batch = np.nonzero(allowed)
        client, server, rate = arrays.row_client[row], arrays.row_server[row], arrays.rate[row]
        sent = rate * arrays.size[row]
        unused, nothing = np.full(len(row), free), np.zeros(len(row))
        if place == CLIENT:
            limit = (row, limits.client + client, unused, unused)
            use = (np.ones(len(row)), rate * arrays.client_s[client, model], nothing, nothing)
        elif place == EDGE:
            limit = (row, limits.uplink + client, limits.server + server, unused)
            use = (np.ones(len(row)), sent, rate * arrays.edge_s[server, model, batch], nothing)
        else:
            limit = (row, limits.uplink + client, limits.backhaul + server, np.full(len(row), limits.cloud))
            use = (np.ones(len(row)), sent, sent, rate * arrays.cloud_s[model])
        parts.append(
            (
                row,
                model,
                np.full(len(row), place),
                batch,
                rate * arrays.accuracy[row, model],
                np.stack(limit, axis=1),
                np.stack(use, axis=1),
            )
        )
    return Columns(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def cloud_useful(arrays: Arrays) -> Flags:
    """Whether a model may be of use in the cloud for a row's task, shape (R, J).

    Not where another serves the task at least as accurately in no more time: the cloud holds both.
    """
    accuracy, seconds = arrays.accuracy, arrays.cloud_s
    count = len(seconds)
    earlier = np.arange(count)[:, None] < np.arange(count)
    useful = np.ones(accuracy.shape, dtype=bool)
    for task in np.unique(arrays.row_task):
        rows = np.flatnonzero(arrays.row_task == task)
        share = accuracy[rows[0]]
        serves = arrays.serves[rows[0]] & np.isfinite(seconds)
        equal = (share[:, None] == share) & (seconds[:, None] == seconds)
        no_worse = (share[:, None] >= share) & (seconds[:, None] <= seconds) & serves[:, None]
        useful[rows] = ~(no_worse & (~equal | earlier)).any(axis=0)
    return useful
