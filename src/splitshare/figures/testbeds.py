"""The testbeds drawn: devices, their memory and what their times rest on, links, and where modules stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from splitshare.catalog.records import Testbed
from splitshare.catalog.testbeds import models_memory_bytes
from splitshare.figures.declaration import Declaration
from splitshare.figures.inputs import Inputs
from splitshare.figures.palette import METHODS
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style, save_figure, save_table
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results import rests_on

DECLARATION = Declaration(
    name="testbeds",
    category="Devices",
    inputs=("modules.json", "assignments.csv"),
    profiles="testbeds",
    tables=("testbeds",),
    drawn=("testbeds",),
    caption=(
        "The testbeds: devices with their memory for models, what the times of modules on them rest on, and where "
        "S2M3's greedy (filled) and the optimum (ring) put the modules of the workload that claim S2 is read on; bars "
        "are the memory that the greedy fills, stars the device that requests come from. Times: published, derived, "
        "assumed or measured, in percent."
    ),
    takeaway=(
        "The greedy puts modules where the optimum does, or where they are as fast; most devices' times are derived or "
        "assumed, and say so."
    ),
    claim="S4",
)

NAME = "testbeds"
GREEDY, OPTIMUM = "s2m3-greedy", "optimum"
LINE_IN, HEAD_IN, GAP_IN, BOX_GAP_IN = 0.122, 0.3, 0.14, 0.08
FIXED_LINES = 3
"""Lines of a box above its modules: name, memory, times."""
BAR_IN = 0.07
LETTERS_PER_IN = 17.5
"""Of the smallest type."""


def testbeds_table(
    testbeds: Mapping[str, Testbed],
    memory: Mapping[tuple[str, str], float],
    placed: pd.DataFrame,
    times: Mapping[str, str],
) -> pd.DataFrame:
    """One row a testbed and device: memory for models, what its times rest on, modules by the greedy and the optimum.

    Args:
        testbeds: by name.
        memory: bytes for models, by testbed and device.
        placed: testbed, method (without solver), module and device of the workload that is shown.
        times: what the times rest on, by device type.
    """
    rows = []
    for name, testbed in testbeds.items():
        for device in testbed.devices:
            here = placed[(placed["testbed"] == name) & (placed["device"] == device.name)]
            held = {method: list(here.loc[here["method"] == method, "module"]) for method in (GREEDY, OPTIMUM)}
            rows.append(
                {
                    "testbed": name,
                    "device": device.name,
                    "device_type": device.device_type,
                    "tier": device.tier,
                    "source": device.name == testbed.source,
                    "models_memory_bytes": int(memory[name, device.name]),
                    "times": times[device.device_type],
                    "greedy": ", ".join(held[GREEDY]),
                    "optimum": ", ".join(held[OPTIMUM]),
                }
            )
    return pd.DataFrame(rows)


def draw(inputs: Inputs, output: Path) -> None:
    """Write the table and the figure ``testbeds``."""
    testbeds = {name: inputs.testbed(name) for name in inputs.config.testbeds}
    profiles = {d.device_type: inputs.device_profile(d.device_type) for t in testbeds.values() for d in t.devices}
    memory = {
        (name, d.name): models_memory_bytes(d, profiles[d.device_type].device.memory_bytes)
        for name, testbed in testbeds.items()
        for d in testbed.devices
    }
    assignments = inputs.csv("assignments.csv")
    placed = assignments[assignments["workload"] == inputs.config.sharing_workload]
    methods = placed["method"].map(lambda method: OPTIMUM if method.startswith(OPTIMUM) else method)
    placed = placed.assign(method=methods).drop_duplicates(["testbed", "method", "module", "device"])
    times = {name: rests_on.in_words(rests_on.of_profiles([profile])) for name, profile in profiles.items()}
    table = testbeds_table(testbeds, memory, placed, times)
    save_table(table, output, NAME)
    with paper_style():
        save_figure(_figure(table, testbeds, inputs.descriptions()), output, NAME)


def links_in_words(testbed: Testbed) -> str:
    """Rates and one-way latencies of a testbed's links, from the least to the most."""
    rates = sorted({link.bandwidth_bytes_per_s * 8e-6 for link in testbed.links})
    delays = sorted({link.latency_s * 1e3 for link in testbed.links})
    if not rates:
        return "no links"
    links = f"{len(testbed.links)} link{'' if len(testbed.links) == 1 else 's'}"
    return f"{links}, {_range(rates)} Mbit/s, {_range(delays)} ms"


