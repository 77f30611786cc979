"""Replay J3O's decisions query by query, batches formed at the edge, and hold them against the plan."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.arguments import Output, RunConfig, Suite
from splitshare.places import CONFIG


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare onloading replay``."""

    suite: Suite
    output: Output
    config: RunConfig = CONFIG
