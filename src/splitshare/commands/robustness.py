"""Record in how many draws of times that are off the papers' claims hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import COUNT, CatalogRoot, Descriptions, Output, Profiles, RunConfig
from splitshare.places import CONFIG, DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare robustness``."""

    output: Output
    """The record (CSV)."""
    descriptions: Descriptions
    profiles: Profiles
    draws: Annotated[int, typer.Option(**COUNT, help="Draws for each spread.")] = 200
    timed_draws: Annotated[int, typer.Option(**COUNT, help="Draws for claims on run time, which take minutes.")] = 20
    config: RunConfig = CONFIG
    catalog_root: CatalogRoot = DATA
