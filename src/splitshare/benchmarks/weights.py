"""Where a run's modules get their weights: published ones, seeded random ones, and heads that we have trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from safetensors.torch import load_file

from splitshare.benchmarks.fitted import FittedHead
from splitshare.benchmarks.words import Words, load_words
from splitshare.catalog import paths
from splitshare.catalog.hub import HubFile
from splitshare.catalog.loader import Catalog
from splitshare.checkpoints.split_module import BUILDER
from splitshare.errors import WorkError
from splitshare.files import sha256_file
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module
from splitshare.modules.hub import published_module
from splitshare.modules.hub_pins import Pins

Kind = Literal["hub", "random"]
OURS = "ours-"
"""Names of weights that begin so are of heads that nobody has published; ``fit-heads`` trains them."""


@dataclass(frozen=True)
class Weights:
    """A run's source of modules and tokenisers."""

    catalog: Catalog
    kind: Kind
    seed: int = 0
    """Of random weights."""
    heads: Path | None = None
    """Directory of fitted heads."""
    pins: Pins | None = None
    """Commits that were found at the first use; without, the catalogue must name them."""
    tokenizers: Path | None = None
    """Directory of tokenisers; None for the hub's."""
    _words: dict[str, Words] = field(default_factory=dict, repr=False)

    def module(self, name: str) -> SplitModule:
        """A new module of that name with its weights, for inference.

        Raises:
            InputError: its weights are not published or not pinned.
            WorkError: they cannot be had.
        """
        shared = self.catalog.module(name)
        if shared.ref.weights.startswith(OURS):
            module = build_module(shared, self.seed)
            module.load_state_dict(load_file(self._fitted(name, "safetensors")))
            return module
        if self.kind == "random" or shared.architecture.builder == BUILDER:
            return build_module(shared, self.seed)
        return published_module(self.catalog, name, self.pins)

    def words(self, weights: str) -> Words:
        """The tokeniser of ``weights``."""
        if weights not in self._words:
            self._words[weights] = load_words(
                weights, root=self.catalog.root, directory=self.tokenizers, pins=self.pins
            )
        return self._words[weights]

    def fitted(self, head: str) -> FittedHead:
        """How a head of ours was trained.

        Raises:
            WorkError: it was not.
        """
        return FittedHead.read(self._fitted(head, "json"))

    def identity(self, modules: list[str]) -> str:
        """What the values of ``modules`` depend on, as text."""
        own = all(self.catalog.module(name).architecture.builder == BUILDER for name in modules)
        hub = self.kind == "hub" and not own
        published = HubFile.read(paths.hub_file(self.catalog.root)).weights if hub else {}
        told: dict[str, None] = {}
        for name in modules:
            weights = self.catalog.module(name).ref.weights
            architecture = self.catalog.module(name).architecture
            if architecture.builder == BUILDER:
                told[f"{name} of a checkpoint, {architecture.params['identity']}"] = None
            elif weights.startswith(OURS):
                told[f"{name} fitted by us, sha256 {sha256_file(self._fitted(name, 'safetensors'))}"] = None
            elif self.kind == "random":
                told[f"random, seed {self.seed}"] = None
            elif weights in published:
                entry = published[weights]
                revision = self.pins and self.pins.revision("model", entry.repository, entry.revision)
                told[f"{entry.repository}@{revision or entry.revision}"] = None
        return "; ".join(told)

    def _fitted(self, head: str, suffix: str) -> Path:
        path = (self.heads or Path("results/heads")) / f"{head}.{suffix}"
        if not path.is_file():
            raise WorkError(f"{path} is not there: {head} has no published weights; run `splitshare fit-heads` first")
        return path
