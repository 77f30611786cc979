"""The emulator beside the simulator: how far latencies are apart, what explains it, one timeline, and a crash.

Drawn from a recorded campaign (``make record-emulation``): emulated times differ between runs and machines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.style import (
    COLUMN_WIDTH_IN,
    NETWORKS,
    REPLAYS,
    STAGES,
    STATUSES,
    paper_style,
    save_figure,
    save_table,
)
from splitshare.replay.metrics import OVERALL
from splitshare.results.timeline import LINK, timeline_table

DECLARATION = Declaration(
    name="fidelity",
    category="Replay",
    records=(
        "emulation/fidelity.csv",
        "emulation/fidelity-namespaces.csv",
        "emulation/fidelity-batches.csv",
        "emulation/timeline.csv",
        "emulation/recovery.csv",
        "emulation/recoveries.csv",
    ),
    tables=("fidelity", "emulated_timeline", "recovery"),
    drawn=("fidelity", "emulated_timeline", "recovery"),
    caption="Replays by worker processes over shaped links beside the simulator's, recorded on one machine.",
    takeaway=(
        "With the two measured terms the simulator says what the emulator does; without them it is a little too fast."
    ),
)

FIDELITY, TIMELINE, RECOVERY = "fidelity", "emulated_timeline", "recovery"
FILES = ("fidelity", "fidelity-namespaces", "fidelity-batches")
"""Of the recorded campaign, among the baselines."""
METRIC_TITLES = {"mean_s": "mean", "p50_s": "p50", "p95_s": "p95", "p99_s": "p99"}
FAR = 3.0
"""A difference of more than so many times the third quartile would squeeze all others into a corner."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables and figures ``fidelity``, ``emulated_timeline`` and ``recovery``."""
    fidelity = pd.concat([inputs.record(f"emulation/{name}.csv") for name in FILES], ignore_index=True)
    timeline = both_timelines(inputs.record("emulation/timeline.csv"))
    requests = inputs.record("emulation/recovery.csv")
    recoveries = inputs.record("emulation/recoveries.csv")
    save_table(fidelity, output, FIDELITY, caption="Emulated and simulated replays of the same requests.")
    save_table(timeline, output, TIMELINE, caption="Stages of idle requests, emulated and simulated (seconds).")
    save_table(recoveries, output, RECOVERY, caption="A device killed during a replay, and what followed.")
    with paper_style():
        save_figure(_errors(fidelity), output, FIDELITY)
        save_figure(_timelines(timeline), output, TIMELINE)
        save_figure(_recovery(requests, recoveries), output, RECOVERY)


def both_timelines(stages: pd.DataFrame) -> pd.DataFrame:
    """Stages of the first request of each class, emulated and simulated."""
    parts = [timeline_table(part).assign(replay=replay) for replay, part in stages.groupby("replay", sort=False)]
    return pd.concat(parts, ignore_index=True)


def _errors(fidelity: pd.DataFrame) -> Figure:
    """Simulated against emulated latency over all requests of an instance, with the spread of repeated runs.

    All panels have one range; a point far beyond the others stands at its edge with its value.
    """
    overall = fidelity[
        (fidelity["request"] == OVERALL) & fidelity["metric"].isin(list(METRIC_TITLES)) & fidelity["emulated"].notna()
    ]
    percent = pd.DataFrame(
        {
            "low": overall["emulated_low"] / overall["emulated"] - 1,
            "high": overall["emulated_high"] / overall["emulated"] - 1,
            "simulated": overall["error"],
            "explained": overall["error_with_overheads"],
        }
    ).mul(100)
    near = percent[percent.abs() <= FAR * float(percent["simulated"].abs().quantile(0.75))]
    limits = float(near.min().min()), float(near.max().max())
    emulations = overall.groupby(["network", "max_batch", "instance"], sort=False)["metric"]
    figure = Figure(figsize=(COLUMN_WIDTH_IN * 2, 0.9 + 0.95 * len(emulations)))
    panels = figure.subplots(len(emulations), 1, sharex=True, squeeze=False)[:, 0]
    for axes, ((network, max_batch, instance), metrics) in zip(panels, emulations, strict=True):
        rows = percent.loc[metrics.index]
        axes.hlines(range(len(rows)), rows["low"], rows["high"], color=REPLAYS["emulated"][1], linewidth=5, alpha=0.4)
        for key, marker, inset in (("simulated", "o", 6), ("explained", "x", 42)):
            _points(axes, rows[key].tolist(), limits, marker, inset, *REPLAYS[key])
        axes.axvline(0, color="black", linewidth=0.5)
        axes.set_yticks(range(len(rows)), [METRIC_TITLES[str(metric)] for metric in metrics])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        beside = "" if network == "proxy" else f", {NETWORKS[str(network)][0].lower()}"
        batches = f", batches of up to {max_batch}" if max_batch != 1 else ""
        axes.set_title(f"{instance}{beside}{batches}", loc="left")
    margin = 0.05 * (limits[1] - limits[0])
    panels[-1].set_xlim(limits[0] - margin, limits[1] + margin)
    panels[-1].set_xlabel("Difference to the emulated latency (%)")
    patches = [Patch(color=REPLAYS["emulated"][1], alpha=0.4, label="Emulated, spread of repeated runs")]
    handles, _ = panels[-1].get_legend_handles_labels()
    figure.legend(handles=[*patches, *handles], loc="outside lower center", ncols=3)
    return figure


