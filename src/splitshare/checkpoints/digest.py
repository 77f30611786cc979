"""Who a module is: a digest over its tensors, streamed from the files and kept in a cache.

Two modules are one if their tensors have the same names inside the module, the same shapes, types and values. Values
are digested one tensor at a time in blocks, so a module of any size takes the memory of a block. With ``rounded`` they
are digested as they are after rounding to another type, which is how a module is known again in half precision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from splitshare.checkpoints.cut import CutModule
from splitshare.checkpoints.tensors import DTYPE_NAMES, ITEM_BYTES, TensorRef
from splitshare.files import canonical_json, sha256_bytes, write_text

BLOCK_VALUES = 1 << 20
"""Read at once."""


@dataclass
class DigestCache:
    """Digests of tensors by file and place, kept in a directory; a file that was written to is digested anew.

    A file is known again by its header, size and time of change, so that it need not be read to find out.
    """

    directory: Path | None
    """``None``: nothing is kept."""

    def __post_init__(self) -> None:
        self._files: dict[Path, dict[str, str]] = {}
        self._fresh: set[Path] = set()
        self._lock = Lock()

    def tensor(self, tensor: TensorRef, rounded: str | None = None) -> str:
        """Digest of a tensor's values; with ``rounded``, a format's name of a type, of the rounded ones."""
        with self._lock:
            known = self._known(tensor.file)
        key = f"{tensor.start}-{rounded or tensor.dtype}"
        if key not in known:
            known[key] = _digest(tensor, rounded)
            self._fresh.add(tensor.file)
        return known[key]

    def save(self) -> None:
        """Write what was digested since the last time."""
        for file in self._fresh if self.directory is not None else ():
            assert self.directory is not None
            write_text(self._place(self.directory, file), json.dumps(self._files[file], sort_keys=True))
        self._fresh.clear()

    def _known(self, file: Path) -> dict[str, str]:
        if file not in self._files:
            path = None if self.directory is None else self._place(self.directory, file)
            try:
                kept = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                kept = {}  # a cache: what cannot be read is made again
            self._files[file] = kept if isinstance(kept, dict) else {}
        return self._files[file]

    @staticmethod
    def _place(directory: Path, file: Path) -> Path:
        state = file.stat()
        with file.open("rb") as opened:
            head = opened.read(8)
            header = opened.read(int.from_bytes(head, "little"))
        what = [str(file.resolve()), str(state.st_size), str(state.st_mtime_ns), sha256_bytes(header)]
        return directory / f"{sha256_bytes(canonical_json(what).encode())}.json"


def module_digest(module: CutModule, cache: DigestCache, rounded: str | None = None) -> str:
    """Identity of a module: digest over names, shapes, types and values of its tensors.

    Args:
        module: the module.
        cache: of tensors' digests.
        rounded: a format's name of a floating point type that values are rounded to first.
    """
    rows = []
    for name, tensor in module.tensors.items():
        target = rounded if rounded is not None and tensor.dtype in DTYPE_NAMES else tensor.dtype
        digest = cache.tensor(tensor, None if target == tensor.dtype else target)
        rows.append([name, target, list(tensor.shape), digest])
    return sha256_bytes(canonical_json(rows).encode())


def shape_digest(module: CutModule) -> str:
    """Digest over names and shapes alone: of modules of one architecture, whatever their values and types."""
    rows = [[name, list(tensor.shape)] for name, tensor in module.tensors.items()]
    return sha256_bytes(canonical_json(rows).encode())


def computing_differences(a: Mapping[str, object], b: Mapping[str, object]) -> list[str]:
    """Keys of two configurations by which modules of equal tensors still compute otherwise."""
    return sorted(key for key in a.keys() & b.keys() if a[key] != b[key])


def blocks(tensor: TensorRef) -> Iterator[bytes]:
    """The bytes of a tensor, a block at a time."""
    with tensor.file.open("rb") as file:
        file.seek(tensor.start)
        left, size = tensor.bytes, BLOCK_VALUES * ITEM_BYTES[tensor.dtype]
        while left:
            block = file.read(min(size, left))
            if not block:
                raise OSError(f"{tensor.file} ends within {tensor.name}")
            left -= len(block)
            yield block


def values(tensor: TensorRef) -> Iterator[torch.Tensor]:
    """The values of a tensor of a floating point type, flat, a block at a time."""
    dtype = getattr(torch, DTYPE_NAMES[tensor.dtype])
    for block in blocks(tensor):
        yield torch.from_numpy(np.frombuffer(bytearray(block), dtype=np.uint8)).view(dtype)


def _digest(tensor: TensorRef, rounded: str | None) -> str:
    digest = hashlib.sha256()
    if rounded is None or rounded == tensor.dtype:
        for block in blocks(tensor):
            digest.update(block)
    else:
        dtype = getattr(torch, DTYPE_NAMES[rounded])
        for part in values(tensor):
            digest.update(part.to(dtype).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
