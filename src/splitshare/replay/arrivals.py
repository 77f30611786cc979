"""How requests arrive where nobody recorded it: renewal processes, bursts that switch on and off, days (all seeded).

Each process is a record of its own parameters and draws times at a mean rate. Closed forms that the tests hold them to:
the coefficient of variation of the gaps (gamma, Pareto), the index of dispersion (two-state MMPP: Fischer and
Meier-Hellstern 1993), and the rate over a day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from splitshare.errors import InputError
from splitshare.records import nearest

_Floats = NDArray[np.float64]


def _in(least: float, most: float, default: float | None = None) -> float:
    """A parameter with its range."""
    value: float = field(default=MISSING if default is None else default, metadata={"range": (least, most)})  # type: ignore[assignment]
    return value


class Arrivals(Protocol):
    """A process of arrivals."""

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """The first ``count`` times, in seconds from 0 on, at a mean rate; ascending, shape (count,)."""


@dataclass(frozen=True)
class Gamma:
    """Independent gaps with a gamma distribution: regular below a coefficient of variation of 1, bursty above."""

    cv: float = _in(0.01, 100.0, 2.0)
    """Coefficient of variation of the gaps; 1 is a Poisson process."""

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """Gaps of mean ``1 / rate_per_s``."""
        shape = 1 / self.cv**2
        return np.cumsum(stream.gamma(shape, 1 / (shape * rate_per_s), count))


@dataclass(frozen=True)
class Pareto:
    """Independent gaps with a Pareto distribution: most are short, a few very long."""

    shape: float = _in(1.01, 100.0, 1.5)
    """Tail index; up to 2 the gaps have no variance."""

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """Gaps of mean ``1 / rate_per_s``."""
        least_s = (self.shape - 1) / (self.shape * rate_per_s)
        return np.cumsum(least_s * (1 + stream.pareto(self.shape, count)))


@dataclass(frozen=True)
class Mmpp:
    """A Poisson process whose rate switches between calm and burst (two states, stationary at the start)."""

    burst_factor: float = _in(1.0, 1e6, 10.0)
    """Rate in a burst over that in calm."""
    burst_s: float = _in(1e-3, 1e8, 30.0)
    """Mean length of a burst."""
    calm_s: float = _in(1e-3, 1e8, 270.0)
    """Mean length of a calm."""

    def rates_per_s(self, rate_per_s: float) -> tuple[float, float]:
        """Rates in calm and in a burst, at a mean rate."""
        calm = rate_per_s * (self.burst_s + self.calm_s) / (self.burst_factor * self.burst_s + self.calm_s)
        return calm, calm * self.burst_factor

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """By operational time: a unit Poisson process, run through the states' rates."""
        rates = np.array(self.rates_per_s(rate_per_s))
        lengths = np.array([self.calm_s, self.burst_s])
        needed = np.cumsum(stream.exponential(1.0, count))
        state = int(stream.random() < self.burst_s / (self.burst_s + self.calm_s))
        ends_s, reached = [0.0], [0.0]
        while reached[-1] <= needed[-1]:
            states = (state + np.arange(1024)) % 2
            stays_s = stream.exponential(lengths[states])
            ends_s += (ends_s[-1] + np.cumsum(stays_s)).tolist()
            reached += (reached[-1] + np.cumsum(stays_s * rates[states])).tolist()
        return np.interp(needed, reached, ends_s)


@dataclass(frozen=True)
class Diurnal:
    """A Poisson process whose rate goes up and down like a sine, lowest at the start."""

    peak_to_mean: float = _in(1.0, 1.99, 1.6)
    """Highest rate over the mean."""
    period_s: float = _in(1.0, 1e9, 86_400.0)

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """By operational time: a unit Poisson process, run through the rate's integral."""
        needed = np.cumsum(stream.exponential(1.0, count))
        swing, turn = self.peak_to_mean - 1, 2 * math.pi / self.period_s
        times = needed / rate_per_s
        low, high = times - self.period_s, times + self.period_s  # the integral is within a period's of the mean's
        for _ in range(80):  # bisection halves two periods to less than a float tells
            middle = (low + high) / 2
            reached = rate_per_s * (middle - swing / turn * np.sin(turn * middle))
            high = np.where(reached >= needed, middle, high)
            low = np.where(reached < needed, middle, low)
        return np.maximum.accumulate(np.maximum(high, 0.0))


@dataclass(frozen=True)
class AtOnce:
    """All requests at time 0: MLPerf LoadGen's offline scenario, which measures what a system can do."""

    def times(self, count: int, rate_per_s: float, stream: Generator) -> _Floats:
        """Zeros."""
        return np.zeros(count)


PROCESSES: dict[str, type[Gamma | Pareto | Mmpp | Diurnal | AtOnce]] = {
    "gamma": Gamma,
    "pareto": Pareto,
    "mmpp": Mmpp,
    "diurnal": Diurnal,
    "at-once": AtOnce,
}
"""By their kind of trace."""


def process_of(kind: str, parameters: Sequence[str] = ()) -> Arrivals:
    """A process with parameters as they are given on the command line, ``name=value``.

    Raises:
        InputError: a parameter is unknown, given twice, no number, or out of its range.
    """
    factory = PROCESSES[kind]
    known = {own.name: own.metadata["range"] for own in fields(factory)}
    given: dict[str, float] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            problem = nearest(name, list(known)) if known else "it has none"
            raise InputError("--parameter", text, f"is no parameter of {kind}; {problem}")
        if name in given:
            raise InputError("--parameter", name, "is given twice; keep one")
        try:
            given[name] = float(value)
        except ValueError:
            given[name] = math.nan
        least, most = known[name]
        if not least <= given[name] <= most:
            raise InputError("--parameter", text, f"must be a number from {least:g} to {most:g}")
    return factory(**given)
