"""What the figures of latency by method share: their table and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import method_key, methods_among
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import legend_below

OPTIMUM = "optimum"


def latency_table(placements: pd.DataFrame) -> pd.DataFrame:
    """One row a workload and testbed, one column a method: mean idle latency in seconds, empty where infeasible."""
    shown = placements.assign(method=placements["method"].map(method_key))
    first = shown.drop_duplicates(["workload", "testbed", "method"])  # two solvers prove the same optimum
    table = first.pivot(index=["testbed", "workload"], columns="method", values="objective_s")  # noqa: PD010
    order = first[["testbed", "workload"]].drop_duplicates()
    columns = list(methods_among(shown["method"]))
    named = {m: column_of(m) for m in columns}
    return order.merge(table[columns].rename(columns=named).reset_index(), on=["testbed", "workload"], sort=False)


def compute_provenance(inputs: Inputs, testbed: str) -> str:
    """Where the compute times of a testbed's devices come from, such as ``laptop: derived, published``."""
    told = []
    for device in dict.fromkeys(d.device_type for d in inputs.testbed(testbed).devices):
        kinds = sorted({row.provenance for row in inputs.device_profile(device).rows})
        told.append(f"{device}: {', '.join(kinds)}")
    return "; ".join(told)


def column_of(method: str) -> str:
    """The table's column of a method."""
    return f"{method.replace('-', '_')}_s"


def latency_figure(
    table: pd.DataFrame, methods: Iterable[str], workload_titles: dict[str, str], testbed_titles: dict[str, str]
) -> Figure:
    """A panel a testbed, a row a workload, a mark a method; a method that does not fit has no mark.

    Args:
        table: as ``latency_table`` gives it.
        methods: what is drawn.
        workload_titles: titles of the rows by workload.
        testbed_titles: titles of the panels by testbed.
    """
    testbeds, workloads = list(testbed_titles), list(workload_titles)
    drawn = methods_among(methods)
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.2 + 0.19 * len(workloads)))
    for axes, testbed in zip(
        figure.subplots(1, len(testbeds), sharex=True, sharey=True, squeeze=False)[0], testbeds, strict=True
    ):
        part = table[table["testbed"] == testbed].set_index("workload").reindex(workloads)
        for method, (title, colour, mark) in drawn.items():
            values = part[column_of(method)]
            axes.plot(values, range(len(workloads)), linestyle="none", color=colour, label=title, **mark)
        axes.set_yticks(range(len(workloads)), workload_titles.values())
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("Mean latency, idle (s)")
        axes.set_title(fill(testbed_titles[testbed], 22))
    axes.invert_yaxis()
    legend_below(figure, axes, columns=min(len(drawn), 6))
    return figure


def ratio_figure(table: pd.DataFrame, methods: Iterable[str], testbed_titles: dict[str, str]) -> Figure:
    """A panel a testbed, a row a method, a mark a workload: its latency as a multiple of the optimum's.

    Args:
        table: as ``latency_table`` gives it.
        methods: what is drawn, beside the optimum.
        testbed_titles: titles of the panels by testbed.
    """
    drawn = {key: style for key, style in methods_among(methods).items() if key != OPTIMUM}
    figure = Figure(figsize=(PAGE_WIDTH_IN, 1.3 + 0.24 * len(drawn)))
    panels = figure.subplots(1, len(testbed_titles), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (testbed, heading) in zip(panels, testbed_titles.items(), strict=True):
        part = table[table["testbed"] == testbed]
        for row, (method, (_, colour, _)) in enumerate(drawn.items()):
            ratios = (part[column_of(method)] / part[column_of(OPTIMUM)]).dropna()
            axes.plot(ratios, [row] * len(ratios), "|", color=colour, markersize=7)
            if len(ratios):
                axes.plot(ratios.median(), row, "o", color=colour, markersize=4.5, markeredgecolor="white", zorder=3)
            beside = {"xycoords": ("axes fraction", "data"), "xytext": (0, 5), "textcoords": "offset points"}
            axes.annotate(f"{len(ratios)}/{len(part)}", (0.99, row), ha="right", size=7, **beside)
        axes.axvline(1, color="0.3", linewidth=0.8, zorder=1)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(drawn)), [title for title, *_ in drawn.values()])
        axes.set_ylim(len(drawn) - 0.5, -0.7)
        axes.set_title(fill(heading, 17))
    panels[len(panels) // 2].set_xlabel(
        "Latency as a multiple of the optimum's; dots: medians, fractions: workloads placed"
    )
    return figure
