"""Where a run's results lie: the one place that names their folders and files, for rules and stages alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from splitshare.methods import folder_of

Scope = str
"""``canonical``: from committed profiles, the same on every machine; ``local``: with this machine's."""
MEASURED: Scope = "canonical/measured"
"""The part of the canonical results on testbeds in which every time is measured."""


def placement_file(placements: Path, method: str, instance: Path) -> Path:
    """A method's placement of an instance: below the method's label, called as the instance's file is."""
    return placements / folder_of(method) / instance.name


@dataclass(frozen=True)
class Layout:
    """Folders and files below a run's directory of results, as text: rules compare paths as it is written."""

    root: str

    def folder(self, scope: Scope, *names: str) -> str:
        """A folder of a scope."""
        return "/".join((self.root, scope, *names))

    def instance(self, scope: Scope, name: str) -> str:
        """An instance's file."""
        return f"{self.folder(scope, 'instances')}/{name}.json"

    def testbed(self, scope: Scope, name: str) -> str:
        """A testbed's file."""
        return f"{self.folder(scope, 'testbeds')}/{name}.yaml"

    def placement(self, scope: Scope, method: str, name: str) -> str:
        """A method's placement of an instance."""
        return placement_file(Path(self.folder(scope, "placements")), method, Path(f"{name}.json")).as_posix()

    def trace(self, kind: str, rate_per_s: str) -> str:
        """A request trace of the canonical scenario."""
        return f"{self.folder('canonical', 'traces')}/{kind}-{rate_per_s}.parquet"

    def load_part(self, testbed: str, method: str, first_seed: str, table: str) -> str:
        """A table of a part of the sweep of load: one testbed, one method, seeds from ``first_seed`` on."""
        return f"{self.folder('canonical', 'load', 'parts', testbed, folder_of(method), first_seed)}/{table}.parquet"

    def log(self, *names: str) -> str:
        """A job's log."""
        return f"{self.root}/logs/{'/'.join(names)}.log"

    def benchmark(self, *names: str) -> str:
        """Seconds and memory that a job took."""
        return f"{self.root}/times/{'/'.join(names)}.tsv"
