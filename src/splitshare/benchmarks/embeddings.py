"""Embeddings of samples by the towers that models share: computed once, kept, and read by every other model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from splitshare.benchmarks.lock import LockEntry
from splitshare.benchmarks.weights import Weights
from splitshare.choices import Dtype
from splitshare.code_digest import code_digest
from splitshare.files import atomic_path, sha256_bytes
from splitshare.profiling.definition import definition_sha256

CODE = ("splitshare.benchmarks.scoring", "splitshare.benchmarks.preprocess")
"""What embeddings depend on, with all that it imports."""


@dataclass(frozen=True)
class KeptEmbeddings:
    """Pooled embeddings, a file for each tower and file of samples.

    Patch states are not kept: LLaVA's take more room than the pictures.
    """

    directory: Path
    weights: Weights
    place: str
    """Batch, device and precision: the last bits depend on them."""

    def path(self, module: str, entry: LockEntry, file: int) -> Path:
        """Where the embeddings of a file of samples by ``module`` lie: by the digest of all that they depend on."""
        definition = definition_sha256(self.weights.catalog.module(module))
        values = [self.weights.identity([module]), str(self.weights.tokenizers)]
        what = [module, definition, *values, self.place, code_digest(*CODE), torch.__version__]
        return self.directory / sha256_bytes("; ".join(what).encode())[:32] / f"{_data(entry)}-{file:05d}.safetensors"

    def rows(self, module: str, entry: LockEntry, file: int, compute: Callable[[], Tensor]) -> Tensor:
        """Embeddings (samples, width) of a file of samples by ``module``.

        Args:
            module: the tower's name in the catalogue.
            entry: what was fetched.
            file: which of its files.
            compute: gives them if they are not kept.
        """
        path = self.path(module, entry, file)
        if path.is_file():
            return load_file(path)["embeddings"]
        rows = compute().contiguous()
        with atomic_path(path) as temporary:
            save_file({"embeddings": rows}, temporary)
        return rows


def place(batch: int, device: torch.device, precision: Dtype | None) -> str:
    """Where something is computed, as far as the last bits depend on it."""
    return f"batch {batch} on {device.type}" + (f" in {precision}" if precision else "")


def _data(entry: LockEntry) -> str:
    return f"{entry.selection.benchmark}-{entry.selection.part}-{entry.content_sha256[:16]}"
