"""Fetch a selection of samples: whole or a seeded subset, resumable, digested.

A subset is drawn without downloading the rest: the split's shards (row groups of its Parquet files) are taken in a
seeded order, and of each every tenth row at most, so that neighbours, often of one class, do not fill the subset.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from splitshare.benchmarks.hub import HubSplit, with_retries
from splitshare.benchmarks.lock import FetchedFile, LockEntry, Selection
from splitshare.errors import WorkError
from splitshare.files import atomic_path, sha256_file
from splitshare.progress import track
from splitshare.records import Count, Record

ROWS_PER_FILE = 200
LARGEST_STRIDE = 10

Row = dict[str, Any]

_TYPES = {
    "image": pa.binary(),
    "audio": pa.binary(),
    "label": pa.int64(),
    "question": pa.string(),
    "answers": pa.list_(pa.string()),
    "captions": pa.list_(pa.string()),
}


class _State(Record):
    """How far a fetch has come; beside its files."""

    selection: Selection
    steps: Count
    """Steps (a shard in a pass) whose samples are in the files."""
    files: tuple[FetchedFile, ...] = ()
    class_names: tuple[str, ...] = ()
    complete: bool = False


def fetch(
    selection: Selection, directory: Path, locked: LockEntry | None = None, classes: int | None = None
) -> LockEntry:
    """Fetch ``selection`` into ``directory / selection.directory``, or go on where an earlier fetch stopped.

    Args:
        selection: which samples.
        directory: of all benchmarks.
        locked: what an earlier fetch of the same selection found.
        classes: how many class names the data set must have.

    Raises:
        WorkError: the samples differ from the locked ones (both digests are named), a fetched file was changed, or the
            data set is not as the catalogue says.
        OSError: the hub cannot be reached or refuses.
        pyarrow.ArrowException: a file of the data set is damaged.
    """
    revision = selection.source.revision
    if revision is None:
        raise WorkError(f"no revision to fetch: {selection.source.revision_note}; write one into benchmarks.yaml")
    target = directory / selection.directory
    state = _read_state(target, selection)
    if not state.complete:
        state = _go_on(state, target, revision, classes)
    entry = LockEntry(
        selection=selection,
        rows=sum(file.rows for file in state.files),
        content_sha256=_digest(file.content_sha256 for file in state.files),
        class_names=state.class_names,
        files=state.files,
    )
    if locked is not None and locked.content_sha256 != entry.content_sha256:
        raise WorkError(
            f"the samples have changed upstream: locked {locked.content_sha256}, fetched {entry.content_sha256}; "
            "pin the revision that the lock was made with, or delete the entry from the lock file"
        )
    return entry


def _go_on(state: _State, target: Path, revision: str, classes: int | None) -> _State:
    selection = state.selection
    split = with_retries(lambda: HubSplit(selection.source, revision))
    _check_names(split.class_names, classes if "label" in selection.source.columns else None)
    steps = _steps(selection, split.shards)
    wanted = selection.samples
    pending: list[Row] = []
    have = sum(file.rows for file in state.files)
    done = state.steps
    for done, (shard, offset, stride) in enumerate(
        track(steps[state.steps :], f"fetching {selection.benchmark}", total=len(steps) - state.steps), state.steps + 1
    ):
        rows = with_retries(lambda s=shard, o=offset, n=stride: list(_chosen(split, selection, s, o, n)))  # type: ignore[misc]
        pending += rows if wanted is None else rows[: wanted - have - len(pending)]
        if len(pending) >= ROWS_PER_FILE:
            state = _write(state, target, pending, done)
            have, pending = have + len(pending), []
        if wanted is not None and have + len(pending) >= wanted:
            break
    if pending:
        state = _write(state, target, pending, done)
    if not state.files:
        raise WorkError("the split has no samples, or none in these folds")
    finished = state.model_copy(update={"complete": True, "class_names": split.class_names})
    finished.write(target / "state.json")
    return finished


def _check_names(names: tuple[str, ...], classes: int | None) -> None:
    if classes is not None and len(names) != classes:
        raise WorkError(f"it names {len(names)} classes, the catalogue says {classes}; mend one of them")
    if any(name.isdigit() for name in names):
        raise WorkError("its classes are numbered and not named; choose a copy of the data set with names")


def _steps(selection: Selection, shards: int) -> list[tuple[int, int, int]]:
    """Shard, first row and stride of each read: all rows in order, or a seeded draw that ends up with all rows too."""
    if selection.samples is None:
        return [(shard, 0, 1) for shard in range(shards)]
    draw = np.random.default_rng(selection.seed)
    order = draw.permutation(shards).tolist()
    stride = max(1, min(LARGEST_STRIDE, selection.source.rows // selection.samples))
    first = draw.integers(stride, size=shards).tolist()
    return [(shard, (first[shard] + step) % stride, stride) for step in range(stride) for shard in order]


def _chosen(split: HubSplit, selection: Selection, shard: int, offset: int, stride: int) -> Iterator[Row]:
    source = selection.source
    for i, row in enumerate(split.rows(shard)):
        if i % stride != offset:
            continue
        if source.fold_column is None or row[source.fold_column] in source.folds:
            yield {name: _plain(row[source.columns[name]]) for name in sorted(source.columns) if name != "class_name"}


def _plain(value: Any) -> Any:
    """A value as we keep it: bytes of a media file, texts of a list of answers."""
    if isinstance(value, Mapping):
        if not isinstance(value.get("bytes"), bytes):
            raise WorkError(f"a media file is not in the data set itself but at {value.get('path')!r}")
        return value["bytes"]
    if isinstance(value, list):
        return [item["answer"] if isinstance(item, Mapping) else item for item in value]
    return value


def _write(state: _State, target: Path, rows: list[Row], steps: int) -> _State:
    path = target / f"part-{len(state.files):05d}.parquet"
    schema = pa.schema([(name, _TYPES[name]) for name in rows[0]])
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")
    file = FetchedFile(
        name=path.name, rows=len(rows), file_sha256=sha256_file(path), content_sha256=_digest(map(_row_digest, rows))
    )
    written = state.model_copy(update={"files": (*state.files, file), "steps": steps})
    written.write(target / "state.json")
    return written


def _read_state(target: Path, selection: Selection) -> _State:
    """How far an earlier fetch came, its files checked; the beginning if there was none, or of another revision."""
    path = target / "state.json"
    beginning = _State(selection=selection, steps=0)
    if not path.is_file():
        return beginning
    state = _State.read(path)
    if state.selection != selection:
        return beginning
    for file in state.files:
        digest = sha256_file(target / file.name) if (target / file.name).is_file() else "nothing"
        if digest != file.file_sha256:
            raise WorkError(
                f"{target / file.name} was changed after it was fetched: it had {file.file_sha256}, it has {digest}; "
                f"delete {target} and fetch again"
            )
    return state


def _row_digest(row: Row) -> str:
    digest = hashlib.sha256()
    for name in sorted(row):
        value = row[name]
        content = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _digest(parts: Iterator[str]) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()
