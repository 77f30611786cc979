"""What was fetched of each benchmark, with digests: a later fetch must find the same."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from splitshare.catalog.benchmarks import SplitSource
from splitshare.files import write_text
from splitshare.records import Count, Name, PositiveCount, Record, Seed

Part = Literal["test", "train"]
Digest = str
"""Hex SHA-256."""


class Selection(Record):
    """Which samples of which split."""

    benchmark: Name
    part: Part
    source: SplitSource
    samples: PositiveCount | None = None
    """How many, drawn by the seed; ``null``: the whole split."""
    seed: Seed = 0

    @property
    def directory(self) -> Path:
        """Where the samples lie below the directory of all benchmarks."""
        how_many = "whole" if self.samples is None else f"{self.samples}-of-seed-{self.seed}"
        return Path(self.benchmark) / f"{self.part}-{how_many}"

    @property
    def key(self) -> tuple[str, str, int | None, int]:
        """What a lock file holds once."""
        return self.benchmark, self.part, self.samples, self.seed if self.samples else 0


class FetchedFile(Record):
    """A Parquet file of samples."""

    name: Name
    rows: Count
    file_sha256: Digest
    content_sha256: Digest
    """Digest of the samples themselves, however they are written."""


class LockEntry(Record):
    """What was fetched of one selection."""

    selection: Selection
    rows: PositiveCount
    content_sha256: Digest
    """Digest over the samples in order: the same wherever and with whatever versions they are fetched."""
    class_names: tuple[str, ...] = ()
    files: tuple[FetchedFile, ...]


class LockFile(Record):
    """``benchmarks.lock.json``."""

    schema_: Literal["splitshare.benchmark-lock/1"] = Field(alias="schema")
    entries: tuple[LockEntry, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        keys = [entry.selection.key for entry in self.entries]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise ValueError(f"entries[{i}]: {key[0]} ({key[1]}) is locked already; keep one")
        return self

    def find(self, selection: Selection) -> LockEntry | None:
        """The entry of the same benchmark, part, number and seed."""
        return next((entry for entry in self.entries if entry.selection.key == selection.key), None)


def read_lock(path: Path) -> LockFile:
    """The lock file at ``path``; an empty one if there is none.

    Raises:
        InputError: it is malformed.
    """
    return LockFile.read(path) if path.is_file() else LockFile(schema_="splitshare.benchmark-lock/1", entries=())


def write_entry(path: Path, entry: LockEntry) -> None:
    """Put ``entry`` into the lock file at ``path``, in place of an older one of the same selection."""
    kept = [old for old in read_lock(path).entries if old.selection.key != entry.selection.key]
    entries = sorted([*kept, entry], key=lambda e: (e.selection.benchmark, e.selection.part, e.rows, e.selection.seed))
    write_text(path, LockFile(schema_="splitshare.benchmark-lock/1", entries=tuple(entries)).to_json())
