"""Compiled: which of its routes a request takes, as things stand at its arrival."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from splitshare.compilation import compiled

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]


@compiled
def runs_ahead(begin: int, end: int, devices: int, resource: _Ints, unfinished: _Ints) -> int:
    """Runs that were sent to the devices of a route and are not done, counted for each of its own runs.

    Args:
        begin: the route's first stage.
        end: after its last.
        devices: resources below this number are devices.
        resource: of each stage.
        unfinished: runs by device.
    """
    total = 0
    for stage in range(begin, end):
        if 0 <= resource[stage] < devices:
            total += unfinished[resource[stage]]
    return total


# Long: a list of arguments, and what each is.
@compiled
def expected_finish(  # noqa: PLR0913, PLR0917 - flat arrays are what compiles
    begin: int,
    end: int,
    now: float,
    size: float,
    level: int,
    waits: _Ints,
    resource: _Ints,
    service_s: _Floats,
    delay_s: _Floats,
    next_a: _Ints,
    next_b: _Ints,
    signal_s: _Floats,
    module: _Ints,
    by_level: _Bools,
    free: _Floats,
    sent_s: _Floats,
    inside: _Bools,
    load_s: _Floats,
    ready: _Floats,
    missing: _Ints,
    available: _Floats,
) -> float:
    """When a request would be done if each resource first served all that was sent to it, and nothing came after.

    Args:
        begin: the route's first stage.
        end: after its last.
        now: the request's arrival.
        size: the request's.
        level: its level of priority.
        waits: this and what follows up to ``signal_s``: as ``run_events`` takes it.
        resource: as there.
        service_s: as there.
        delay_s: as there.
        next_a: as there.
        next_b: as there.
        signal_s: as there.
        module: of each stage that computes; -1: a transfer.
        by_level: resources that serve by priority.
        free: when each is done with what it does.
        sent_s: seconds that were sent to it by level, and have not started; shape (resources, levels).
        inside: modules in memory by device; one that is not is counted with its ``load_s``.
        load_s: seconds of loading by device and module.
        ready: scratch, shape (stages of a class,).
        missing: scratch, as ``ready``.
        available: scratch, shape (resources,).
    """
    for stage in range(begin, end):
        missing[stage - begin] = waits[stage]
        ready[stage - begin] = now
        r = resource[stage]
        if r >= 0:
            ahead = 0.0
            for other in range(level if by_level[r] else 0, sent_s.shape[1]):
                ahead += sent_s[r, other]
            available[r] = max(now, free[r]) + ahead
    finish = now
    for _ in range(end - begin):
        place = -1
        for other in range(end - begin):
            if missing[other] == 0 and (place < 0 or ready[other] < ready[place]):
                place = other
        missing[place] = -1
        stage = begin + place
        r = resource[stage]
        freed = ready[place] + service_s[stage] * size
        if r >= 0:
            start = max(ready[place], available[r])
            if module[stage] >= 0 and not inside[r, module[stage]]:
                start += load_s[r, module[stage]]
            freed = start + service_s[stage] * size
            available[r] = freed
        finish = freed + delay_s[stage]
        for after, known_s in ((next_a[stage], finish), (next_b[stage], finish + signal_s[stage])):
            if after >= 0:
                ready[after] = max(ready[after], known_s)
                missing[after] -= 1
    return finish
