"""A Lagrangian relaxation of the placement problem: each request places its modules for itself, at a price (ours).

Every use of a module by a request gets a copy of the module's place, y. Relaxed, with multipliers, are

- that a copy is where the module is, y[k,e,n] = x[m,n], for each use e of request k (u[k,e,n], of any sign);
- the memory of each device, sum(bytes x) <= capacity (lambda[n] >= 0);
- for the largest latency as objective, which request it is that counts (mu[k] >= 0, which add up to 1).

What is left falls apart: each module stands where it costs least, and each request chooses devices for its copies.
Waiting on a shared device is left out there, so a request's latency is the head's and the result's seconds after its
slowest encoder. For each device of the head that is a bottleneck plus a sum: for each latency that the slowest
encoder may have, every encoder takes the cheapest device that is no slower. The value is a lower bound on every
placement with one device a module, sequential routing included.

Source of the method: M. L. Fisher, *The Lagrangian Relaxation Method for Solving Integer Programming Problems*,
Management Science 27 (1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitshare.placement.feasible import HostingRules
from splitshare.placement.instance import PlacementInstance, Request

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Multipliers:
    """Prices of what is relaxed, in seconds; or a direction in which they change."""

    copies: tuple[Floats, ...]
    """By request, of shape (uses, devices): its encoders, then its head."""
    memory: Floats
    """By device, for all of its memory."""
    requests: Floats
    """By request, its weight in the objective."""

    def squared(self) -> float:
        """Sum of the squares of all of them."""
        return float(sum((u**2).sum() for u in self.copies) + (self.memory**2).sum() + (self.requests**2).sum())


@dataclass(frozen=True)
class Relaxed:
    """The relaxation's optimum at some multipliers."""

    bound_s: float
    """Lower bound on the objective, in seconds."""
    price_s: Floats
    """Of shape (modules, devices): what a module costs on a device; infinite where it cannot stand."""
    direction: Multipliers
    """A subgradient: what the relaxed constraints are broken by."""


class Relaxation:
    """The relaxation of one instance, all of whose modules can stand somewhere."""

    def __init__(self, instance: PlacementInstance) -> None:
        rules = HostingRules(instance)
        if not all(rules.devices.values()):
            raise ValueError(f"{instance.name}: a module can stand nowhere")
        self.modules = [m.name for m in instance.modules]
        self.devices = [d.name for d in instance.devices]
        number = {name: i for i, name in enumerate(self.modules)}
        self._allowed = np.array([[d in rules.devices[m] for d in self.devices] for m in self.modules])
        capacity = np.array([d.memory_bytes for d in instance.devices])
        size = np.array([[m.bytes_on(d) for d in self.devices] for m in instance.modules])
        # A device without memory holds what takes none: nothing to price.
        self._share = np.divide(size, capacity, out=np.zeros_like(size), where=capacity > 0)
        self._uses = [
            np.array([number[m] for m in (*(e.module for e in r.encoders), r.head)]) for r in instance.requests
        ]
        self._choices = [
            _Choice(instance, request, self._allowed[uses])
            for request, uses in zip(instance.requests, self._uses, strict=True)
        ]
        rates = np.array([r.rate_per_s for r in instance.requests])
        self._maximum = instance.objective == "max"
        self.weights = np.full(len(rates), 1 / len(rates)) if self._maximum else rates / rates.sum()

    def start(self) -> Multipliers:
        """Nothing has a price."""
        return Multipliers(
            tuple(np.zeros((len(uses), len(self.devices))) for uses in self._uses),
            np.zeros(len(self.devices)),
            self.weights,
        )

    def solve(self, at: Multipliers) -> Relaxed:
        """The optimum at multipliers ``at``."""
        price = np.where(self._allowed, at.memory * self._share, np.inf)
        for uses, copies in zip(self._uses, at.copies, strict=True):
            np.subtract.at(price, uses, copies)
        stands = price.argmin(axis=1)
        x = np.zeros_like(price)
        x[np.arange(len(stands)), stands] = 1.0
        bound = float(price.min(axis=1).sum() - at.memory.sum())
        broken: list[Floats] = []
        latency = np.zeros(len(self._uses))
        for k, (uses, copies, choice) in enumerate(zip(self._uses, at.copies, self._choices, strict=True)):
            value, latency[k], hosts = choice.cheapest(float(at.requests[k]), copies)
            bound += value
            y = np.zeros_like(copies)
            y[np.arange(len(hosts)), hosts] = 1.0
            broken.append(y - x[uses])
        overload = (self._share * x).sum(axis=0) - 1.0
        requests = latency - latency.mean() if self._maximum else np.zeros_like(latency)
        return Relaxed(bound, price, Multipliers(tuple(broken), overload, requests))

    def step(self, at: Multipliers, direction: Multipliers, length: float) -> Multipliers:
        """Multipliers from ``at`` along ``direction``, brought back to where they may be."""
        return Multipliers(
            tuple(u + length * g for u, g in zip(at.copies, direction.copies, strict=True)),
            np.maximum(0.0, at.memory + length * direction.memory),
            onto_simplex(at.requests + length * direction.requests) if self._maximum else at.requests,
        )


