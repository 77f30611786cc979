"""The whole offloading program of a large instance, by its servers' programs and the cloud's price (ours).

The offloading program of given models has one row that servers share: the cloud's computing. At the price at which it
is used up, what the servers answer just below the price and just above it are both optimal, and so is any mixture; the
one that uses up the cloud is the program's solution. Time grows in proportion to the servers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitshare.onloading.arrays import Arrays
from splitshare.onloading.decomposed.coupling import coupling
from splitshare.onloading.decomposed.gains import gains_of
from splitshare.onloading.decomposed.work import answers_of, crossing_of, work_of, worth_all
from splitshare.onloading.objective import CLIENT, CLOUD, EDGE, USED, Hosts, Offloading

LARGE = 10_000
"""Rows from which on the whole program is solved by its servers': one program takes minutes there."""


@dataclass(frozen=True)
class Offloaded:
    """An optimal offloading."""

    offloading: Offloading
    right_per_s: float
    """Right answers a second: the program's value."""


def by_servers(arrays: Arrays) -> bool:
    """Whether the instance is large, and no server's program is too large for its dense inverse.

    Never where something couples the servers beyond the cloud's computing.
    """
    if len(arrays.rate) < LARGE or coupling(arrays) is not None:
        return False
    work = work_of(gains_of(arrays))
    return bool((np.diff(work.square) > 0).all())


def offload(arrays: Arrays, hosts: Hosts) -> Offloaded | None:
    """Solve the offloading program for ``hosts``; ``None`` where their batches cannot fill in time."""
    gains = gains_of(arrays)
    work = work_of(gains)
    held = np.concatenate([np.where(hosts.client, 0, -1), hosts.server])
    count = len(work.servers)
    leader = np.zeros(count, dtype=np.int64)
    worth_all(gains, work, 0, count, 0.0, held[None], leader)
    if work.value.min() == -np.inf:
        return None
    start = 0.02 * arrays.demand / max(arrays.cloud_limit, 1e-9)
    found = crossing_of(gains, work, held[None], leader, arrays.cloud_limit, start, True)
    sides = [(found.high, 1.0)]
    if found.low_use > found.high_use:
        part = min(1.0, max(0.0, (arrays.cloud_limit - found.high_use) / (found.low_use - found.high_use)))
        sides = [(found.high, 1.0 - part), (found.low, part)]
    fractions: dict[int, float] = {}
    kinds, models = len(gains.least) + 2, len(gains.memory)
    for price, part in sides:
        for s in range(count):
            code, fraction = answers_of(gains, work, s, price, held)
            first = int(gains.server_rows[work.servers[s], 0]) * models * kinds
            for number, share in zip(code.tolist(), fraction.tolist(), strict=True):
                if number >= 0:
                    fractions[first + number] = fractions.get(first + number, 0.0) + part * share
    number = np.array(list(fractions), dtype=np.int64)
    fraction = np.array(list(fractions.values()))
    used = fraction > USED
    number, fraction = number[used], fraction[used]
    kind, model, row = number % kinds, number // kinds % models, number // (kinds * models)
    place = np.where(kind == 0, CLIENT, np.where(kind == kinds - 1, CLOUD, EDGE))
    server = np.where(place == EDGE, arrays.row_server[row], -1)
    offloading = Offloading(row, model, place, server, fraction)
    return Offloaded(offloading, float((arrays.rate[row] * arrays.accuracy[row, model] * fraction).sum()))
