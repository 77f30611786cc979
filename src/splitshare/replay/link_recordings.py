"""Bandwidths that others have recorded on mobile networks, as changes of links.

Whatever the file, what is read is a bandwidth that holds from one time to the next; ``recorded_changes`` makes means of
it over equal spans, so that no byte of capacity is lost or added.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from splitshare.errors import InputError, shown
from splitshare.placement.instance import Link, PlacementInstance
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest
from splitshare.replay.link_changes import COLUMNS, LEAST_BYTES_PER_S, MOST_BYTES_PER_S
from splitshare.replay.link_processes import MOST_CHANGES
from splitshare.replay.tables import at_row, parse_counts, parse_floats, read_csv

PACKET_BYTES = 1500
"""What an opportunity of a Mahimahi trace carries (Netravali et al. 2015)."""
MOST_BYTES = 1 << 28
MOST_MS = 10**9
"""Of a recording: 11 days."""
UCC_COLUMNS = ("Timestamp", "DL_bitrate", "UL_bitrate")
UCC_OTHERS = (
    *("Longitude", "Latitude", "Speed", "Operatorname", "CellID", "NetworkMode", "RSRP", "RSRQ", "SNR", "CQI", "RSSI"),
    *("State", "PINGAVG", "PINGMIN", "PINGMAX", "PINGSTDEV", "PINGLOSS", "CELLHEX", "NODEHEX", "LACHEX", "RAWCELLID"),
    *("NRxRSRP", "NRxRSRQ", "ServingCell_Lon", "ServingCell_Lat", "ServingCell_Distance"),
)
UCC_STAMP = "%Y.%m.%d_%H.%M.%S"
GHENT_FIELDS = ("time_ms", "since_start_ms", "latitude", "longitude", "bytes", "elapsed_ms")
"""Ours: the logs have no header."""


@dataclass(frozen=True, eq=False)
class LinkRecording:
    """Bandwidth over time, as somebody recorded it."""

    title: str
    """Of the format, with its source."""
    edge_s: NDArray[np.float64]
    """From 0, strictly ascending, shape (spans + 1,)."""
    down_bytes_per_s: NDArray[np.float64]
    """Towards the mobile device, between two edges; shape (spans,)."""
    up_bytes_per_s: NDArray[np.float64] | None
    """From it; ``None`` where only one way was recorded."""
    told: tuple[str, ...] = ()
    """What a reader should know of how it was read."""


def read_link_recording(path: Path) -> LinkRecording:
    """Read one of three public formats, told apart by the first line.

    - UCC 4G and 5G (Raca et al. 2018, 2020): CSV with ``Timestamp``, ``DL_bitrate`` and ``UL_bitrate`` in kbit/s.
      A row holds until the next one; rows without a bandwidth, and those of an idle phone (``State`` is ``I``), say
      nothing of the link and are left out. Of rows with one time the last counts.
    - Ghent 4G (van der Hooft et al. 2016): six numbers a line, of which the last are bytes and the milliseconds
      in which they came; what lies between two lines has the bandwidth of the later one.
    - Mahimahi (Netravali et al. 2015): a line an opportunity to send 1,500 bytes, its millisecond; the last one is how
      long the trace lasts.

    Raises:
        InputError: names the row of the first mistake.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise InputError(path, "", f"has {size / 2**20:.0f} MiB; {MOST_BYTES / 2**20:.0f} MiB is the most")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(path, "", "is no text; a recording is CSV or lines of numbers") from None
    first = text.lstrip().partition("\n")[0]
    if "DL_bitrate" in first:
        return _ucc(path)
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if not rows:
        raise InputError(path, "", "is empty; expected a recording of a link")
    if len(rows[0]) == len(GHENT_FIELDS):
        return _ghent(path, rows)
    if len(rows[0]) == 1 and re.fullmatch(r"\d+", rows[0][0]):
        return _mahimahi(path, rows)
    problem = "is no recording that is known: UCC 4G or 5G (CSV with DL_bitrate), Ghent 4G (six numbers a line), "
    raise InputError(path, "", f"{problem}or Mahimahi (a millisecond a line)")


