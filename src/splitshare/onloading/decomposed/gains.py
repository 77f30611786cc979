"""What every answer gives and uses, dense over rows and models, for compiled loops over one server at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
from numba import njit

from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.columns import useful_in_cloud

_P = ParamSpec("_P")
_R = TypeVar("_R")
NEVER = -1e18
"""Right answers a second of an answer that is not allowed: less than any price could make of one that is."""


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """``numba.njit`` that lets other threads run meanwhile, with a type that a checker can follow; cached on disk."""
    wrapped: Callable[_P, _R] = njit(cache=True, nogil=True)(function)
    return wrapped


class Sizes(NamedTuple):
    """Bytes of J models, of which some share one of K backbones, and some are variants of one."""

    memory: Floats
    """Of each model, without its backbone, shape (J,)."""
    backbone: Ints
    """Position of its backbone, -1 where it shares none, shape (J,)."""
    backbone_memory: Floats
    """Shape (K,)."""
    variant: Ints
    """Position of the group that each model is a variant of, -1 where it is of none, shape (J,)."""
    variants: Ints
    """Models of each group, shape (groups,). (A truth value here would make compiled loops a third slower.)"""


class Gains(NamedTuple):
    """An instance for compiled loops: R rows, C clients, S servers, J models, B batch sizes.

    Models that do not fit a location are not allowed there.
    """

    rate: Floats
    """Queries a second, shape (R,)."""
    sent: Floats
    """Bytes a second, if all queries leave the client, shape (R,)."""
    client: Floats
    """Right answers a second at the client, ``NEVER`` where not allowed, shape (R, J)."""
    client_use: Floats
    """Seconds of the client's computing a second, 0 where not allowed, shape (R, J)."""
    client_models: Ints
    """Models that the client may answer the row with, the rest filled with -1; shape (R, at most J)."""
    edge: Floats
    """The same at the server by batch size, shape (R, B, J)."""
    edge_use: Floats
    cloud: Floats
    """The same in the cloud, shape (R, J)."""
    cloud_use: Floats
    memory: Floats
    """Bytes of each model, without its backbone, shape (J,)."""
    sizes: Sizes
    least: Floats
    """Queries a second that fill batches in time, shape (B,)."""
    client_memory: Floats
    server_memory: Floats
    client_limit: Floats
    uplink: Floats
    server_limit: Floats
    backhaul: Floats
    client_rows: Ints
    """First row of each client and one past its last, shape (C, 2)."""
    server_rows: Ints
    row_client: Ints
    """Shape (R,)."""
    slot: Ints
    """Number of the row's client among those of its server that ask, shape (R,)."""
    client_rate: Floats
    """Queries a second of each client, shape (C,)."""
    server_rate: Floats


def gains_of(arrays: Arrays) -> Gains:
    """Read ``arrays``, of an instance that nothing but the cloud's computing couples, into dense gains."""
    useful = useful_in_cloud(
        arrays.accuracy, arrays.serves, arrays.row_task, arrays.cloud_s, np.zeros(len(arrays.memory))
    )
    sizes = Sizes(
        arrays.memory,
        arrays.backbone,
        arrays.backbone_memory,
        arrays.variant,
        np.bincount(arrays.variant[arrays.variant >= 0]),
    )
    client, client_use, client_models = _at_clients(
        arrays.rate,
        arrays.accuracy,
        arrays.row_client,
        sizes,
        arrays.client_memory,
        arrays.client_allowed,
        arrays.client_s,
    )
    edge, edge_use = _at_servers(
        arrays.rate, arrays.accuracy, arrays.row_server, sizes, arrays.server_memory, arrays.edge_allowed, arrays.edge_s
    )
    cloud, cloud_use = _in_the_cloud(arrays.rate, arrays.accuracy, arrays.cloud_allowed, useful, arrays.cloud_s)
    slot, client_rate, server_rate = _asked(
        arrays.rate, arrays.row_client, arrays.row_server, len(arrays.client_limit), len(arrays.server_limit)
    )
    return Gains(
        rate=arrays.rate,
        sent=arrays.rate * arrays.size,
        client=client,
        client_use=client_use,
        client_models=client_models,
        edge=edge,
        edge_use=edge_use,
        cloud=cloud,
        cloud_use=cloud_use,
        memory=arrays.memory,
        sizes=sizes,
        least=arrays.least_rate,
        client_memory=arrays.client_memory,
        server_memory=arrays.server_memory,
        client_limit=arrays.client_limit,
        uplink=arrays.uplink,
        server_limit=arrays.server_limit,
        backhaul=arrays.backhaul,
        client_rows=arrays.client_rows,
        server_rows=arrays.server_rows,
        row_client=arrays.row_client,
        slot=slot,
        client_rate=client_rate,
        server_rate=server_rate,
    )


