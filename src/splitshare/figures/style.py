"""The one place for colours, names and sizes, and for writing a figure or table the same way every time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from splitshare.files import atomic_path, write_text
from splitshare.methods import Method
from splitshare.results.write import write_csv

COLUMN_WIDTH_IN = 3.5
"""Width of a column of a two-column paper, in inches; figures are read at this width or at twice it."""
PNG_DPI = 200

_PALETTE = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
"""Seaborn's colours that the colour-blind can tell apart; written down, for importing it takes a second."""

METHODS = {
    "optimum": ("Optimum", _PALETTE[7]),
    "s2m3-greedy": ("S2M3 greedy", _PALETTE[0]),
    "sequential-routing": ("Sequential routing", _PALETTE[1]),
    "no-sharing": ("No sharing", _PALETTE[2]),
    "local": ("Local only", _PALETTE[3]),
    "cloud": ("Cloud only", _PALETTE[4]),
}
"""Title and colour of each method, in the order in which they are drawn."""

ONLOADING_METHODS = {
    "optimum": ("Optimum", _PALETTE[7]),
    "j3o-batching": ("J3O, batching", _PALETTE[0]),
    "j3o": ("J3O", _PALETTE[9]),
    "lp-rounding": ("LP rounding", _PALETTE[2]),
    "accuracy-greedy": ("Accuracy greedy", _PALETTE[1]),
    "density-greedy": ("Density greedy", _PALETTE[8]),
    "random": ("Random", _PALETTE[6]),
    "edge-only": ("Edge only", _PALETTE[5]),
    "local-only": ("Local only", _PALETTE[3]),
    "cloud-only": ("Cloud only", _PALETTE[4]),
}
"""The same of the methods of the onloading problem."""

LINES = {"optimum": (0, (1, 1))}
"""Line styles of methods that lie on top of others; solid where not named."""

MARKS: dict[str, dict[str, Any]] = {
    "optimum": {"marker": "o", "markersize": 6, "fillstyle": "none", "zorder": 3},
    "s2m3-greedy": {"marker": ".", "markersize": 5, "zorder": 4},
    "sequential-routing": {"marker": "x", "markersize": 4},
    "no-sharing": {"marker": "+", "markersize": 5},
    "local": {"marker": "s", "markersize": 3},
    "cloud": {"marker": "^", "markersize": 3.5},
}
"""Marks of methods in dot plots; the optimum is a ring, so that what reaches it is seen inside."""

OTHER_COLOURS = tuple(_PALETTE[i] for i in (9, 5, 8, 6))
OTHER_MARKS = ("v", "D", "<", ">", "*")
"""Of methods that are not named here."""

BASELINES: dict[str, tuple[str, dict[str, Any]]] = {
    "optimum": ("Optimum", {"color": _PALETTE[7], "linestyle": (0, (1, 1))}),
    "s2m3-greedy": ("S2M3 greedy", {"color": _PALETTE[0], "linewidth": 1.6}),
    "greedy-local-search": ("Greedy + local search", {"color": _PALETTE[2]}),
    "simulated-annealing": ("Simulated annealing", {"color": _PALETTE[4]}),
    "heft": ("HEFT", {"color": _PALETTE[1]}),
    "cpop": ("CPOP", {"color": _PALETTE[5]}),
    "first-fit": ("First fit", {"color": _PALETTE[8], "linestyle": "--"}),
    "best-fit": ("Best fit", {"color": _PALETTE[6], "linestyle": "--"}),
    "worst-fit": ("Worst fit", {"color": _PALETTE[9], "linestyle": "--"}),
    "random": ("Random", {"color": _PALETTE[3], "linestyle": ":"}),
    "local": ("Local only", {"color": _PALETTE[3], "linestyle": "-."}),
}
"""Title and line of each recorded baseline."""

SOLVERS: dict[str, tuple[str, dict[str, Any]]] = {
    "gurobi": ("Optimum by Gurobi", {"color": _PALETTE[3]}),
    "highs": ("Optimum by HiGHS", {"color": _PALETTE[7]}),
}
"""Title and line of each solver."""

NEW: dict[str, Any] = {"color": "black", "linewidth": 2.2, "zorder": 5}
"""Line of the method that a verdict is about."""

MEMORY = {"whole": _PALETTE[7], "split": _PALETTE[0], "shared": _PALETTE[2]}
"""Colours of the ways to hold a model in memory."""

PAPER_LINE: dict[str, Any] = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 0.9, "zorder": 1}
"""Line at what a paper states."""

TASKS: tuple[dict[str, Any], ...] = tuple(
    {"marker": marker, "color": _PALETTE[i]} for marker, i in (("o", 4), ("s", 1), ("D", 3))
)
"""Marks of tasks that stand side by side."""

PLACES: tuple[dict[str, Any], ...] = tuple(
    {"marker": marker, "markersize": 5, "fillstyle": "none", "color": _PALETTE[i]}
    for marker, i in (("o", 0), ("s", 1), ("D", 2), ("^", 3), ("x", 4))
)
"""Marks of testbeds that stand side by side."""

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    kind: (title, {"marker": marker, "markersize": 3.5, "fillstyle": "none", "color": _PALETTE[i], "zorder": 2})
    for kind, title, marker, i in (
        ("vision-encoder", "Image encoders", "o", 0),
        ("text-encoder", "Text encoders", "s", 1),
        ("audio-encoder", "Audio encoders", "D", 3),
        ("head", "Heads", "^", 2),
        ("decoder", "Decoders", "v", 4),
    )
}
"""Title and marks of each kind of module."""

