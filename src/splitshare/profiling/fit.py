"""Fit a device's speed to its published points, and say how far such a fit is off (ours)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from splitshare.profiling.published import Family

FitRule = Literal["constant-rate", "constant-rate-by-family", "power-law", "power-law-by-family"]
FIT_RULES: tuple[FitRule, ...] = get_args(FitRule)


@dataclass(frozen=True)
class Point:
    """A published figure as work and time: ``flops`` done in ``seconds``."""

    model: str
    family: Family
    flops: float
    seconds: float


@dataclass(frozen=True)
class PowerLaw:
    """Seconds = exp(``log_scale``) x FLOPs ** ``exponent``; an exponent of 1 is a constant rate."""

    log_scale: float
    exponent: float

    def seconds(self, flops: float) -> float:
        """Seconds for ``flops`` floating point operations; 0 for none."""
        return math.exp(self.log_scale + self.exponent * math.log(flops)) if flops > 0 else 0.0


@dataclass(frozen=True)
class FitError:
    """How far a rule is off for work that it has not seen, as ratios of at least 1 (1.2: off by a fifth)."""

    rule: FitRule
    points: int
    geometric_mean_ratio: float
    worst_ratio: float
    worst_model: str


def constant_rate(points: Sequence[Point]) -> PowerLaw:
    """The geometric mean of the points' FLOPs per second."""
    return PowerLaw(math.fsum(math.log(p.seconds / p.flops) for p in points) / len(points), 1.0)


def power_law(points: Sequence[Point]) -> PowerLaw:
    """Least squares of log seconds over log FLOPs.

    Raises:
        ValueError: there are no points, or they do not have two different amounts of work.
    """
    if not points:
        raise ValueError("a power law needs points, and there are none")
    x = [math.log(p.flops) for p in points]
    y = [math.log(p.seconds) for p in points]
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    spread = math.fsum((a - mean_x) ** 2 for a in x)
    if spread == 0:
        raise ValueError("a power law needs points of different work")
    exponent = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    return PowerLaw(mean_y - exponent * mean_x, exponent)


_FITS: dict[FitRule, tuple[Callable[[Sequence[Point]], PowerLaw], bool]] = {
    "constant-rate": (constant_rate, False),
    "constant-rate-by-family": (constant_rate, True),
    "power-law": (power_law, False),
    "power-law-by-family": (power_law, True),
}


def leave_one_out(points: Sequence[Point], rule: FitRule) -> FitError:
    """Predict each point from the others.

    Points of equal work leave together: the table holds towers that differ by an activation function alone,
    and a twin that stays behind would make every rule look better than it is.
    """
    fit, by_family = _FITS[rule]
    ratios: dict[str, float] = {}
    for left_out in points:
        others = [p for p in points if p.flops != left_out.flops and (not by_family or p.family == left_out.family)]
        ratio = fit(others).seconds(left_out.flops) / left_out.seconds
        ratios[left_out.model] = max(ratio, 1 / ratio)
    worst = max(ratios, key=lambda model: ratios[model])
    mean = math.exp(math.fsum(math.log(r) for r in ratios.values()) / len(ratios))
    return FitError(rule, len(points), mean, ratios[worst], worst)
