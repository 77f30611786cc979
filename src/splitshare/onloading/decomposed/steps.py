"""Arithmetic of steps along a running mean of subgradients, on prices of one kind, flat (ours)."""

from __future__ import annotations

from splitshare.compilation import compiled_in_place
from splitshare.onloading.arrays import Floats


@compiled_in_place
def blend(mean: Floats, slope: Floats, weight: float) -> None:
    """Move the running mean towards the last subgradient."""
    for i in range(len(mean)):
        mean[i] += weight * (slope[i] - mean[i])


@compiled_in_place
def length_of(mean: Floats, price: Floats, scale: Floats) -> float:
    """Square of the mean's length in scales of their own, without prices at 0 that it would lower."""
    total = 0.0
    for i in range(len(mean)):
        if mean[i] < 0.0 or price[i] > 0.0:
            total += scale[i] * mean[i] * mean[i]
    return total


@compiled_in_place
def move(trial: Floats, price: Floats, mean: Floats, scale: Floats, step: float) -> None:
    """Write the prices after a step, none below 0."""
    for i in range(len(price)):
        trial[i] = max(0.0, price[i] - step * scale[i] * mean[i])


@compiled_in_place
def keep(price: Floats, trial: Floats) -> None:
    """Take the prices of a trial."""
    for i in range(len(price)):
        price[i] = trial[i]
