"""Which model has which module, drawn: models on the left, modules on the right, shared ones in colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from splitshare.checkpoints.sharing import Shared
from splitshare.checkpoints.sizes import bytes_in_words
from splitshare.errors import InputError
from splitshare.figures.palette import MEMORY
from splitshare.figures.sizes import PAGE_WIDTH_IN
from splitshare.figures.style import paper_style
from splitshare.files import atomic_path

FORMATS = (".png", ".pdf", ".svg")
ROW_IN = 0.24
_LEFT, _RIGHT = 0.0, 1.0


def check_format(path: Path) -> None:
    """See that a graph can be written there, before hours of digesting.

    Raises:
        InputError: the suffix is of no such format.
    """
    if path.suffix not in FORMATS:
        raise InputError("--graph", "", f"{path.name} has the suffix {path.suffix!r}; use one of {', '.join(FORMATS)}")


def draw(shared: Sequence[Shared], path: Path) -> None:
    """Write the graph as a picture, its format by the suffix; a line is a module that a model has."""
    models = list(dict.fromkeys(member.model for each in shared for member in each.members))
    ordered = sorted(shared, key=lambda each: min(models.index(member.model) for member in each.members))
    rows = max(len(models), len(ordered))
    with paper_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, 0.5 + ROW_IN * rows))
        axes = figure.subplots()
        model_at = _spread(len(models), rows)
        for place, each in zip(_spread(len(ordered), rows), ordered, strict=True):
            several = len(each.members) > 1
            colour = MEMORY["shared"] if several else "0.6"
            for member in each.members:
                there = model_at[models.index(member.model)]
                axes.plot([_LEFT, _RIGHT], [there, place], color=colour, linewidth=1.6 if several else 0.7, zorder=1)
            axes.plot(_RIGHT, place, marker="s", markersize=5, color=colour, zorder=2)
            saved = f", {bytes_in_words(each.saved_bytes)} saved" if several else ""
            text = f"{each.module.name} {bytes_in_words(each.module.bytes)}{saved}"
            axes.text(_RIGHT + 0.03, place, text, va="center", fontsize=7, weight="bold" if several else "normal")
        for model, place in zip(models, model_at, strict=True):
            axes.plot(_LEFT, place, marker="o", markersize=6, color=MEMORY["split"], zorder=2)
            axes.text(_LEFT - 0.03, place, model, va="center", ha="right", fontsize=7)
        axes.set_xlim(-0.7, 1.9)
        axes.set_ylim(rows - 0.5, -0.5)
        axes.axis("off")
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=200)


def _spread(count: int, rows: int) -> list[float]:
    """Places of ``count`` things over ``rows`` rows, evenly."""
    return [(i + 0.5) * rows / count - 0.5 for i in range(count)]
