"""Train the heads that nobody has published on the train splits; into the directory OUTPUT."""

from __future__ import annotations

from splitshare.commands.accuracy import JudgingOptions

Options = JudgingOptions
