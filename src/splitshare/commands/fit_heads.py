"""Train the heads that nobody has published on the train splits; into the directory OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.accuracy import JudgingOptions
from splitshare.commands.arguments import OutputFolder


@dataclass(frozen=True)
class Options(JudgingOptions):
    """Options of ``splitshare fit-heads``."""

    output: OutputFolder
