"""Weights and inputs from a formula, so that two implementations get the same ones and no file of weights is needed."""

import hashlib
import math
from collections.abc import Iterable, Mapping

import numpy as np


def formula_images(count: int, side: int) -> np.ndarray:
    """Images (count, 3, side, side), float32, of stripes as wide as the image's number tells."""
    pixels = np.arange(3 * side * side, dtype=np.float64).reshape(3, side, side)
    return np.stack([2 * np.sin(pixels / (3 * image + 1)) for image in range(count)]).astype(np.float32)


def formula_weights(shapes: Mapping[str, Iterable[int]]) -> dict[str, np.ndarray]:
    """Float32 values for every name in the order of the names: sines of the squares of one counter.

    Squares, so that neighbours look unrelated. Matrices keep the scale of what they are multiplied with, scales and
    variances lie around 1, all else around 0.
    """
    weights: dict[str, np.ndarray] = {}
    counter = 1
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        values = np.sin(np.arange(counter, counter + math.prod(shape), dtype=np.float64) ** 2).reshape(shape)
        counter += values.size
        if len(shape) > 1:
            values = values * math.sqrt(2 / math.prod(shape[1:]))
        elif name.endswith(("bn1.weight", "bn2.weight", "bn3.weight", "running_var", "downsample.1.weight")):
            values = 1 + 0.5 * values
        else:
            values = 0.1 * values
        weights[name] = values.astype(np.float32)
    return weights


def shapes_digest(shapes: Mapping[str, Iterable[int]]) -> str:
    """SHA-256 of names and shapes, sorted, counters of batches left out."""
    lines = [f"{name} {tuple(shapes[name])}" for name in sorted(shapes) if not name.endswith("num_batches_tracked")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