def _range(values: list[float]) -> str:
    return f"{values[0]:.3g}" if len(values) == 1 else f"{values[0]:.3g} to {values[-1]:.3g}"


def _figure(table: pd.DataFrame, testbeds: Mapping[str, Testbed], descriptions: ModuleDescriptions) -> Figure:
    """A row a testbed, a box a device."""
    most = max(len(testbed.devices) for testbed in testbeds.values())
    wide_in = (PAGE_WIDTH_IN - BOX_GAP_IN) / most - BOX_GAP_IN
    heights = [
        HEAD_IN + LINE_IN * (FIXED_LINES + _lines(table[table["testbed"] == name])) + GAP_IN for name in testbeds
    ]
    height = sum(heights)
    figure = Figure(figsize=(PAGE_WIDTH_IN, height))
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, PAGE_WIDTH_IN)
    axes.set_ylim(height, 0)
    axes.axis("off")
    top_in = 0.0
    for (name, testbed), high_in in zip(testbeds.items(), heights, strict=True):
        axes.text(BOX_GAP_IN, top_in + 0.17, f"{testbed.title}: {links_in_words(testbed)}", size=8, va="center")
        rows = table[table["testbed"] == name]
        for column, row in enumerate(rows.to_dict("records")):
            left_in = BOX_GAP_IN + column * (wide_in + BOX_GAP_IN)
            box_in = top_in + HEAD_IN
            tall_in = high_in - HEAD_IN - GAP_IN + 0.06
            frame = Rectangle((left_in, box_in), wide_in, tall_in, fill=False, edgecolor="0.4", linewidth=0.6)
            axes.add_patch(frame)
            _box(axes, {str(key): value for key, value in row.items()}, (left_in, box_in, wide_in), descriptions)
        top_in += high_in
    return figure


def _modules(row: Mapping[Any, object]) -> list[tuple[str, str]]:
    """Sign and name of every module that the greedy or the optimum puts there."""
    greedy, optimum = (str(row[key]).split(", ") if row[key] else [] for key in ("greedy", "optimum"))
    both = [name for name in greedy if name in optimum]
    return (
        [("●○", name) for name in both]
        + [("●", name) for name in greedy if name not in both]
        + [("○", name) for name in optimum if name not in both]
    )


def _lines(rows: pd.DataFrame) -> int:
    return max((len(_modules(row)) for row in rows.to_dict("records")), default=0)


def _box(
    axes: Axes, row: Mapping[str, object], place: tuple[float, float, float], descriptions: ModuleDescriptions
) -> None:
    """The words of a device, and the bar of the memory that the greedy fills."""
    left_in, top_in, wide_in = place
    letters = int(wide_in * LETTERS_PER_IN)
    memory = float(str(row["models_memory_bytes"]))
    held = sum(descriptions.by_name[name].parameter_bytes for name in str(row["greedy"]).split(", ") if name)
    times = str(row["times"]).replace(",", "")
    for kind in rests_on.KINDS:
        times = times.replace(f" {kind}", f" {kind[:3]}")
    lines = [f"{'★ ' if row['source'] else ''}{row['device']}", f"{memory / 2**30:.3g} GiB", times]
    lines += [f"{sign} {name.partition('@')[0]}"[:letters] for sign, name in _modules(row)]
    for i, line in enumerate(lines):
        weight = "bold" if i == 0 else "normal"
        axes.text(left_in + 0.04, top_in + 0.09 + i * LINE_IN, line, size=7, va="center", weight=weight)
    wide_bar_in = 0.42 * wide_in
    corner = left_in + wide_in - 0.05 - wide_bar_in, top_in + 0.09 + LINE_IN - BAR_IN / 2
    colour = METHODS[GREEDY][1]
    axes.add_patch(Rectangle(corner, wide_bar_in, BAR_IN, facecolor="white", edgecolor=colour, linewidth=0.6))
    axes.add_patch(Rectangle(corner, wide_bar_in * held / memory, BAR_IN, color=colour, linewidth=0))
