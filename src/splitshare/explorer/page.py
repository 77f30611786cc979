"""The page: Bokeh's own widgets, table and plots, with its scripts inside, so that it opens without a network."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models.annotations import LabelSet
from bokeh.models.callbacks import CustomJS
from bokeh.models.filters import CustomJSFilter
from bokeh.models.ranges import FactorRange, Range1d
from bokeh.models.sources import CDSView, ColumnDataSource
from bokeh.models.tools import HoverTool
from bokeh.models.widgets import DataTable, Div, NumberFormatter, Select, TableColumn, TextInput
from bokeh.plotting import figure
from bokeh.resources import INLINE

from splitshare.explorer.data import RUN, Explored
from splitshare.figures.palette import BLUE, GREY, STAGES

ALL = "(all)"
TITLE = "splitshare: every result"
HEAD = """<h2 style="margin:0">Every result</h2><p>Filter the table, and click a row: its placement is drawn on the
testbed below (★ asks), and an idle request of each class over time. Recorded results of other methods have no
placement. Hover over links and stages for more.</p>"""
NUMBERS = {"latency_s": "0.0000", "accuracy_percent": "0.00", "gap_percent": "0.00"}
TITLES = {
    "workload": ("Workload or instance", 170),
    "method": ("Method", 150),
    "latency_s": ("Latency (s)", 85),
    "gap_percent": ("Gap (%)", 75),
    "testbed": ("Testbed", 230),
    "status": ("Status", 80),
    "accuracy_percent": ("Accuracy (%)", 90),
    "family": ("Family", 150),
}
"""Titles of the columns and their widths in pixels; what matters most comes first, for narrow screens."""
FILTERED = ("family", "testbed", "method")
SHOWN = """
const data = source.data, n = data.key.length, kept = [];
const wanted = {family: family.value, testbed: testbed.value, method: method.value};
const text = words.value.toLowerCase();
for (let i = 0; i < n; i++) {
  let keep = true;
  for (const name in wanted) keep = keep && (wanted[name] === all || data[name][i] === wanted[name]);
  kept.push(keep && (text === "" || String(data.workload[i]).toLowerCase().includes(text)));
}
return kept;
"""
TYPED = "words.value = words.value_input; source.change.emit();"
CLICKED = """
const i = source.selected.indices[0];
const empty = {x: [], y: [], device: [], words: []};
const none = {lane: [], start: [], end: [], stage: [], what: [], colour: []};
if (i === undefined || source.data.key[i] === "") {
  boxes.data = empty;
  links.data = {x0: [], y0: [], x1: [], y1: [], link: []};
  bars.data = none;
  told.text = i === undefined ? "" : "No placement is kept of this result.";
  return;
}
const key = source.data.key[i], laid = testbeds[key.split(" ")[0]], held = placements[key], run = timelines[key];
boxes.data = {
  x: laid.x, y: laid.y, device: laid.device,
  words: laid.name.map((name, j) => [laid.memory[j], ...held[name]].join("\\n")),
};
links.data = {x0: laid.x0, y0: laid.y0, x1: laid.x1, y1: laid.y1, link: laid.link};
const lanes = [...new Set(run.lane)].reverse();
lane_range.factors = lanes;
bars.data = {...run, colour: run.stage.map(stage => colours[stage])};
time.height = 90 + 24 * lanes.length;
told.text = `<b>${source.data.method[i]}</b> on ${key.split(" ")[0]}: ` +
  `${Number(source.data.latency_s[i]).toPrecision(4)} s`;
