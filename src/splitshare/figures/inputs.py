"""What a figure is drawn from: the results of one scope of a run, its configuration, the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from splitshare.benchmarks.accuracy import AccuracyRecord, merge
from splitshare.catalog.gpus import THIS_MACHINE
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.catalog.records import Testbed
from splitshare.catalog.testbeds import find_testbeds, profile_file, read_testbed
from splitshare.config import Config
from splitshare.figures.declaration import Declaration
from splitshare.places import PROFILES
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile
from splitshare.results.onloading import title_of


class UndeclaredError(Exception):
    """A figure reads what its declaration does not name: a change of that would not redraw it."""


@dataclass(frozen=True)
class Inputs:
    """Every figure module has a function ``draw(inputs, output)`` that takes these; only what is declared is given."""

    declared: Declaration
    results: Path
    """Directory of the scope, such as ``results/canonical``."""
    config: Config
    catalog: Catalog
    profiles: Path = PROFILES
    """Directory of the committed profiles."""

    def result(self, name: str) -> Path:
        """The file ``name`` below the results.

        Raises:
            UndeclaredError: it is none of the declared inputs.
        """
        self._declared(name in self.declared.inputs, name, "inputs")
        return self.results / name

    def recorded(self, name: str) -> Path:
        """The file ``name`` among what was recorded once, with the machine named; raises as ``result``."""
        self._declared(name in self.declared.records, name, "records")
        return self.catalog.root / "baselines" / name

    def csv(self, name: str) -> pd.DataFrame:
        """The table ``name`` below the results."""
        return pd.read_csv(self.result(name))

    def parquet(self, name: str) -> pd.DataFrame:
        """The Parquet table ``name`` below the results."""
        return pd.read_parquet(self.result(name))

    def record(self, name: str) -> pd.DataFrame:
        """The recorded table ``name``."""
        return pd.read_csv(self.recorded(name))

    def accuracy(self) -> AccuracyRecord:
        """Recorded accuracies, and those of this run in the place of recorded ones."""
        self._declared(self.declared.accuracy, "accuracy.json of the run", "accuracy")
        files = [self.recorded("accuracy.json"), self.results / "accuracy.json"]
        return merge(AccuracyRecord.read(path) for path in files if path.is_file())

    def descriptions(self) -> ModuleDescriptions:
        """The module descriptions of the run."""
        return ModuleDescriptions.read(self.result("modules.json"))

    def workload_title(self, name: str) -> str:
        """Title of a workload of the catalogue or of the embedded benchmark's."""
        if name in self.catalog.workloads:
            return self.catalog.workload(name).title
        return load_catalog(self.catalog.root / EMBEDDED.name).workload(name).title

    def instance_title(self, name: str) -> str:
        """Title of a placement instance: its workload's and, a little shorter, its testbed's."""
        workload, _, testbed = name.partition(".")
        where = self.testbed(testbed).title
        return f"{self.workload_title(workload)}, {where[:1].lower()}{where[1:]}"

    def titles(self) -> dict[str, Callable[[str], str]]:
        """What gives the title of a name, by the column that has such names."""
        workloads = {*self.catalog.workloads, *load_catalog(self.catalog.root / EMBEDDED.name).workloads}
        testbeds = {path.stem for path in (self.results / "testbeds").glob("*.yaml")}
        testbeds |= set(find_testbeds(self.catalog.root))
        return {
            "workload": lambda name: self.workload_title(name) if name in workloads else name,
            "testbed": lambda name: self.testbed(name).title if name in testbeds else name,
            "instance": lambda name: self.instance_title(name) if "." in name else title_of(name),
            "task": lambda name: self.catalog.tasks[name].title if name in self.catalog.tasks else name,
        }

    def testbed(self, name: str) -> Testbed:
        """A testbed of the catalogue's data folder, or the one that this machine stands in, as the run wrote it."""
        own = self.results / "testbeds" / f"{name}.yaml"
        return read_testbed(own if own.is_file() else find_testbeds(self.catalog.root)[name])

    def device_profile(self, device: str) -> ModuleProfile:
        """The profile of a device type: this machine's from the results, any other's from ``profiles/``."""
        self._declared(self.declared.profiles is not None, f"the profile of {device}", "profiles")
        own = self.results / f"{device}.json"
        return ModuleProfile.read(
            own if device.startswith(THIS_MACHINE) else profile_file(device, shared=self.profiles)
        )

    def all_profiles(self) -> list[ModuleProfile]:
        """All committed profiles, by name."""
        self._declared(self.declared.profiles == "all", "all profiles", "profiles")
        return [ModuleProfile.read(path) for path in sorted(self.profiles.glob("*.json"))]

    def profile(self) -> ModuleProfile:
        """This machine's profile."""
        return ModuleProfile.read(self.result(f"{THIS_MACHINE}.json"))

    def zoos(self) -> list[Path]:
        """Files of the zoos."""
        self._declared(self.declared.zoos, "the zoos", "zoos")
        return sorted((self.catalog.root / "zoos").glob("*.json"))

    def _declared(self, declared: bool, what: str, field: str) -> None:
        if not declared:
            place = f"figures/{self.declared.module}.py"
            raise UndeclaredError(f"the figure {self.declared.name!r} reads {what}; declare it in {place}: {field}")
