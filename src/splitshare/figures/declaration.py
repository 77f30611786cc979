"""What a figure says of itself, in its own file: what it is drawn from, what it writes and what is to be seen in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Scope = Literal["canonical", "local"]
Column = str | tuple[str, float] | tuple[str, str]
"""Title of a printed column; with it a factor (of numbers), or a width such as ``4cm`` (of texts that run on)."""
FIGURE_SUFFIXES = ("png", "pdf", "caption.txt", "figure.tex")
CATEGORIES = (
    *("Claims", "Catalogue", "Memory", "Accuracy", "Devices", "Profile"),
    *("Latency", "Optimality", "Replay", "Onloading"),
)
"""Headings in the order of report and gallery: claims first, then as the papers go."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One table, with or without a figure.

    The registry reads it without importing the file, so it is written with literals only.
    """

    name: str
    category: str
    """Heading in the report."""
    tables: tuple[str, ...]
    """Base names of the tables that are written."""
    caption: str
    takeaway: str
    """What is to be seen, in a sentence; no numbers, which would grow old."""
    tells_itself: bool = False
    """Whether the figure itself tells its instances and what its times rest on, so that its caption need not."""
    claim: str | None = None
    """The claim of the papers' abstracts that it bears on, by its name in the table of claims."""
    inputs: tuple[str, ...] = ()
    """Files below a scope's results that it reads."""
    records: tuple[str, ...] = ()
    """Recorded baselines that it reads, files below ``data/baselines``."""
    accuracy: bool = False
    """Whether it also reads the accuracies of the run, if the run measures any."""
    profiles: Literal["testbeds", "clouds", "all"] | None = None
    """Which profiles it reads: those of the testbeds' devices, these and the cloud's, or all committed ones."""
    measured: bool = False
    """Whether it is of the testbeds in which every time is measured: drawn where the run has any; its ``profiles`` are
    those of their devices."""
    loaded: bool = False
    """Whether it is of the sweep of load: drawn where the configuration has one."""
    zoos: bool = False
    """Whether it reads the zoos, the files in ``data/zoos``."""
    printed: dict[str, dict[str, Column]] = field(default_factory=dict)
    """Tables that a paper would print, and of each the columns that it would: they are written in LaTeX too."""
    drawn: tuple[str, ...] = ()
    """Base names of the figures that are drawn."""
    scopes: tuple[Scope, ...] = ("canonical",)
    module: str = ""
    """The file of this package that draws it; the registry knows it."""

    def files(self) -> list[str]:
        """File names that drawing writes."""
        tables = [f"{name}.csv" for name in self.tables] + [f"{name}.tex" for name in self.printed]
        return tables + [f"{name}.{suffix}" for name in self.drawn for suffix in FIGURE_SUFFIXES]
