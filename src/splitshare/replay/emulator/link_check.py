"""Every link measured as the requests will use it, configured beside measured, before a replay."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from splitshare.errors import WorkError
from splitshare.placement.instance import PlacementInstance
from splitshare.progress import track
from splitshare.replay.emulator.client import WorkerClient
from splitshare.replay.emulator.driver import configure
from splitshare.replay.emulator.network import Testbed
from splitshare.replay.emulator.program import Program

PINGS = 11
"""Round trips of each link: the shortest is the link's, the median what messages take."""
PAUSE_S = 0.01
"""Between round trips: processes that have slept wake late, with a link between them as without."""
STREAM_S = 0.15
"""Seconds of sending that throughput is measured over."""
STREAM_BYTES = (65_536, 16 * 2**20)
"""Least and most bytes for it."""
SHORT_STREAM = 0.25
"""Part of it that is sent apart: the difference in time is free of what each transfer costs, however long it is."""
SIDE_BY_SIDE = 4
"""Directions that are measured at a time, at most."""
SIDE_BY_SIDE_BYTES_PER_S = 50e6
"""What they may carry together."""
STREAMS = 3
"""Streams of either length, of which the median counts."""
TOLERANCE = 0.05
"""A link that is further off stops the run."""
DELAY_TOLERANCE_S = 0.0005
"""A delay may be off by this, however short it is: what messages cost at both ends is in the measurement."""


@dataclass(frozen=True)
class LinkMeasurement:
    """One direction of a link."""

    link: str
    bytes_per_s: float
    measured_bytes_per_s: float
    latency_s: float
    measured_latency_s: float
    """Half the shortest round trip of an empty transfer and its acknowledgement, less that without a link (of emulated
    workers, which can be reached past their links)."""
    message_s: float
    """What a message takes beyond the latency: half the median round trip, less ``latency_s``."""

    @property
    def rate_error(self) -> float:
        """Relative."""
        return self.measured_bytes_per_s / self.bytes_per_s - 1

    @property
    def delay_error_s(self) -> float:
        """How much longer than its latency the link takes."""
        return self.measured_latency_s - self.latency_s

    @property
    def holds(self) -> bool:
        """Whether rate and delay are as configured."""
        delay_off_s = abs(self.delay_error_s)
        return abs(self.rate_error) <= TOLERANCE and (
            delay_off_s <= DELAY_TOLERANCE_S or delay_off_s <= TOLERANCE * self.latency_s
        )

    def line(self) -> str:
        """Configured and measured, for people."""
        return (
            f"{self.link}: {self.bytes_per_s * 8e-6:.4g} Mbit/s configured, "
            f"{self.measured_bytes_per_s * 8e-6:.4g} measured ({self.rate_error:+.1%}); "
            f"{self.latency_s * 1e3:.4g} ms configured, {self.measured_latency_s * 1e3:.4g} measured"
        )


def rounds(instance: PlacementInstance, directions: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Directions that are measured side by side, round by round.

    Those of a round share no device and no cell, and are together so few and so slow that measuring them does not load
    this machine.
    """
    waiting, found = list(directions), []
    while waiting:
        chosen: list[tuple[str, str]] = []
        taken: set[str] = set()
        rate = 0.0
        for direction in waiting:
            link = instance.link_between(*direction)
            assert link is not None
            shared = {*direction} | ({f"cell {link.cell}"} if link.cell is not None else set())
            fits = not chosen or rate + link.bandwidth_bytes_per_s <= SIDE_BY_SIDE_BYTES_PER_S
            if len(chosen) < SIDE_BY_SIDE and fits and not shared & taken:
                chosen.append(direction)
                taken |= shared
                rate += link.bandwidth_bytes_per_s
        waiting = [direction for direction in waiting if direction not in chosen]
        found.append(chosen)
    return found


async def measure_links(
    instance: PlacementInstance, testbed: Testbed, used: Collection[tuple[str, str]] | None = None
) -> list[LinkMeasurement]:
    """Measure directions of links, several side by side; one that is off then is measured again, alone.

    Args:
        instance: what the links are configured as.
        testbed: the workers.
        used: which directions; ``None``: all.

    Raises:
        WorkError: a worker does not answer, or a link does not carry anything.
    """
    nothing = Program(schema_="splitshare.emulation-program/1", epoch=0, classes=(), modules={})
    clients = {d: WorkerClient(d, address, testbed.credentials) for d, address in testbed.workers.items()}
    try:
        for client in clients.values():
            await client.read_clock()
        asked = [direction for direction in testbed.links if used is None or direction in used]
        together = rounds(instance, asked)
        past_s = dict.fromkeys(asked, 0.0)
        if testbed.faults is not None:  # emulated workers can be reached past their links
            await configure(clients, {(a, b): testbed.workers[b] for a, b in asked}, nothing)
            for part in together:
                delays = await asyncio.gather(*(_delays_s(clients[a], b) for a, b in part))
                past_s |= {direction: min(trips) for direction, trips in zip(part, delays, strict=True)}
        await configure(clients, {direction: testbed.links[direction] for direction in asked}, nothing)
        measured: dict[tuple[str, str], LinkMeasurement] = {}
        for part in track(together, "measuring links"):
            found = await asyncio.gather(*(_measure(instance, clients[a], b, past_s[a, b]) for a, b in part))
            measured |= dict(zip(part, found, strict=True))
            for a, b in part if len(part) > 1 else ():
                if not measured[a, b].holds:
                    measured[a, b] = await _measure(instance, clients[a], b, past_s[a, b])
        return [measured[direction] for direction in asked]
    finally:
        for client in clients.values():
            await client.__aexit__(None, None, None)


async def _delays_s(client: WorkerClient, peer: str) -> list[float]:
    """Halves of round trips of empty transfers, each after a pause."""
    trips = []
    for _ in range(PINGS + 1):
        await asyncio.sleep(PAUSE_S)
        trips.append(float((await client.call("Probe", {"peer": peer, "bytes": 0}))["round_trip_s"]))
    return [trip / 2 for trip in trips[1:]]  # the first one opens the link


async def _measure(instance: PlacementInstance, client: WorkerClient, b: str, past_s: float) -> LinkMeasurement:
    link = instance.link_between(client.device, b)
    assert link is not None
    least, most = STREAM_BYTES
    size = round(min(most, max(least, link.bandwidth_bytes_per_s * STREAM_S)))
    delays_s = await _delays_s(client, b)
    short = round(size * SHORT_STREAM)
    took_s = {
        count: statistics.median(
            [float((await client.call("Probe", {"peer": b, "bytes": count}))["receiving_s"]) for _ in range(STREAMS)]
        )
        for count in (short, size)
    }
    return LinkMeasurement(
        link=f"{client.device}->{b}",
        bytes_per_s=link.bandwidth_bytes_per_s,
        measured_bytes_per_s=(size - short) / max(took_s[size] - took_s[short], 1e-9),
        latency_s=link.latency_s,
        measured_latency_s=min(delays_s) - past_s,
        message_s=statistics.median(delays_s) - link.latency_s,
    )


def check_links(measured: Sequence[LinkMeasurement], *, anyway: bool) -> None:
    """Stop where a link is not as configured.

    Raises:
        WorkError: names the first such link, unless ``anyway``.
    """
    wrong = [m for m in measured if not m.holds]
    if wrong and not anyway:
        raise WorkError(
            f"{len(wrong)} of {len(measured)} links are further than {TOLERANCE:.0%} off; {wrong[0].line()}; "
            "quieten the machine, or go on with --any-links"
        )
