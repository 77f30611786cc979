"""Hold the edge against the cloud over networks and speeds of the small device."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.arguments import CatalogRoot, Descriptions, OutputFolder, Profiles, RunConfig
from splitshare.places import CONFIG, DATA


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare cloud-grid``."""

    output: OutputFolder
    """Directory."""
    descriptions: Descriptions
    profiles: Profiles
    config: RunConfig = CONFIG
    catalog_root: CatalogRoot = DATA