ARRANGEMENT_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("Whole", {"marker": "o", "markersize": 7, "fillstyle": "none", "color": MEMORY["whole"], "zorder": 3}),
    "split": ("Split", {"marker": "x", "markersize": 5, "color": MEMORY["split"], "zorder": 4}),
    "shared": ("Shared", {"marker": ".", "markersize": 4, "color": MEMORY["shared"], "zorder": 5}),
}
"""Title and marks of a model's arrangements; one fits into the other, so that equal ones are all seen."""
PUBLISHED_MARK: dict[str, Any] = {"marker": "|", "markersize": 8, "linestyle": "none", "color": "0.2", "zorder": 2}
"""What others have published."""
OTHERWISE_PUBLISHED_MARK: dict[str, Any] = PUBLISHED_MARK | {"color": "0.65"}
"""What others have published of something that is not quite the same."""

STAGES = {
    "transfer": ("Transfer", _PALETTE[7]),
    "encode": ("Encoder", _PALETTE[0]),
    "head": ("Head", _PALETTE[1]),
}
"""Title and colour of what happens to a request."""


REPLAYS = {
    "emulated": ("Emulated", _PALETTE[0]),
    "simulated": ("Simulated", _PALETTE[1]),
    "explained": ("Simulated with measured overheads", _PALETTE[2]),
}
"""Title and colour of the ways to replay a trace."""

CAUSES = {
    "overheads": ("Messages and dispatch", _PALETTE[2]),
    "host": ("Host slower than the device", _PALETTE[4]),
    "slowdown": ("CPU time, load against idle", _PALETTE[9]),
    "waiting": ("Waiting for a core", _PALETTE[5]),
    "unexplained": ("Unexplained", _PALETTE[7]),
}
"""Title and colour of why real modules take longer than the simulator says."""

NETWORKS = {"proxy": ("Relays on loopback", _PALETTE[0]), "namespaces": ("Network namespaces", _PALETTE[1])}
"""Title and colour of the emulator's networks."""

STATUSES = {"ok": ("Served", _PALETTE[0]), "failed": ("Failed", _PALETTE[3]), "dropped": ("Dropped", _PALETTE[1])}
"""Title and colour of what became of a request."""


def method_key(method: str) -> str:
    """The method without its solver: ``optimum`` for ``optimum-highs``."""
    return replace(Method.parse(method), solver=None).label


def methods_among(keys: Iterable[str]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Title, colour and mark of placement methods by key, in the order of drawing: those known here, then the others.

    The others are called as their label, in colours that none of the known methods has.
    """
    present = dict.fromkeys(keys)
    drawn = {key: (*METHODS[key], MARKS[key]) for key in METHODS if key in present}
    others = [key for key in present if key not in METHODS]
    return drawn | {
        key: (
            key,
            OTHER_COLOURS[i % len(OTHER_COLOURS)],
            {"marker": OTHER_MARKS[i % len(OTHER_MARKS)], "markersize": 3.5},
        )
        for i, key in enumerate(others)
    }


def line_of(problem: str, method: str, position: int) -> tuple[str, dict[str, Any]]:
    """Title and line of a method of a problem; one that is not known here is told apart by its ``position``."""
    if problem == "placement" and method in BASELINES:
        return BASELINES[method]
    known = Method(method) if method.endswith("]") else Method.parse(method)  # any name of reported results
    if problem != "onloading" or known.algorithm not in ONLOADING_METHODS:
        return method, {"color": _PALETTE[position % len(_PALETTE)]}
    title, colour = ONLOADING_METHODS[known.algorithm]
    style = {"highs": (0, (1, 1)), "gurobi": "-."}.get(known.solver or "", "-")
    return f"{title} ({known.solver})" if known.solver else title, {"color": colour, "linestyle": style}


@contextmanager
def paper_style() -> Iterator[None]:
    """Matplotlib settings of every figure; nothing is drawn outside."""
    settings: dict[Any, Any] = {
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.labelsize": 8,
        "axes.titlesize": 8,
        "axes.linewidth": 0.6,
        "figure.constrained_layout.use": True,
        "font.size": 8,
        "grid.alpha": 0.35,
        "grid.linewidth": 0.4,
        "legend.fontsize": 7,
        "legend.frameon": False,
        "lines.linewidth": 1.2,
        "pdf.fonttype": 42,
        "svg.hashsalt": "splitshare",
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
    }
    with mpl.rc_context(settings):
        yield


def save_figure(figure: Figure, directory: Path, name: str) -> None:
    """Write ``name.pdf`` and ``name.png``; no date and no program name, so that equal data give equal bytes."""
    with atomic_path(directory / f"{name}.pdf") as temporary:
        figure.savefig(temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    with atomic_path(directory / f"{name}.png") as temporary:
        figure.savefig(temporary, dpi=PNG_DPI, metadata={"Software": None})


def save_table(table: pd.DataFrame, directory: Path, name: str, *, caption: str, digits: int = 4) -> None:
    """Write ``name.csv`` (full precision) and ``name.tex`` (``digits`` significant digits, ready to paste)."""
    write_csv(table, directory / f"{name}.csv")
    shown = table.copy()
    for column in shown.select_dtypes("float"):
        shown[column] = [f"{v:.{digits}g}" if pd.notna(v) else "--" for v in table[column]]
    text = shown.to_latex(index=False, escape=True, caption=in_tex(caption), label=f"tab:{name.replace('_', '-')}")
    write_text(directory / f"{name}.tex", text.replace("->", r"$\rightarrow$"))


def in_tex(text: str) -> str:
    """A sentence as LaTeX prints it, its special characters escaped."""
    return re.sub(r"([&%$#_{}])", r"\\\1", text)


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """Put the legend of ``axes`` below the figure, where it hides nothing; in fewer columns where they do not fit."""
    handles, labels = axes.get_legend_handles_labels()
    FigureCanvasAgg(figure)
    for ncols in range(columns, 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=ncols)
        if ncols == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