class _Choice:
    """Where one request would have its modules, for any prices; all that prices do not change is worked out once."""

    def __init__(self, instance: PlacementInstance, request: Request, allowed: npt.NDArray[np.bool_]) -> None:
        devices = [d.name for d in instance.devices]

        def seconds(compute_s: dict[str, float | None]) -> Floats:
            known = [compute_s.get(d) for d in devices]
            return np.array([np.inf if s is None else s for s in known])

        back = np.array([instance.comm_s(h, request.source, request.result_bytes) for h in devices])
        arrivals: list[Floats] = []
        for position, use in enumerate(request.encoders):
            there = np.array([instance.comm_s(request.source, n, use.input_bytes) for n in devices])
            runs = np.where(allowed[position], there + seconds(instance.encoder_compute_s(request, position)), np.inf)
            moved = instance.comm_between_s(devices, devices, instance.encoder_output_bytes(request, position))
            arrivals.append(runs[:, None] + moved)
        self._order = [a.argsort(axis=0, kind="stable") for a in arrivals]
        """By encoder and head's device, devices by when the output is there; of shape (devices, heads)."""
        at = [np.take_along_axis(a, order, axis=0) for a, order in zip(arrivals, self._order, strict=True)]
        slowest = np.concatenate(at)
        self._within = [_counts(column, slowest) for column in at]
        """By encoder, how many of its devices are no slower, of shape (candidates, heads)."""
        # Candidates: every time at which some encoder's output may be there, and then the head and the result.
        latency = slowest + np.where(allowed[-1], seconds(instance.head_compute_s(request)) + back, np.inf)
        self._possible = np.isfinite(latency)
        self._latency = np.where(self._possible, latency, 0.0)

    def cheapest(self, weight: float, prices: Floats) -> tuple[float, float, Ints]:
        """Least value of weight times latency plus prices of the copies; with the latency, and device by use."""
        value = np.where(self._possible, weight * self._latency + prices[-1], np.inf)
        for order, within, price in zip(self._order, self._within, prices[:-1], strict=True):
            least = np.minimum.accumulate(price[order], axis=0)
            none = np.full((1, least.shape[1]), np.inf)
            value = value + np.take_along_axis(np.concatenate([none, least]), within, axis=0)
        candidate, head = np.unravel_index(int(value.argmin()), value.shape)
        hosts = [
            order[int(price[order[: within[candidate, head], head]].argmin()), head]
            for order, within, price in zip(self._order, self._within, prices[:-1], strict=True)
        ]
        return float(value[candidate, head]), float(self._latency[candidate, head]), np.array([*hosts, head])


def _counts(ascending: Floats, limits: Floats) -> Ints:
    """How many of each column of ``ascending`` are at most each of the same column of ``limits``."""
    columns = [np.searchsorted(a, limit, side="right") for a, limit in zip(ascending.T, limits.T, strict=True)]
    return np.array(columns).T


def onto_simplex(point: Floats) -> Floats:
    """The nearest point whose coordinates are at least 0 and add up to 1.

    Source: M. Held, P. Wolfe, H. P. Crowder, *Validation of Subgradient Optimization*, Mathematical Programming 6
    (1974).
    """
    falling = np.sort(point)[::-1]
    excess = (np.cumsum(falling) - 1.0) / np.arange(1, len(point) + 1)
    last = int(np.nonzero(falling > excess)[0][-1])
    return np.asarray(np.maximum(0.0, point - excess[last]))
