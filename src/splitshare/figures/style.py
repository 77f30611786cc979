"""How a figure looks, and writing a figure or table the same way every time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from splitshare.figures.sizes import COLUMN_WIDTH_IN
from splitshare.figures.style_rules import faults
from splitshare.figures.tex import in_tex
from splitshare.files import atomic_path, write_text
from splitshare.results.write import write_csv

PNG_DPI = 200
TICKS_DIFFER_PT = 1.5
"""By so much are ticks at powers of ten longer than those between."""
_LOG = logging.getLogger(__name__)


@contextmanager
def watching() -> Iterator[list[str]]:
    """What breaks the rules of style (``splitshare.figures.style_rules``) in figures that are saved meanwhile."""
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    level, passed_on = _LOG.level, _LOG.propagate
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    try:
        yield told
    finally:
        _LOG.removeHandler(handler)
        _LOG.setLevel(level)
        _LOG.propagate = passed_on


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
    """Write ``name.pdf`` and ``name.png``; no date and no program name, so that equal data give equal bytes.

    Inside of ``watching`` what breaks the rules of style is told.
    """
    with atomic_path(directory / f"{name}.pdf") as temporary:
        figure.savefig(temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    with atomic_path(directory / f"{name}.png") as temporary:
        figure.savefig(temporary, dpi=PNG_DPI, metadata={"Software": None})
    # After writing: drawing once more would move things by fractions of a point, and the files differ.
    if _LOG.isEnabledFor(logging.INFO):
        for fault in faults(figure):
            _LOG.info("%s: %s", name, fault)


def save_caption(caption: str, directory: Path, name: str) -> None:
    """Write ``name.caption.txt``, and ``name.figure.tex``, which puts the figure and its caption into a paper."""
    write_text(directory / f"{name}.caption.txt", f"{caption}\n")
    label = name.replace("_", "-")
    width_in = _png_width(directory / f"{name}.png") / PNG_DPI
    environment = "figure" if width_in <= COLUMN_WIDTH_IN else "figure*"
    lines = (
        rf"\begin{{{environment}}}",
        r"  \centering",
        rf"  \includegraphics{{{name}.pdf}}",
        rf"  \caption{{{in_tex(caption)}}}",
        rf"  \label{{fig:{label}}}",
        rf"\end{{{environment}}}",
    )
    write_text(directory / f"{name}.figure.tex", "\n".join(lines) + "\n")


def _png_width(path: Path) -> int:
    """Width in pixels, which stands behind the signature and the first chunk's length and name."""
    with path.open("rb") as file:
        return int.from_bytes(file.read(20)[16:], "big")


def save_table(table: pd.DataFrame, directory: Path, name: str) -> None:
    """Write ``name.csv``, in full precision."""
    write_csv(table, directory / f"{name}.csv")


def label_in_numbers(axis: Axis) -> None:
    """Label a logarithmic axis by plain numbers: at each power of ten, and at 2 and 5 of it where there are few.

    Args:
        axis: with its limits set.
    """
    low, high = axis.get_view_interval()
    more = "25" if high < low * 100 else ""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_tick_params(which="minor", pad=mpl.rcParams["xtick.major.pad"] + TICKS_DIFFER_PT)
    axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in more else ""))


def legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """Put the legend of ``axes`` below the figure, where it hides nothing; in fewer columns where they do not fit."""
    handles, labels = axes.get_legend_handles_labels()
    FigureCanvasAgg(figure)
    for ncols in range(columns, 0, -1):
        legend = figure.legend(handles, labels, loc="outside lower center", ncols=ncols)
        if ncols == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
