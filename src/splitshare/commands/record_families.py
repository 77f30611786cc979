"""Record what methods do over the held-out families, and the best known of each instance, into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from splitshare.commands.arguments import LIMIT, OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare record-families``."""

    output: OutputFolder
    families: Annotated[
        list[str], typer.Option("--family", help="Family of held-out instances; repeatable; default all.")
    ] = field(default_factory=list)
    methods: Annotated[
        list[str], typer.Option("--method", help="Algorithm, or optimum-<solver>; repeatable; default all.")
    ] = field(default_factory=list)
    time_limit_s: Annotated[float, typer.Option(**LIMIT, help="Seconds for each run.")] = 10.0
    only_best: Annotated[
        bool,
        typer.Option(
            "--only-best", help="Only where no optimum is proved, and only lower values and higher bounds are kept."
        ),
    ] = False
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Runs side by side, each on a processor of its own; default all there are."),
    ] = None