def _ucc(path: Path) -> LinkRecording:
    table = read_csv(path, UCC_COLUMNS, UCC_OTHERS)
    states = table.get("State", [""] * len(table["Timestamp"]))
    known = [
        i for i, cells in enumerate(zip(table["DL_bitrate"], table["UL_bitrate"], strict=True)) if "-" not in cells
    ]
    used = [i for i in known if states[i] != "I"]
    if not used:
        raise InputError(path, "DL_bitrate", "no row tells a bandwidth of a phone that was in use")
    told = []
    if len(known) < len(states):
        told.append(f"{_rows(len(states) - len(known))} left out: no bandwidth stands there")
    if len(used) < len(known):
        told.append(f"{_rows(len(known) - len(used))} left out: an idle phone does not tell what the link can do")
    times = _stamps(path, table["Timestamp"], used)
    rates = {}
    for column in ("DL_bitrate", "UL_bitrate"):
        rates[column] = np.array([_rate(path, column, i, table[column][i]) for i in used])
    # The last of rows with one time; the last row of all stands for a second, as the tool writes one a second.
    last = np.append(np.diff(times) > 0, True)
    edges = np.append(times[last] - times[0], times[-1] - times[0] + 1.0)
    return LinkRecording(
        "UCC 4G or 5G measurements (Raca et al. 2018, 2020)",
        edges,
        rates["DL_bitrate"][last],
        rates["UL_bitrate"][last],
        tuple(told),
    )


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


def _rate(path: Path, column: str, row: int, text: str) -> float:
    kbit_per_s = parse_floats(path, column, [text], MOST_BYTES_PER_S / 125, first=row)[0]
    return float(kbit_per_s) * 125.0


def _stamps(path: Path, texts: Sequence[str], rows: Sequence[int]) -> NDArray[np.float64]:
    times = np.empty(len(rows))
    for place, i in enumerate(rows):
        try:
            times[place] = (datetime.strptime(texts[i], UCC_STAMP) - datetime(1970, 1, 1)).total_seconds()
        except ValueError:
            problem = f"must be a time such as 2019.12.14_10.16.30, not {shown(texts[i])}"
            raise InputError(path, at_row("Timestamp", i), problem) from None
        if place and times[place] < times[place - 1]:
            raise InputError(path, at_row("Timestamp", i), "comes before the row above; sort the file by time")
    return times


def _ghent(path: Path, rows: list[list[str]]) -> LinkRecording:
    for i, row in enumerate(rows):
        if len(row) != len(GHENT_FIELDS):
            problem = f"has {len(row)} fields, and the first row {len(GHENT_FIELDS)}"
            raise InputError(path, f"row {i + 1}", f"{problem}; does the file end in the middle of a line?")
    columns = dict(zip(GHENT_FIELDS, zip(*rows, strict=True), strict=True))
    since_ms = parse_counts(path, "since_start_ms", columns["since_start_ms"], MOST_MS)
    sizes = parse_floats(path, "bytes", columns["bytes"], MOST_BYTES_PER_S / 1e3)
    elapsed_ms = parse_counts(path, "elapsed_ms", columns["elapsed_ms"], MOST_MS)
    for name, values in (("since_start_ms", np.diff(since_ms, prepend=-1)), ("elapsed_ms", elapsed_ms)):
        wrong = np.flatnonzero(values <= 0)
        if wrong.size:
            i = int(wrong[0])
            problem = "must be above that of the row above" if name == "since_start_ms" else "must be above 0"
            raise InputError(path, at_row(name, i), f"{problem}, not {shown(columns[name][i])}")
    edges_s = np.concatenate([[since_ms[0] - elapsed_ms[0]], since_ms]) / 1e3
    return LinkRecording(
        "4G/LTE bandwidth logs, Ghent (van der Hooft et al. 2016)", edges_s - edges_s[0], sizes / elapsed_ms * 1e3, None
    )


def _mahimahi(path: Path, rows: list[list[str]]) -> LinkRecording:
    for i, row in enumerate(rows):
        if len(row) != 1:
            raise InputError(path, f"row {i + 1}", f"has {len(row)} fields, and the first row 1")
    milliseconds = parse_counts(path, "millisecond", [row[0] for row in rows], MOST_MS)
    wrong = np.flatnonzero(np.diff(milliseconds) < 0)
    if wrong.size:
        raise InputError(path, at_row("millisecond", int(wrong[0]) + 1), "comes before the row above")
    if milliseconds[-1] == 0:
        raise InputError(path, at_row("millisecond", len(rows) - 1), "is how long the trace lasts, so must be above 0")
    times, counts = np.unique(np.maximum(milliseconds, 1), return_counts=True)
    # A span of one millisecond for each with an opportunity, and one of nothing for what lies between.
    edges = np.unique(np.concatenate([[0], times - 1, times]))
    rates = np.zeros(len(edges) - 1)
    rates[np.searchsorted(edges, times) - 1] = counts * PACKET_BYTES * 1e3
    return LinkRecording("Mahimahi packet trace (Netravali et al. 2015)", edges / 1e3, rates, None)


