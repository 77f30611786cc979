"""What every answer gives and uses, dense over rows and models, for compiled loops over one server at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
from numba import njit

from splitshare.onloading.arrays import Arrays, Flags, Floats, Ints
from splitshare.onloading.columns import cloud_useful
from splitshare.onloading.side_constraints import side_constraints_of

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
    """Read ``arrays`` into dense gains."""
    rate = arrays.rate
    right = rate[:, None] * arrays.accuracy
    client, server = arrays.row_client, arrays.row_server
    here = arrays.client_allowed & (arrays.alone <= arrays.client_memory[client][:, None])
    edge = arrays.edge_allowed & (arrays.alone <= arrays.server_memory[server][:, None])[:, :, None]
    cloud = arrays.cloud_allowed & cloud_useful(arrays, side_constraints_of(arrays))
    with np.errstate(invalid="ignore"):
        client_use = np.where(here, rate[:, None] * arrays.client_s[client], 0.0)
        edge_use = np.where(edge, rate[:, None, None] * arrays.edge_s[server], 0.0)
        cloud_use = np.where(cloud, rate[:, None] * arrays.cloud_s, 0.0)
    return Gains(
        rate=rate,
        sent=rate * arrays.size,
        client=np.where(here, right, NEVER),
        client_use=client_use,
        client_models=_listed(here),
        edge=np.ascontiguousarray(np.where(edge, right[:, :, None], NEVER).transpose(0, 2, 1)),
        edge_use=np.ascontiguousarray(edge_use.transpose(0, 2, 1)),
        cloud=np.where(cloud, right, NEVER),
        cloud_use=cloud_use,
        memory=arrays.memory,
        sizes=Sizes(
            arrays.memory,
            arrays.backbone,
            arrays.backbone_memory,
            arrays.variant,
            np.bincount(arrays.variant[arrays.variant >= 0]),
        ),
        least=arrays.least_rate,
        client_memory=arrays.client_memory,
        server_memory=arrays.server_memory,
        client_limit=arrays.client_limit,
        uplink=arrays.uplink,
        server_limit=arrays.server_limit,
        backhaul=arrays.backhaul,
        client_rows=arrays.client_rows,
        server_rows=arrays.server_rows,
        row_client=client,
        slot=_slots(client, server),
        client_rate=np.bincount(client, rate, minlength=len(arrays.client_limit)).astype(float),
        server_rate=np.bincount(server, rate, minlength=len(arrays.server_limit)).astype(float),
    )


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


def _listed(allowed: Flags) -> Ints:
    """The true columns of each row, ascending, then -1."""
    count = allowed.sum(axis=1)
    listed = np.full((len(allowed), int(count.max(initial=0))), -1, dtype=np.int64)
    row, column = np.nonzero(allowed)
    listed[row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)] = column
    return listed


def _slots(client: Ints, server: Ints) -> Ints:
    """Number each row's client among those of its server, in the order of the rows."""
    new = np.append(True, client[1:] != client[:-1])
    number = np.cumsum(new) - 1
    first = np.append(True, server[1:] != server[:-1])
    slots: Ints = number - np.maximum.accumulate(np.where(first, number, 0))
    return slots
