"""What a figure is drawn from: the results of one scope of a run, its configuration, the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitshare.benchmarks.accuracy import AccuracyRecord, merge
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.catalog.records import Testbed
from splitshare.catalog.testbeds import read_testbed
from splitshare.config import Config
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile


@dataclass(frozen=True)
class Inputs:
    """Every figure module has a function ``draw(inputs, output)`` that takes these."""

    results: Path
    """Directory of the scope, such as ``results/canonical``."""
    config: Config
    catalog: Catalog
    profiles: Path = Path("profiles")
    """Directory of the committed profiles."""

    def has(self, name: str) -> bool:
        """Whether the run has the file ``name``."""
        return (self.results / name).is_file()

    def csv(self, name: str) -> pd.DataFrame:
        """The table ``name`` below the results."""
        return pd.read_csv(self.results / name)

    @property
    def baselines(self) -> Path:
        """Directory of what was recorded once, with the machine named."""
        return self.catalog.root / "baselines"

    def record(self, name: str) -> pd.DataFrame:
        """The recorded table ``name``."""
        return pd.read_csv(self.baselines / name)

    def accuracy(self) -> AccuracyRecord:
        """Recorded accuracies, and those of this run in the place of recorded ones."""
        files = [self.baselines / "accuracy.json", self.results / "accuracy.json"]
        return merge(AccuracyRecord.read(path) for path in files if path.is_file())

    def parquet(self, name: str) -> pd.DataFrame:
        """The Parquet table ``name`` below the results."""
        return pd.read_parquet(self.results / name)

    def descriptions(self) -> ModuleDescriptions:
        """The module descriptions of the run."""
        return ModuleDescriptions.read(self.results / "modules.json")

    def workload_title(self, name: str) -> str:
        """Title of a workload of the catalogue or of the embedded benchmark's."""
        if name in self.catalog.workloads:
            return self.catalog.workload(name).title
        return load_catalog(self.catalog.root / EMBEDDED.name).workload(name).title

    def testbed(self, name: str) -> Testbed:
        """A testbed of the catalogue's data folder."""
        return read_testbed(self.catalog.root / "testbeds" / f"{name}.yaml")

    def device_profile(self, device: str) -> ModuleProfile:
        """The profile of a device type: this machine's from the results, any other's from ``profiles/``."""
        return self.profile() if device == "this-machine" else ModuleProfile.read(self.profiles / f"{device}.json")

    def profile(self) -> ModuleProfile:
        """This machine's profile."""
        return ModuleProfile.read(self.results / "this-machine.json")
