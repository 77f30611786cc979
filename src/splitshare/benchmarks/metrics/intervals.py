"""The mean of a metric over the samples of a benchmark, with a confidence interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate with a confidence interval."""

    estimate: float
    low: float
    high: float
    confidence: float


def mean_interval(scores: npt.ArrayLike, *, shares: bool = True, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Mean score of samples that are independent.

    Shares that are all 0 or 1 get Wilson's interval (1927), which holds for accuracies near 1 too; any other scores
    (VQA accuracy, CIDEr) a percentile bootstrap over samples.

    Args:
        scores: shape (samples,), finite.
        shares: whether scores lie between 0 and 1 by their meaning.
        confidence: of the interval.
        seed: of the bootstrap.

    Raises:
        ValueError: there are no samples, or a score is not finite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"scores must have the shape (samples,) with at least one sample, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a score is not finite")
    mean = float(values.mean())
    if shares and np.isin(values, (0.0, 1.0)).all():
        low, high = _wilson(int(values.sum()), len(values), confidence)
    else:
        draw = np.random.default_rng(seed)
        # One resample at a time: 2000 x 214,354 answers of VQAv2 would be 3 GB of indices.
        means = [values[draw.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
        tail = (1 - confidence) / 2
        low, high = (float(q) for q in np.quantile(means, [tail, 1 - tail]))
    return Interval(mean, min(low, mean), max(high, mean), confidence)


def _wilson(hits: int, samples: int, confidence: float) -> tuple[float, float]:
    interval = stats.binomtest(hits, samples).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
