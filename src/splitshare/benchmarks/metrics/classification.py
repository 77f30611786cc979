"""Top-k accuracy of class scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ranked(scores: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Classes in descending score, of equal ones the first class first; shape (samples, classes) in and out.

    Raises:
        ValueError: the scores are no matrix, or one is not a number.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"scores must have the shape (samples, classes), not {table.shape}")
    if np.isnan(table).any():
        raise ValueError("a score is not a number")
    return np.argsort(-table, axis=1, kind="stable")


def top_k(ranking: npt.NDArray[np.intp], labels: npt.ArrayLike, k: int) -> Floats:
    """1 where a sample's label is among its first ``k`` classes, else 0; shape (samples,).

    Args:
        ranking: classes in descending score, shape (samples, at least ``k`` classes).
        labels: the right class of each sample, shape (samples,).
        k: how many of the first classes count.

    Raises:
        ValueError: shapes do not fit, or ``k`` is larger than the number of classes.
    """
    wanted = np.asarray(labels)
    if wanted.shape != ranking.shape[:1]:
        raise ValueError(f"{len(ranking)} rankings for labels of shape {wanted.shape}")
    if not 1 <= k <= ranking.shape[1]:
        raise ValueError(f"top-{k} of {ranking.shape[1]} classes")
    hits: Floats = (ranking[:, :k] == wanted[:, None]).any(axis=1).astype(np.float64)
    return hits
