"""Every answer that an instance allows, as columns over its shared limits: what the linear and the exact program share.

Limits are numbered: one a row (the fractions of a client's task sum to at most 1), then computing of each client,
uplink of each client, computing of each server, backhaul of each server, computing of the cloud, and the side
constraints (``side_constraints``), whose bounds are negative where they ask for a least share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitshare.compilation import compiled
from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE
from splitshare.onloading.side_constraints import SideConstraints, side_constraints_of


@dataclass(frozen=True)
class Limits:
    """Where each kind of limit starts, and the limits themselves; C clients and S servers as in the instance."""

    rows: int
    clients: int
    servers: int
    bound: Floats
    """Shape (limits,)."""
    side: SideConstraints

    @property
    def scale(self) -> Floats:
        """What each limit is divided by so that programs have rows of one scale, shape (limits,)."""
        return np.where(self.bound > 0, self.bound, 1.0)

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
        """The cloud's computing."""
        return self.server + 2 * self.servers

    @property
    def first_side(self) -> int:
        """First side constraint: they are the last limits."""
        return self.cloud + 1


@dataclass(frozen=True)
class Columns:
    """Answers; arrays have the shape (answers,), but for the last two: (answers, 3 + D), with side constraints 3 more.

    3 + D is the most limits that one answer uses: its row, an uplink, the backhauls on its way and the computing of a
    server or of the cloud; its task's accuracy, its task's share served, and the energy come on top.
    """

    row: Ints
    model: Ints
    place: Ints
    server: Ints
    """The server of an answer at the edge, -1 elsewhere."""
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
            self.server[chosen],
            self.batch[chosen],
            self.gain[chosen],
            self.limit[chosen],
            self.use[chosen],
        )


def limits_of(arrays: Arrays) -> Limits:
    """The limits of an instance."""
    side = side_constraints_of(arrays)
    bound = np.concatenate(
        [
            np.ones(len(arrays.rate)),
            arrays.client_limit,
            arrays.uplink,
            arrays.server_limit,
            arrays.backhaul,
            [arrays.cloud_limit],
            side.bound,
        ]
    )
    return Limits(len(arrays.rate), len(arrays.client_limit), len(arrays.server_limit), bound, side)


def columns_of(arrays: Arrays) -> Columns:
    """All answers, but for those in the cloud that are of no use beside another there (``cloud_useful``)."""
    limits = limits_of(arrays)
    free = len(limits.bound)
    hops = arrays.way.shape[1]
    kinds = (
        (CLIENT, arrays.client_allowed[:, :, None]),
        (EDGE, arrays.edge_allowed),
        (CLOUD, (arrays.cloud_allowed & cloud_useful(arrays, limits.side))[:, :, None]),
    )
    parts = []
    for place, allowed in kinds:
        first, model, batch = np.nonzero(allowed)
        row = arrays.stop_row[first] if place == EDGE else first
        server = arrays.stop_server[first] if place == EDGE else np.full(len(row), -1)
        client, rate = arrays.row_client[row], arrays.rate[row]
        sent = rate * arrays.size[row]
        if place == CLIENT:
            unused, nothing = [np.full(len(row), free)] * (hops + 1), [np.zeros(len(row))] * (hops + 1)
            limit = [row, limits.client + client, *unused]
            use = [np.ones(len(row)), rate * arrays.client_s[client, model], *nothing]
        elif place == EDGE:
            passed = arrays.passed(row, arrays.stop_hops[first]).T
            limit = [row, limits.uplink + client, limits.server + server]
            limit += [np.where(link >= 0, limits.backhaul + link, free) for link in passed]
            use = [np.ones(len(row)), sent, rate * arrays.edge_s[server, model, batch]]
            use += [np.where(link >= 0, sent, 0.0) for link in passed]
        else:
            passed = arrays.passed(row, np.full(len(row), hops)).T
            limit = [row, limits.uplink + client]
            limit += [np.where(link >= 0, limits.backhaul + link, free) for link in passed]
            limit += [np.full(len(row), limits.cloud)]
            use = [np.ones(len(row)), sent, *(np.where(link >= 0, sent, 0.0) for link in passed)]
            use += [rate * arrays.cloud_s[model]]
        at, limits_used, uses = np.full(len(row), place), np.stack(limit, axis=1), np.stack(use, axis=1)
        if len(limits.side):
            side_limit, side_use = limits.side.terms(arrays, row, model, at, server, batch)
            limits_used = np.concatenate([limits_used, limits.first_side + side_limit], axis=1)
            uses = np.concatenate([uses, side_use], axis=1)
        parts.append((row, model, at, server, batch, rate * arrays.accuracy[row, model], limits_used, uses))
    return Columns(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def cloud_useful(arrays: Arrays, side: SideConstraints) -> Flags:
    """Whether a model may be of use in the cloud for a row's task, shape (R, J).

    Not where another serves the task at least as accurately in no more time (and, where energy is limited, for no more
    joules): the cloud holds both.
    """
    seconds = arrays.cloud_s
    joules = side.joules.cloud if side.energy >= 0 and side.joules is not None else np.zeros(len(seconds))
    return useful_in_cloud(arrays.accuracy, arrays.serves, arrays.row_task, seconds, joules)


@compiled
def useful_in_cloud(accuracy: Floats, serves: Flags, row_task: Ints, seconds: Floats, joules: Floats) -> Flags:
    """As ``cloud_useful``, of arrays (``Arrays`` tells their shapes) and joules of each model, shape (J,)."""
    rows, models = accuracy.shape
    useful = np.ones((rows, models), dtype=np.bool_)
    alike = np.full(row_task.max() + 1, -1)  # the first row of each task, which is as all others of it
    for r in range(rows):
        first = alike[row_task[r]]
        if first >= 0:
            useful[r] = useful[first]
            continue
        alike[row_task[r]] = r
        for k in range(models):
            if not serves[r, k] or not np.isfinite(seconds[k]):
                continue
            for j in range(models):
                if accuracy[r, k] < accuracy[r, j] or seconds[k] > seconds[j] or joules[k] > joules[j]:
                    continue
                equal = accuracy[r, k] == accuracy[r, j] and seconds[k] == seconds[j] and joules[k] == joules[j]
                if not equal or k < j:
                    useful[r, j] = False
    return useful
