"""Compiled: which modules are in a device's memory, and what goes out where one must come in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@compiled
def bring_in(
    device: int, module: int, use: int, inside: _Bools, last_use: _Ints, bytes_of: _Floats, memory: _Floats
) -> bool:
    """See that a module is in memory for its ``use``-th use; whether it had to be loaded.

    What was used least recently goes out first, until the module fits; it does where it fits alone.

    Args:
        device: position of the device.
        module: position of the module.
        use: grows from one use to the next.
        inside: what is in memory, shape (devices, modules); changed.
        last_use: when each was used last; changed.
        bytes_of: bytes that a module takes on a device.
        memory: bytes of each device, shape (devices,).
    """
    last_use[device, module] = use
    if inside[device, module]:
        return False
    while True:
        taken = bytes_of[device, module]
        oldest = -1
        for other in range(inside.shape[1]):
            if inside[device, other]:
                taken += bytes_of[device, other]
                if oldest < 0 or last_use[device, other] < last_use[device, oldest]:
                    oldest = other
        if taken <= memory[device] or oldest < 0:
            break
        inside[device, oldest] = False
    inside[device, module] = True
    return True
