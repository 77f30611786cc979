"""The samples that were fetched, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from splitshare.benchmarks.lock import LockEntry
from splitshare.errors import WorkError
from splitshare.files import sha256_file


@dataclass(frozen=True)
class Sample:
    """What a benchmark asks and what is right; a benchmark has some of these."""

    image: bytes | None = None
    """An encoded picture (JPEG, PNG, WebP)."""
    audio: bytes | None = None
    """A WAV file."""
    label: int | None = None
    question: str | None = None
    answers: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()


def read_samples(entry: LockEntry, directory: Path, file: int) -> list[Sample]:
    """Samples of the ``file``-th file of what was fetched.

    Args:
        entry: the lock's entry.
        directory: of all benchmarks.
        file: its place in the entry.

    Raises:
        WorkError: the file is not there, or is not the one that was locked.
    """
    wanted = entry.files[file]
    path = directory / entry.selection.directory / wanted.name
    if not path.is_file():
        raise WorkError(f"{path} is not there any more; fetch {entry.selection.benchmark} again")
    digest = sha256_file(path)
    if digest != wanted.file_sha256:
        raise WorkError(f"{path} was changed after it was fetched: it had {wanted.file_sha256}, it has {digest}")
    return [
        Sample(
            image=row.get("image"),
            audio=row.get("audio"),
            label=row.get("label"),
            question=row.get("question"),
            answers=tuple(row.get("answers") or ()),
            captions=tuple(row.get("captions") or ()),
        )
        for row in pq.read_table(path).to_pylist()
    ]
