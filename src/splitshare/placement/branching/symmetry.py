"""Devices that are equal in all that counts: what stands on one may as well stand on the other (ours)."""

from __future__ import annotations

import numpy as np

from splitshare.placement.arrays import Arrays, Bools, Ints


def equal_devices(arrays: Arrays) -> Ints:
    """By device the first one, in file order, that it can change places with in any placement; shape (N)."""
    parts = (arrays.ready_s, arrays.compute_s, arrays.head_s, arrays.back_s, arrays.size, arrays.room[None], arrays.may)
    columns = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]).T
    first = np.arange(len(columns))
    for n in range(1, len(columns)):
        for earlier in np.unique(first[:n]):
            if (columns[n] == columns[earlier]).all() and _linked_alike(arrays, n, int(earlier)):
                first[n] = earlier
                break
    return first


def one_of_equals(equal: Ints, may: Bools, must: Bools, module: int) -> None:
    """Leave ``module``, in place, only the first of equal devices that nothing has told apart yet.

    Two devices are alike where nothing must stand on either and the same modules may (M, N): exchanging them leaves a
    placement among those that count, and its worth. One device a module.
    """
    kept: list[int] = []
    for n in np.flatnonzero(may[module]):
        untouched = not must[:, n].any()
        if untouched and any(equal[n] == equal[k] and (may[:, n] == may[:, k]).all() for k in kept):
            may[module, n] = False
        elif untouched:
            kept.append(int(n))


def _linked_alike(arrays: Arrays, a: int, b: int) -> bool:
    others = np.ones(len(arrays.room), dtype=np.bool_)
    others[[a, b]] = False
    matrices = (arrays.latency_s, arrays.bytes_per_s)
    return all(bool((matrix[a, others] == matrix[b, others]).all()) for matrix in matrices)
