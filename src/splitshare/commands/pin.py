"""Write down the digests of instances, to be held against later ones."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.arguments import InstanceFiles, Output


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare pin``."""

    instances: InstanceFiles
    output: Output