def _points(
    axes: Axes, values: Sequence[float], limits: tuple[float, float], marker: str, inset: int, title: str, colour: str
) -> None:
    """A mark a row; beyond the limits an arrow at the edge, and the value so many points from it."""
    near = [value if limits[0] <= value <= limits[1] else math.nan for value in values]
    axes.plot(near, range(len(values)), marker, color=colour, label=title, markersize=4)
    for place, value in enumerate(values):
        if limits[0] <= value <= limits[1] or math.isnan(value):
            continue
        left = value < limits[0]
        edge = limits[0] if left else limits[1]
        axes.plot(edge, place, "<" if left else ">", color=colour, markersize=5)
        axes.annotate(
            f"{value:.1f} %",
            (edge, place),
            (inset if left else -inset, -2.5),
            textcoords="offset points",
            ha="left" if left else "right",
            size=7,
            color=colour,
        )


def _timelines(timeline: pd.DataFrame) -> Figure:
    """Each stage twice on its device or link: emulated above, simulated below."""
    requests = list(dict.fromkeys(timeline["request"]))
    figure = Figure(figsize=(COLUMN_WIDTH_IN * 2, 0.6 + 1.3 * len(requests)))
    for axes, request in zip(figure.subplots(len(requests), 1, squeeze=False)[:, 0], requests, strict=True):
        _timeline_panel(axes, timeline[timeline["request"] == request])
        axes.set_title(request, loc="left")
    axes.set_xlabel("Time since the request's arrival (s)")
    patches = [Patch(color=colour, label=title) for title, colour in STAGES.values()]
    patches.append(Patch(facecolor="white", edgecolor="black", hatch="////", label="simulated (below)"))
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    return figure


def _timeline_panel(axes: Axes, rows: pd.DataFrame) -> None:
    lanes = sorted(dict.fromkeys(rows["lane"]), key=lambda lane: (LINK in lane, lane))
    for row in rows.itertuples():
        _, colour = STAGES.get(str(row.stage), STAGES["transfer"])
        simulated = row.replay == "simulated"
        start_s, finish_s = float(row.start_s), float(row.finish_s)  # type: ignore[arg-type]
        axes.barh(
            lanes.index(str(row.lane)) + (0.2 if simulated else -0.2),
            finish_s - start_s,
            left=start_s,
            height=0.36,
            color="white" if simulated else colour,
            edgecolor=colour,
            hatch="////" if simulated else None,
            linewidth=0.6,
        )
    axes.set_yticks(range(len(lanes)), [lane.replace(LINK, " → ") for lane in lanes])
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _recovery(requests: pd.DataFrame, recoveries: pd.DataFrame) -> Figure:
    """Latency of each request by its arrival, with the crash, its detection and the new placement."""
    figure = Figure(figsize=(COLUMN_WIDTH_IN, 2.5))
    axes = figure.subplots()
    served = requests[requests["status"] == "ok"]
    title, colour = STATUSES["ok"]
    axes.plot(served["arrival_s"], served["latency_s"], "o", color=colour, label=title, markersize=3.5)
    for status in ("failed", "dropped"):
        lost = requests[requests["status"] == status]
        if len(lost):
            title, colour = STATUSES[status]
            axes.plot(lost["arrival_s"], [0.0] * len(lost), "x", color=colour, label=title, markersize=5)
    for i, row in enumerate(recoveries.itertuples()):
        broken_s, recovered_s = float(row.broken_s), float(row.recovered_s)  # type: ignore[arg-type]
        axes.axvline(broken_s, color="black", linewidth=0.8, label=f"{row.device} killed" if i == 0 else None)
        axes.axvspan(broken_s, recovered_s, alpha=0.2, color="black", label="until served anew" if i == 0 else None)
    axes.set_xlabel("Arrival of the request (s)")
    axes.set_ylabel("Latency (s)")
    axes.set_ylim(bottom=-0.05)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
