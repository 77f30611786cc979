"""Write the JSON Schemas of all files that are read or written into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare schemas``."""

    output: OutputFolder
