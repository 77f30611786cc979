"""Filling locations with models in a given order, as far as they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from splitshare.onloading.arrays import Arrays, Ints
from splitshare.onloading.objective import Hosts

Order = Callable[[int, bool, Ints], Iterable[int]]
"""Models in the order in which a location takes them: its number, whether it is a server, models of use to it."""


def packed(arrays: Arrays, order: Order) -> Hosts:
    """Each location takes the models of ``order`` that still fit, at batches of one.

    A model is of use to a location if it may answer one of its rows. Of variants of one the first that fits is taken.
    """
    client = np.zeros(arrays.client_s.shape, dtype=bool)
    server = np.full(arrays.edge_s.shape[:2], -1, dtype=np.int64)
    for is_server, slices, capacity, allowed in (
        (False, arrays.client_rows, arrays.client_memory, arrays.client_allowed),
        (True, arrays.server_stops, arrays.server_memory, arrays.edge_allowed[:, :, 0]),
    ):
        for location, (first, last) in enumerate(slices):
            useful = np.flatnonzero(allowed[first:last].any(axis=0))
            free = capacity[location]
            groups = set()
            need = arrays.alone
            for model in order(location, is_server, useful):
                if need[model] <= free and int(arrays.variant[model]) not in groups:
                    free -= need[model]
                    if arrays.backbone[model] >= 0:  # from here on the others that use its backbone need their own only
                        need = np.where(arrays.backbone == arrays.backbone[model], arrays.memory, need)
                    if arrays.variant[model] >= 0:
                        groups.add(int(arrays.variant[model]))
                    if is_server:
                        server[location, model] = 0
                    else:
                        client[location, model] = True
    return Hosts(client, server)
