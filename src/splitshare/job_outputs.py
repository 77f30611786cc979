"""Digests of what the workflow's jobs wrote, so that a file which was changed behind its back is noticed (ours).

Snakemake goes by time stamps: a file that was edited and given its old time is taken for what the job wrote. It does
keep a note of every job that ended, with the time; a digest is kept here beside that time. A file of another digest
that no job has written since is a changed one. What a job of a killed run wrote is digested when the next run starts.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from splitshare.errors import InputError
from splitshare.files import sha256_file
from splitshare.records import Record

LEDGER = "job_outputs.json"
"""Where the digests are kept, in the folder of the results."""
METADATA = Path(".snakemake/metadata")
"""Where Snakemake keeps its notes, a file an output."""


class JobOutput(Record):
    """What a job wrote, and when it ended."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")
    ended: str
    """Snakemake's time of the job's end, as it writes it."""


class JobOutputs(Record):
    """Outputs of ended jobs by their path from the working directory."""

    schema_: Literal["splitshare.job-outputs/1"] = Field(alias="schema")
    outputs: dict[str, JobOutput]


def changed_outputs(ledger: Path, folders: Sequence[Path], metadata: Path = METADATA) -> list[str]:
    """Outputs that are not what a job wrote; digests of those that jobs have written since are kept.

    Args:
        ledger: file of ``JobOutputs``; made where there is none, or where it is spoilt (all is taken as it is then).
        folders: outputs elsewhere are not looked at.
        metadata: Snakemake's notes.

    Returns:
        Paths from the working directory, sorted. A missing output is none of them: Snakemake notices those.
    """
    known = _read(ledger)
    outputs: dict[str, JobOutput] = {}
    changed: list[str] = []
    for name, ended in sorted(_ended(metadata)):
        path = Path(name)
        if not path.exists() or not any(path.is_relative_to(folder) for folder in folders):
            continue
        digest, before = _digest(path), known.get(name)
        if before is None or before.ended != ended:
            before = JobOutput(digest=digest, ended=ended)
        elif before.digest != digest:
            changed.append(name)
        outputs[name] = before
    if outputs != known:
        JobOutputs(schema_="splitshare.job-outputs/1", outputs=outputs).write(ledger)
    return changed


def _read(ledger: Path) -> dict[str, JobOutput]:
    try:
        return dict(JobOutputs.read(ledger).outputs) if ledger.is_file() else {}
    except InputError:
        return {}  # ours alone: nobody's work is lost with it


def _ended(metadata: Path) -> Iterator[tuple[str, str]]:
    """Outputs whose job has ended, and when, by Snakemake's notes."""
    for note in metadata.rglob("*"):
        if not note.is_file():
            continue
        encoded = "".join(part.removeprefix("@") for part in note.relative_to(metadata).parts)
        try:
            name = urlsafe_b64decode(encoded).decode()
            said = json.loads(note.read_text())
        except (Base64Error, ValueError, OSError):
            continue  # a note that a killed run has not finished
        if isinstance(said, dict) and said.get("endtime") is not None and not said.get("incomplete"):
            yield name, repr(said["endtime"])


def _digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, over the names and digests of what is in it."""
    if path.is_file():
        return sha256_file(path)
    inside = [inner for inner in sorted(path.rglob("*")) if inner.is_file() and inner.name != ".snakemake_timestamp"]
    return hashlib.sha256(
        "".join(f"{inner.relative_to(path)} {sha256_file(inner)}\n" for inner in inside).encode()
    ).hexdigest()