@kernel
def _alone(sizes: Sizes, model: int) -> float:
    """Bytes of a model where no other that shares its backbone stands."""
    backbone = sizes.backbone[model]
    return float(sizes.memory[model] + (sizes.backbone_memory[backbone] if backbone >= 0 else 0.0))


@kernel
def _at_clients(
    rate: Floats, accuracy: Floats, row_client: Ints, sizes: Sizes, memory: Floats, allowed: Flags, seconds: Floats
) -> tuple[Floats, Floats, Ints]:
    """Gains and uses at the client, and the models that it may answer each row with."""
    rows, models = accuracy.shape
    gain, use = np.full((rows, models), NEVER), np.zeros((rows, models))
    listed = np.full((rows, models), -1)
    most = 0
    for r in range(rows):
        c, n = row_client[r], 0
        for j in range(models):
            if allowed[r, j] and _alone(sizes, j) <= memory[c]:
                gain[r, j], use[r, j] = rate[r] * accuracy[r, j], rate[r] * seconds[c, j]
                listed[r, n] = j
                n += 1
        most = max(most, n)
    return gain, use, listed[:, :most].copy()


@kernel
def _at_servers(
    rate: Floats, accuracy: Floats, row_server: Ints, sizes: Sizes, memory: Floats, allowed: Flags, seconds: Floats
) -> tuple[Floats, Floats]:
    """Gains and uses at the server by batch size."""
    rows, models, batches = allowed.shape
    gain, use = np.full((rows, batches, models), NEVER), np.zeros((rows, batches, models))
    for r in range(rows):
        s = row_server[r]
        for j in range(models):
            if _alone(sizes, j) <= memory[s]:
                for b in range(batches):
                    if allowed[r, j, b]:
                        gain[r, b, j], use[r, b, j] = rate[r] * accuracy[r, j], rate[r] * seconds[s, j, b]
    return gain, use


@kernel
def _in_the_cloud(
    rate: Floats, accuracy: Floats, allowed: Flags, useful: Flags, seconds: Floats
) -> tuple[Floats, Floats]:
    """Gains and uses in the cloud."""
    rows, models = accuracy.shape
    gain, use = np.full((rows, models), NEVER), np.zeros((rows, models))
    for r in range(rows):
        for j in range(models):
            if allowed[r, j] and useful[r, j]:
                gain[r, j], use[r, j] = rate[r] * accuracy[r, j], rate[r] * seconds[j]
    return gain, use


@kernel
def _asked(rate: Floats, client: Ints, server: Ints, clients: int, servers: int) -> tuple[Ints, Floats, Floats]:
    """Each row's client among those of its server that ask, in the order of rows; and what locations' rows ask."""
    slot = np.zeros(len(rate), dtype=np.int64)
    client_rate, server_rate = np.zeros(clients), np.zeros(servers)
    for r in range(len(rate)):
        if r > 0 and server[r] == server[r - 1]:
            slot[r] = slot[r - 1] + (1 if client[r] != client[r - 1] else 0)
        client_rate[client[r]] += rate[r]
        server_rate[server[r]] += rate[r]
    return slot, client_rate, server_rate


@kernel
def most_of(gains: Gains) -> Floats:
    """Right answers a second of each row's best answer: no query can be worth more, shape (R,)."""
    most = np.zeros(len(gains.rate))
    for r in range(len(most)):
        for j in range(len(gains.memory)):
            most[r] = max(most[r], gains.client[r, j], gains.cloud[r, j])
            for b in range(len(gains.least)):
                most[r] = max(most[r], gains.edge[r, b, j])
    return most


def without_backbones(gains: Gains) -> Gains:
    """The same as if backbones that models share took nothing: what that proves holds, and is lowered more smoothly."""
    if not len(gains.sizes.backbone_memory):
        return gains
    sizes = gains.sizes
    alone, none = np.full(len(sizes.backbone), -1, dtype=np.int64), np.zeros(0)
    return gains._replace(sizes=sizes._replace(backbone=alone, backbone_memory=none))
