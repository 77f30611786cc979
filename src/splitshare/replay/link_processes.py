"""How links change where nobody measured it: outages, and levels of bandwidth in a Markov chain (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.random import Generator

from splitshare.errors import InputError
from splitshare.placement.instance import Link, PlacementInstance
from splitshare.records import nearest

LEVELS = (1.0, 0.5, 0.25, 0.1)
"""Bandwidths of the chain as shares of the link's own; it moves to a neighbour."""
MOST_CHANGES = 10**6


def link_changes_table(
    instance: PlacementInstance,
    kind: str,
    *,
    links: Sequence[str],
    horizon_s: float,
    stay_s: float,
    outage_s: float,
    seed: int,
) -> pd.DataFrame:
    """Changes of links as the table that ``read_link_changes`` reads; each link by a stream of its own.

    Args:
        instance: whose links change.
        kind: ``outages``: a link is up for ``stay_s`` and down for ``outage_s``, in the mean of exponential times;
            ``markov``: it stays at a level of bandwidth for ``stay_s`` in the mean, and goes one up or down.
        links: names such as ``a--b``; none: all.
        horizon_s: until when they change; after it a link is as in the instance.
        stay_s: see ``kind``.
        outage_s: see ``kind``.
        seed: of all draws.

    Raises:
        InputError: a link is unknown, or there would be more than a million changes.
    """
    known = {f"{link.a}--{link.b}": link for link in instance.links}
    for name in links:
        if name not in known:
            raise InputError("--link", name, f"is no link of {instance.name}; {nearest(name, list(known))}")
    shortest_s = min(stay_s, outage_s) if kind == "outages" else stay_s
    if horizon_s / shortest_s * len(links or known) > MOST_CHANGES:
        raise InputError(
            "--horizon-s", f"{horizon_s:g}", "gives more than a million changes; ask for fewer, or longer ones"
        )
    streams = np.random.SeedSequence(seed).spawn(len(known))
    rows: list[tuple[str, float, float, float]] = []
    for sequence, (name, link) in zip(streams, known.items(), strict=True):
        if links and name not in links:
            continue
        stream = np.random.Generator(np.random.PCG64(sequence))
        draw = _outages if kind == "outages" else _levels
        own = [(name, time, rate, link.latency_s) for time, rate in draw(link, horizon_s, stay_s, outage_s, stream)]
        rows += [*own, (name, horizon_s, link.bandwidth_bytes_per_s, link.latency_s)] if own else []
    return pd.DataFrame(rows, columns=["link", "time_s", "bandwidth_bytes_per_s", "latency_s"])


def _outages(
    link: Link, horizon_s: float, stay_s: float, outage_s: float, stream: Generator
) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    now = 0.0
    while True:
        now += stream.exponential(stay_s)
        if now >= horizon_s:
            return found
        found.append((now, 0.0))
        now += stream.exponential(outage_s)
        if now >= horizon_s:
            return found
        found.append((now, link.bandwidth_bytes_per_s))


def _levels(
    link: Link, horizon_s: float, stay_s: float, outage_s: float, stream: Generator
) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    now, level = 0.0, 0
    while True:
        now += stream.exponential(stay_s)
        if now >= horizon_s:
            return found
        inner = 0 < level < len(LEVELS) - 1
        step = (1 if stream.random() < 0.5 else -1) if inner else (1 if level == 0 else -1)
        level += step
        found.append((now, LEVELS[level] * link.bandwidth_bytes_per_s))
