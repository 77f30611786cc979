"""Write the entries of a catalogue for models of one's own: every encoder and head, shared ones once.

Each model is loaded and asked a few seeded requests. Built anew from its entries, it has to answer as the whole does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import COUNT, CatalogRoot, OutputFolder, PinsPath
from splitshare.commands.split import Models
from splitshare.places import DATA, HUB_PINS


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare catalogue``."""

    models: Models
    output: OutputFolder
    share_similar: Annotated[
        bool,
        typer.Option(
            "--share-similar", help="Share modules that are equal after rounding or similar, and say what that does."
        ),
    ] = False
    texts: Annotated[int, typer.Option(**COUNT, help="Texts that a request holds a picture or a sound against.")] = 10
    text_tokens: Annotated[int, typer.Option(**COUNT, help="Tokens of each, or what the model takes if less.")] = 77
    prompt_tokens: Annotated[int, typer.Option(**COUNT, help="Tokens of a question to a model that answers.")] = 64
    new_tokens: Annotated[int, typer.Option(**COUNT, help="Tokens of an answer.")] = 20
    benchmarks: Annotated[
        list[str],
        typer.Option("--benchmark", help="Judge models on it whose task and inputs it fits; repeatable; default none."),
    ] = field(default_factory=list)
    cache: Annotated[Path, typer.Option(help="Directory of kept digests.")] = Path("results/digests")
    pins: PinsPath = HUB_PINS
    catalog_root: CatalogRoot = field(default=DATA)
