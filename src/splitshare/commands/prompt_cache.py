"""Compare requests that encode their class prompts with requests that find them encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from splitshare.commands.arguments import CatalogRoot, Descriptions, Output, Profiles, Testbeds
from splitshare.places import DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare prompt-cache``."""

    output: Output
    descriptions: Descriptions
    profiles: Profiles
    testbeds: Testbeds
    workloads: Annotated[list[str], typer.Option("--workload", help="Workload; repeatable.")]
    catalog_root: CatalogRoot = DATA
