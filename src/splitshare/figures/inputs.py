"""What a figure is drawn from: the results of one scope of a run, its configuration, the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.config import Config
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile


@dataclass(frozen=True)
class Inputs:
    """Every figure module has a function ``draw(inputs, output)`` that takes these."""

    results: Path
    """Directory of the scope, such as ``results/canonical``."""
    config: Config
    catalog: Catalog

    def csv(self, name: str) -> pd.DataFrame:
        """The table ``name`` below the results."""
        return pd.read_csv(self.results / name)

    def parquet(self, name: str) -> pd.DataFrame:
        """The Parquet table ``name`` below the results."""
        return pd.read_parquet(self.results / name)

    def descriptions(self) -> ModuleDescriptions:
        """The module descriptions of the run."""
        return ModuleDescriptions.read(self.results / "modules.json")

    def profile(self) -> ModuleProfile:
        """This machine's profile."""
        return ModuleProfile.read(self.results / "this-machine.json")
