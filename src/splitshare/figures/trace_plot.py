"""A request trace drawn: when requests arrive, how unevenly, and of which classes they are."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from splitshare.figures.palette import BLUE, GREY
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.replay.traces import RequestTrace

ARRIVALS = "arrivals"
"""Name of its files."""
BINS = 200
FEWEST_WINDOWS = 20
"""A dispersion is told of so many windows at least."""
MOST_CLASSES = 12


def dispersion(arrival_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Index of dispersion of counts: variance over mean of arrivals in windows of a length; 1 for a Poisson process.

    Args:
        arrival_s: ascending, shape (requests,).

    Returns:
        Lengths of windows in seconds, from the mean gap to a twentieth of the trace, and the index at each.
    """
    span_s = float(arrival_s[-1] - arrival_s[0])
    gap_s = span_s / max(len(arrival_s) - 1, 1)
    if span_s <= 0 or span_s / FEWEST_WINDOWS <= gap_s:
        return np.zeros(0), np.zeros(0)
    windows_s = np.geomspace(gap_s, span_s / FEWEST_WINDOWS, 25)
    index = []
    for window_s in windows_s:
        number = int(span_s / window_s)
        counts = np.histogram(arrival_s - arrival_s[0], bins=number, range=(0, number * window_s))[0]
        index.append(counts.var() / counts.mean())
    return windows_s, np.array(index)


def trace_figure(trace: RequestTrace) -> Figure:
    """Arrivals a second over time, their index of dispersion by the length of windows, and the mix of classes."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.2))
    axes: list[Axes] = list(figure.subplots(1, 3, width_ratios=[1.5, 1, 0.9]))
    _rates(axes[0], trace.arrival_s)
    _dispersions(axes[1], trace.arrival_s)
    _mix(axes[2], trace)
    return figure


def _rates(axis: Axes, arrival_s: NDArray[np.float64]) -> None:
    last_s = float(arrival_s[-1])
    unit, name = next(
        ((u, n) for u, n in ((86_400, "days"), (3600, "hours"), (60, "minutes")) if last_s > 3 * u), (1, "s")
    )
    counts, edges = np.histogram(arrival_s, bins=BINS, range=(0, last_s or 1.0))
    axis.stairs(counts / np.diff(edges), edges / unit, fill=True, color=BLUE)
    axis.set(xlabel=f"Time ({name})", ylabel="Requests per s", xlim=(0, edges[-1] / unit), ylim=(0, None))
    axis.set_title(f"{len(arrival_s):,} requests", loc="left")


def _dispersions(axis: Axes, arrival_s: NDArray[np.float64]) -> None:
    windows_s, index = dispersion(arrival_s)
    axis.set(xscale="log", yscale="log", xlabel="Window (s)", ylabel="Index of dispersion")
    axis.axhline(1.0, color=GREY, linestyle="--", linewidth=0.8)
    if len(windows_s):
        axis.plot(windows_s, np.maximum(index, 1e-3), color=BLUE, marker="o", markersize=2.5)
        axis.set_title(f"{index[-1]:.3g} at {windows_s[-1]:.3g} s; Poisson: 1", loc="left")
    else:
        axis.set_title("Too few requests to tell", loc="left")


def _mix(axis: Axes, trace: RequestTrace) -> None:
    shares = np.bincount(trace.request_class, minlength=len(trace.classes)) / len(trace)
    order = np.argsort(shares)[::-1][:MOST_CLASSES]
    names = [trace.classes[i] if len(trace.classes[i]) <= 18 else f"{trace.classes[i][:17]}…" for i in order]
    axis.barh(range(len(order)), shares[order], color=BLUE, height=0.7)
    axis.set(yticks=range(len(order)), yticklabels=names, xlabel="Share of requests", xlim=(0, None))
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    sizes = trace.size
    spread = f"Sizes: median {np.median(sizes):.2g}, most {sizes.max():.2g}"
    axis.set_title("All of size 1" if np.all(sizes == 1) else spread, loc="left")
