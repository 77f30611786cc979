"""What a figure says of itself, in its own file: what it is drawn from, what it writes and what is to be seen in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["canonical", "local"]


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
    zoos: bool = False
    """Whether it reads the zoos, the files in ``data/zoos``."""
    drawn: tuple[str, ...] = ()
    """Base names of the figures that are drawn."""
    scopes: tuple[Scope, ...] = ("canonical",)
    module: str = ""
    """The file of this package that draws it; the registry knows it."""

    def files(self) -> list[str]:
        """File names that drawing writes."""
        tables = [f"{name}.{suffix}" for name in self.tables for suffix in ("csv", "tex")]
        return tables + [f"{name}.{suffix}" for name in self.drawn for suffix in ("pdf", "png")]
