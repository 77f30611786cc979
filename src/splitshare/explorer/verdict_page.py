"""A verdict as one page that opens without a network: the words, the profile, the gaps, the duels and what failed."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import pandas as pd
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models.ranges import FactorRange
from bokeh.models.sources import ColumnDataSource
from bokeh.models.tools import HoverTool
from bokeh.models.widgets import DataTable, Div, TableColumn
from bokeh.plotting import figure
from bokeh.resources import INLINE

from splitshare.choices import Sense
from splitshare.figures.palette import DUELS, NEW, PALETTE
from splitshare.figures.performance import FACTORS, TITLES, profile_shares
from splitshare.results.verdict import Verdict, gaps, per_instance


def verdict_page(
    method: str,
    paragraphs: Sequence[str],
    verdicts: Sequence[Verdict],
    results: pd.DataFrame,
    failures: pd.DataFrame,
    sense: Sense,
) -> str:
    """The page as HTML.

    Args:
        method: name of the new method.
        paragraphs: the verdict in words.
        verdicts: one a family.
        results: rows of recorded methods and of the new one.
        failures: runs that gave no answer that holds: instance, seed, status, reason.
        sense: whether less or more is better.
    """
    words = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    parts: list[Any] = [_text(f"<h2>{html.escape(method)}: is it any good?</h2>{words}")]
    for verdict in verdicts:
        parts.append(_text(f"<h3>{html.escape(TITLES.get(verdict.family, verdict.family))}</h3>"))
        parts += [_profile(verdict, results, sense), _gaps(verdict, results, sense), _duels(verdict)]
    if len(failures):
        parts += [_text("<h3>Runs without an answer that holds</h3>"), _failures(failures)]
    return str(file_html(column(*parts, sizing_mode="stretch_width"), INLINE, f"{method}: verdict"))


def _text(words: str) -> Div:
    return Div(text=words, sizing_mode="stretch_width")


def _plot(title: str, **how: Any) -> Any:
    return figure(title=title, sizing_mode="stretch_width", tools="", toolbar_location=None, **how)


def _profile(verdict: Verdict, results: pd.DataFrame, sense: Sense) -> Any:
    """Share of instances within a factor of the best; the new method thick and black, the others by hovering."""
    shares = profile_shares(results, verdict.family, list(dict.fromkeys(results["method"])), sense)
    plot = _plot("Share of instances within a factor of the best", height=320, x_axis_type="log", y_range=(0, 1.03))
    for i, (name, share) in enumerate(shares.items()):
        new = name == verdict.method
        look = (
            {"color": NEW["color"], "line_width": 3} if new else {"color": PALETTE[i % len(PALETTE)], "line_width": 1.5}
        )
        line = plot.step(FACTORS, share.to_numpy(), mode="after", **look)
        plot.add_tools(HoverTool(renderers=[line], tooltips=str(name), line_policy="nearest"))
    plot.xaxis.axis_label = "Factor, at most"
    return plot


def _gaps(verdict: Verdict, results: pd.DataFrame, sense: Sense) -> Any:
    """The gap of the new method on every instance, from the least, and of the best recorded method beside it."""
    part = results[results["family"] == verdict.family]
    own = per_instance(part[part["method"] == verdict.method], sense)
    others = part[part["method"] != verdict.method]
    best = others.groupby(["family", "instance"])["objective"].agg("min" if sense == "min" else "max")
    table = own.assign(best=gaps(best.reindex(own.index), own["reference"], sense)).sort_values("gap")
    data: dict[str, Any] = {
        "place": list(range(len(table))),
        "instance": [str(index[1]) for index in table.index],
        "gap": [100 * float(value) for value in table["gap"]],
        "best": [100 * float(value) for value in table["best"]],
    }
    source = ColumnDataSource(data)
    plot = _plot("Gap to the reference on every instance (%)", height=280)
    plot.scatter("place", "best", source=source, marker="dash", size=7, color=PALETTE[7], legend_label="best recorded")
    dots = plot.scatter("place", "gap", source=source, size=6, color=PALETTE[0], legend_label=verdict.method)
    shown = [("instance", "@instance"), ("gap", "@gap{0.000} %"), ("best recorded", "@best{0.000} %")]
    plot.add_tools(HoverTool(renderers=[dots], tooltips=shown))
    plot.legend.location = "top_left"
    plot.xaxis.visible = False
    return plot


def _duels(verdict: Verdict) -> Any:
    """Wins, ties and losses against every recorded method."""
    names = [duel.baseline for duel in reversed(verdict.duels)]
    data: dict[str, Any] = {"name": names}
    for kind in DUELS:
        data[kind] = [getattr(duel, kind) for duel in reversed(verdict.duels)]
    data["p"] = [f"{duel.p_value:.2g}" for duel in reversed(verdict.duels)]
    source = ColumnDataSource(data)
    plot = _plot(
        "Instances on which it wins, ties and loses", height=90 + 24 * len(names), y_range=FactorRange(factors=names)
    )
    bars = plot.hbar_stack(
        list(DUELS),
        y="name",
        height=0.75,
        source=source,
        color=[colour for _, colour in DUELS.values()],
        legend_label=[title for title, _ in DUELS.values()],
    )
    shown = [("against", "@name"), *((title, f"@{kind}") for kind, (title, _) in DUELS.items()), ("adjusted p", "@p")]
    plot.add_tools(HoverTool(renderers=bars, tooltips=shown))
    plot.add_layout(plot.legend[0], "below")
    plot.legend.orientation = "horizontal"
    return plot


def _failures(failures: pd.DataFrame) -> DataTable:
    source = ColumnDataSource({name: [str(value) for value in failures[name]] for name in failures.columns})
    widths = {"instance": 240, "seed": 60, "status": 100, "reason": 500}
    columns = [
        TableColumn(field=name, title=name.capitalize(), width=widths.get(name, 100)) for name in failures.columns
    ]
    return DataTable(
        source=source,
        columns=columns,
        fit_columns=False,
        index_position=None,
        reorderable=False,
        height=220,
        sizing_mode="stretch_width",
    )