def recorded_changes(
    instance: PlacementInstance,
    recording: LinkRecording,
    *,
    links: Sequence[str],
    every_s: float,
    from_s: float = 0.0,
    horizon_s: float | None = None,
) -> pd.DataFrame:
    """A recording as the table that ``read_link_changes`` reads; latencies stay the instance's.

    Args:
        instance: whose links change.
        recording: what they change to, from its second ``from_s`` on, from the start again where it ends.
        links: ``a--b``: both directions have the bandwidth towards the mobile device; ``a->b``: that direction has it,
            and the other one the bandwidth from the mobile device, where it was recorded. None: all links, both ways.
        every_s: seconds over which means are taken.
        from_s: where in the recording time 0 lies.
        horizon_s: until when links change, then they are as in the instance; the recording's end where ``None``.

    Raises:
        InputError: a link is unknown or stands twice, ``from_s`` lies behind the end, or there would be
            too many changes.
    """
    last_s = float(recording.edge_s[-1])
    if from_s >= last_s:
        raise InputError("--from-s", f"{from_s:g}", f"lies behind the end of the recording, which has {last_s:.6g} s")
    span_s = last_s - from_s if horizon_s is None else horizon_s
    if span_s > MOST_SECONDS or span_s / every_s * max(1, len(links)) > MOST_CHANGES:
        raise InputError(
            "--every-s", f"{every_s:g}", "gives more than a million changes; ask for longer means, or less"
        )
    times = np.append(np.arange(0.0, span_s, every_s), span_s)
    parts: list[pd.DataFrame] = []
    chosen = _directions(instance, links, asymmetric=recording.up_bytes_per_s is not None)
    for name, (link, upwards) in chosen.items():
        rates = recording.up_bytes_per_s if upwards else recording.down_bytes_per_s
        assert rates is not None
        mean = np.diff(_carried(recording.edge_s, rates, times + from_s)) / np.diff(times)
        mean[mean < LEAST_BYTES_PER_S] = 0.0
        mean = np.append(np.minimum(mean, MOST_BYTES_PER_S), link.bandwidth_bytes_per_s)
        kept = np.append(True, np.diff(mean) != 0)
        kept[-1] = True
        columns = (name, times[kept], mean[kept], link.latency_s)
        parts.append(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))))
    return pd.concat(parts, ignore_index=True)


def _carried(
    edge_s: NDArray[np.float64], rates: NDArray[np.float64], time_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bytes that could have gone by then, the recording repeated for ever."""
    whole = np.concatenate([[0.0], np.cumsum(np.diff(edge_s) * rates)])
    rounds, within = np.divmod(time_s, edge_s[-1])
    result: NDArray[np.float64] = rounds * whole[-1] + np.interp(within, edge_s, whole)
    return result


def _directions(instance: PlacementInstance, links: Sequence[str], *, asymmetric: bool) -> dict[str, tuple[Link, bool]]:
    """By the name in the table: the link, and whether it has the bandwidth from the mobile device."""
    known = {f"{link.a}--{link.b}": link for link in instance.links}
    found: dict[str, tuple[Link, bool]] = {}
    taken: set[str] = set()
    for name in links or known:
        a, one_way, b = name.partition("->")
        link = known.get(f"{a}--{b}", known.get(f"{b}--{a}")) if one_way else known.get(name)
        if link is None:
            raise InputError("--link", name, f"is no link of {instance.name}; {nearest(name, list(known))}")
        if f"{link.a}--{link.b}" in taken:
            raise InputError("--link", name, "is named twice; name each link once")
        taken.add(f"{link.a}--{link.b}")
        found[name] = (link, False)
        if one_way and asymmetric:
            found[f"{b}->{a}"] = (link, True)
    return found
