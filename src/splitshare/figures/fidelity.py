"""The emulator beside the simulator: how far latencies are apart, what explains it, one timeline, and a crash.

Drawn from a recorded campaign (``make record-emulation``): emulated times differ between runs and machines.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from splitshare.catalog.loader import Catalog
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import NETWORKS, REPLAYS, STAGES, STATUS_MARKS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below, paper_style, save_figure, save_table
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
SLO = "slo_attainment"
METRIC_TITLES = {"mean_s": "Mean", "p50_s": "p50", "p95_s": "p95", "p99_s": "p99", SLO: "In time (SLO)"}
EMULATION = ["network", "max_batch", "instance"]
"""What tells one emulation from another."""


def draw(inputs: Inputs, output: Path) -> None:
    """Write the tables and figures ``fidelity``, ``emulated_timeline`` and ``recovery``."""
    fidelity = pd.concat([inputs.record(f"emulation/{name}.csv") for name in FILES], ignore_index=True)
    timeline = both_timelines(inputs.record("emulation/timeline.csv"))
    requests = inputs.record("emulation/recovery.csv")
    recoveries = inputs.record("emulation/recoveries.csv")
    save_table(fidelity, output, FIDELITY)
    save_table(timeline, output, TIMELINE)
    save_table(recoveries, output, RECOVERY)
    with paper_style():
        save_figure(_errors(differences(fidelity), inputs.instance_title), output, FIDELITY)
        save_figure(_timelines(timeline, inputs.catalog), output, TIMELINE)
        save_figure(_recovery(requests, recoveries), output, RECOVERY)


def both_timelines(stages: pd.DataFrame) -> pd.DataFrame:
    """Stages of the first request of each class, emulated and simulated."""
    parts = [timeline_table(part).assign(replay=replay) for replay, part in stages.groupby("replay", sort=False)]
    return pd.concat(parts, ignore_index=True)


def differences(fidelity: pd.DataFrame) -> pd.DataFrame:
    """One row an emulation and metric over all its requests: simulated less emulated, in percent (SLO: in points).

    ``low`` and ``high`` are the spread of repeated runs around their mean, ``simulated`` and ``explained`` the
    simulator without and with the measured overheads. Metrics that too few requests say nothing about are left out.
    """
    rows = fidelity[
        (fidelity["request"] == OVERALL) & fidelity["metric"].isin(list(METRIC_TITLES)) & fidelity["emulated"].notna()
    ]
    points = rows["metric"] == SLO
    scale = rows["emulated"].where(~points, 1.0) / 100
    spread = {key: (rows[f"emulated_{key}"] - rows["emulated"]) / scale for key in ("low", "high")}
    # Of a share the recorded errors are differences already.
    errors = {
        key: 100 * rows[column] for key, column in (("simulated", "error"), ("explained", "error_with_overheads"))
    }
    return rows[["instance", "network", "max_batch", "n", "metric"]].assign(**spread, **errors)


def _errors(table: pd.DataFrame, names: Callable[[str], str]) -> Figure:
    """A row an emulation, a panel a metric: the simulator's differences to it, and the spread of its repeated runs."""
    emulations = table.drop_duplicates(EMULATION)[EMULATION].reset_index(drop=True)
    metrics = [metric for metric in METRIC_TITLES if (table["metric"] == metric).any()]
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.0 + 0.36 * len(emulations)))
    for axes, metric in zip(figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0], metrics, strict=True):
        rows = emulations.merge(table[table["metric"] == metric], on=EMULATION, how="left")
        title, colour = REPLAYS["emulated"]
        spread = {"color": colour, "linewidth": 4, "label": f"{title}, spread of repeated runs"}
        axes.hlines(rows.index, rows["low"], rows["high"], **spread)
        for key, mark in (("simulated", "o"), ("explained", "x")):
            title, colour = REPLAYS[key]
            axes.plot(rows[key], rows.index, mark, color=colour, label=title, markersize=4)
        axes.axvline(0, color="black", linewidth=0.5)
        axes.set_title(METRIC_TITLES[metric])
        axes.set_xlabel("points" if metric == SLO else "%")
        axes.margins(x=0.12)
        axes.set_yticks(emulations.index, [_title(row, names) for _, row in emulations.iterrows()])
        axes.set_ylim(len(emulations) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _title(row: pd.Series, names: Callable[[str], str]) -> str:
    network = "" if row["network"] == "proxy" else f"; {NETWORKS[row['network']][0].lower()}"
    batches = f"; batches of up to {row['max_batch']}" if row["max_batch"] != 1 else ""
    return fill(names(row["instance"]) + network + batches, 36)


def _timelines(timeline: pd.DataFrame, catalog: Catalog) -> Figure:
    """Each stage twice on its device or link: emulated above, simulated below."""
    requests = list(dict.fromkeys(timeline["request"]))
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.6 + 1.3 * len(requests)))
    for axes, request in zip(figure.subplots(len(requests), 1, squeeze=False)[:, 0], requests, strict=True):
        _timeline_panel(axes, timeline[timeline["request"] == request])
        axes.set_title(catalog.model(str(request)).title, loc="left")
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
    """Latencies around the crash, over all crashes, and how long detection, placing anew and serving anew took."""
    figure = Figure(figsize=(PAGE_WIDTH_IN, 2.6))
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
    since_s = requests["arrival_s"] - requests["crash"].map(recoveries.set_index("crash")["broken_s"])
    for status, (title, mark) in STATUS_MARKS.items():
        part = requests["status"] == status
        if part.any():
            seconds = requests["latency_s"].where(part)[part].fillna(0.0)
            left.plot(since_s[part], seconds, linestyle="none", label=title, **mark)
    left.axvline(0, color="black", linewidth=0.8, label=f"{recoveries['device'].iloc[0]} killed")
    left.set_xlabel("Arrival since the crash (s)")
    left.set_ylabel("Latency (s)")
    spans = recovery_spans(recoveries)
    for row, (_, seconds) in enumerate(spans.items()):
        right.plot(seconds, [row] * len(seconds), "|", color=STATUS_MARKS["ok"][1]["color"], markersize=8)
        low, middle, high = seconds.quantile([0.1, 0.5, 0.9])
        right.annotate(
            f"{middle:.3g} s ({low:.3g} to {high:.3g})",
            (0.02, row),
            xycoords=("axes fraction", "data"),
            xytext=(0, 7),
            textcoords="offset points",
            size=7,
        )
    right.set_yticks(range(spans.shape[1]), list(spans.columns))
    right.set_ylim(spans.shape[1] - 0.5, -0.7)
    right.set_xscale("log")
    right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.xaxis.set_minor_formatter(NullFormatter())
    right.set_xlabel("Seconds; median (p10 to p90)")
    legend_below(figure, left, columns=3)
    return figure


def recovery_spans(recoveries: pd.DataFrame) -> pd.DataFrame:
    """Seconds of every crash from the loss to its detection, from that to the new placement, and to the next answer."""
    return pd.DataFrame(
        {
            "Detected": recoveries["detected_s"] - recoveries["broken_s"],
            "Placed anew": recoveries["replaced_s"] - recoveries["detected_s"],
            "Served anew": recoveries["recovered_s"] - recoveries["broken_s"],
        }
    )
