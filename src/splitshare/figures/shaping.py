"""How well the emulator's links are shaped, over rates and latencies, by the self-check that runs before each replay.

Drawn from a recorded campaign (``make record-emulation``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import NETWORKS
from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table

DECLARATION = Declaration(
    name="shaping",
    category="Replay",
    records=("emulation/shaping-proxy.csv", "emulation/shaping-namespaces.csv"),
    tables=("link_shaping",),
    drawn=("link_shaping",),
    caption="Rates and latencies of the emulator's links beside what was configured, recorded on one machine.",
    takeaway=(
        "The emulator's links are as configured within a few percent of the rate and a fraction of a millisecond."
    ),
)

NAME = "link_shaping"
FILES = tuple(f"emulation/shaping-{network}.csv" for network in NETWORKS)
DELAY_AIM_MS = 0.5
RATE_AIMS = ((10.0, 100.0, 1.4), (100.0, 1000.0, 3.0))
"""Between which Mbit/s a rate is to be within how many per cent: aims that were stated before this was measured."""
SPREAD = 0.06
"""By which the networks' points lie beside each other, as a factor."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and figure ``link_shaping``."""
    measured = pd.concat([inputs.record(file) for file in FILES], ignore_index=True)
    save_table(table(measured), output, NAME)
    with paper_style():
        save_figure(_figure(measured), output, NAME)


def table(measured: pd.DataFrame) -> pd.DataFrame:
    """A row a network, rate and latency: mean and largest deviation over directions and repeats."""
    off = measured.assign(
        mbit_per_s=measured["bytes_per_s"] * 8e-6,
        rate_off_percent=measured["rate_error"].abs() * 100,
        delay_off_ms=measured["delay_error_s"].abs() * 1e3,
    )
    by_link = off.groupby(["network", "mbit_per_s", "latency_s"], sort=False).agg(
        n=("link", "size"),
        rate_off_percent_mean=("rate_off_percent", "mean"),
        rate_off_percent_max=("rate_off_percent", "max"),
        delay_off_ms_mean=("delay_off_ms", "mean"),
        delay_off_ms_max=("delay_off_ms", "max"),
    )
    facts = measured.groupby("network", sort=False)[["machine", "date"]].first()
    return by_link.reset_index().merge(facts, left_on="network", right_index=True)


def _figure(measured: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 3.6))
    rate, delay = figure.subplots(2, 1, sharex=True)
    for i, (network, (title, mark)) in enumerate(NETWORKS.items()):
        rows = measured[measured["network"] == network]
        beside = rows["bytes_per_s"] * 8e-6 * (1 + SPREAD * (2 * i - 1))
        style = {
            "label": title,
            "markersize": 3,
            "linestyle": "none",
            "fillstyle": "none",
            "markeredgewidth": 0.7,
            **mark,
        }
        rate.plot(beside, rows["rate_error"] * 100, **style)
        delay.plot(beside, rows["delay_error_s"] * 1e3, **style)
    for low, high, aim in RATE_AIMS:
        _aim(rate, low, high, aim)
    _aim(delay, 10.0, 1000.0, DELAY_AIM_MS)
    rate.set_ylabel("Rate: off by (%)")
    delay.set_ylabel("Latency: off by (ms)")
    delay.set_xscale("log")
    delay.set_xticks([10, 100, 1000], ["10", "100", "1000"])
    delay.set_xlabel("Configured rate (Mbit/s)")
    legend_below(figure, delay, columns=3)
    return figure


def _aim(axes: Axes, low: float, high: float, aim: float) -> None:
    first = not any(line.get_label() == "Aim" for line in axes.get_lines())
    for i, value in enumerate((-aim, aim)):
        axes.plot(
            [low, high], [value, value], "--", color="black", linewidth=0.6, label="Aim" if first and not i else None
        )