"""


def page(explored: Explored) -> str:
    """The page as HTML."""
    source = ColumnDataSource({name: _plain(explored.results[name]) for name in explored.results.columns})
    offered = {name: _options(explored.results[name]) for name in FILTERED}
    selects = {name: Select(title=TITLES[name][0], options=offered[name], value=ALL) for name in FILTERED}
    selects["family"].value = RUN if RUN in offered["family"] else ALL
    words = TextInput(title="Workload or instance contains")
    filters = {**selects, "words": words}
    shown = CustomJSFilter(args={"all": ALL, **filters}, code=SHOWN)
    changed = CustomJS(args={"source": source}, code="source.change.emit();")
    for name in FILTERED:
        selects[name].js_on_change("value", changed)
    typed = CustomJS(args={"words": words, "source": source}, code=TYPED)
    words.js_on_change("value_input", typed)
    table = DataTable(
        source=source,
        view=CDSView(filter=shown),
        columns=[_column(name, *told) for name, told in TITLES.items()],
        fit_columns=False,
        index_position=None,
        reorderable=False,
        height=320,
        sizing_mode="stretch_width",
        name="results",
    )
    told = Div(text="", name="told", sizing_mode="stretch_width")
    plots = _plots()
    arguments = {
        "source": source,
        "testbeds": explored.testbeds,
        "placements": explored.placements,
        "timelines": explored.timelines,
        "colours": {stage: colour for stage, (_, colour) in STAGES.items()},
        "told": told,
        **plots,
    }
    source.selected.js_on_change("indices", CustomJS(args=arguments, code=CLICKED))
    whole = column(
        Div(text=HEAD, sizing_mode="stretch_width"),
        *filters.values(),
        table,
        told,
        plots["bed"],
        plots["time"],
        sizing_mode="stretch_width",
    )
    return str(file_html(whole, INLINE, TITLE))


def _plots() -> dict[str, Any]:
    """The testbed's plot, the timeline's, and what they are drawn from."""
    boxes = ColumnDataSource({"x": [], "y": [], "device": [], "words": []}, name="boxes")
    links = ColumnDataSource({"x0": [], "y0": [], "x1": [], "y1": [], "link": []})
    bars = ColumnDataSource({"lane": [], "start": [], "end": [], "stage": [], "what": [], "colour": []}, name="bars")
    bed = figure(
        height=420,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        x_range=Range1d(start=-1.9, end=1.9),
        y_range=Range1d(start=-1.6, end=1.35),
    )
    lines = bed.segment("x0", "y0", "x1", "y1", source=links, color=GREY, line_width=2)
    bed.scatter("x", "y", source=boxes, size=10, marker="square", color=BLUE)
    bed.add_tools(HoverTool(renderers=[lines], tooltips=[("link", "@link")], line_policy="interp"))
    style: dict[str, Any] = {"source": boxes, "x": "x", "y": "y", "x_offset": 9, "text_font_size": "12px"}
    style |= {"background_fill_color": "white", "background_fill_alpha": 0.85}
    bed.add_layout(LabelSet(text="device", y_offset=6, text_font_style="bold", **style))
    bed.add_layout(LabelSet(text="words", y_offset=2, text_baseline="top", text_line_height=1.1, **style))
    bed.axis.visible = False
    bed.frame_align = False  # not as far to the right as the timeline, whose lanes have long names
    bed.grid.visible = False
    lane_range = FactorRange(factors=[])
    time = figure(
        height=120,
        sizing_mode="stretch_width",
        tools="",
        toolbar_location=None,
        y_range=lane_range,
        x_axis_label="Time (s)",
    )
    drawn = time.hbar("lane", left="start", right="end", height=0.7, color="colour", source=bars)
    shown = [("stage", "@stage"), ("module", "@what"), ("from", "@start s"), ("to", "@end s")]
    time.add_tools(HoverTool(renderers=[drawn], tooltips=shown))
    return {"boxes": boxes, "links": links, "bars": bars, "bed": bed, "time": time, "lane_range": lane_range}


def _column(name: str, title: str, width: int) -> TableColumn:
    if name not in NUMBERS:
        return TableColumn(field=name, title=title, width=width)
    formatter = NumberFormatter(format=NUMBERS[name], nan_format="–", text_align="right")
    return TableColumn(field=name, title=title, width=width, formatter=formatter)


def _plain(values: pd.Series) -> list[Any]:
    """Values for the page: a number that is not there is not a number."""
    if values.name not in NUMBERS:
        return [str(value) for value in values]
    return [math.nan if pd.isna(value) else float(value) for value in values]


def _options(values: pd.Series) -> list[str | tuple[Any, str]]:
    return [ALL, *dict.fromkeys(str(value) for value in values if str(value))]
