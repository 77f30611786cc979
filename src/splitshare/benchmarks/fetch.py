"""Fetch a selection of samples: whole or a seeded subset, resumable, digested.

A subset is drawn without downloading the rest. Of a split with labels it is stratified (``benchmarks.stratified``): the
labels are read first, and then of the shards (row groups of Parquet files) no more than are needed; of tar files, whose
labels come with the pictures, every shard is passed through once. Without labels, shards are taken in a seeded order,
and of each every tenth row at most, so that neighbours do not fill the subset.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from splitshare.benchmarks.hub import HubSplit, with_retries
from splitshare.benchmarks.lock import FetchedFile, LockEntry, Selection
from splitshare.benchmarks.stratified import chosen_rows, shares
from splitshare.catalog.benchmarks import SplitSource
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
    reads = _reads(split, selection)
    wanted = selection.samples
    pending: list[Row] = []
    have = sum(file.rows for file in state.files)
    done = state.steps
    for done, read in enumerate(
        track(reads[state.steps :], f"fetching {selection.benchmark}", total=len(reads) - state.steps), state.steps + 1
    ):
        rows = with_retries(read)
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


def _reads(split: HubSplit, selection: Selection) -> list[Callable[[], list[Row]]]:
    """What to read, one after the other; the same at every start of a fetch, which so can go on in the middle."""
    shards = range(split.shards)
    if selection.samples is None:
        return [partial(_strided, split, selection, shard, 0, 1) for shard in shards]
    if "label" not in selection.source.columns:
        return [partial(_strided, split, selection, *step) for step in _steps(selection, split.shards)]
    if not split.labels_come_first:
        return [partial(_from_all, split, selection, selection.samples)]
    labels = with_retries(split.labels)
    chosen = chosen_rows(labels, selection.samples, selection.seed)
    return [partial(_at, split, selection, shard, frozenset(rows)) for shard, rows in chosen.items()]


def _steps(selection: Selection, shards: int) -> list[tuple[int, int, int]]:
    """Shard, first row and stride of each read: a seeded draw that ends up with all rows."""
    assert selection.samples is not None
    draw = np.random.default_rng(selection.seed)
    order = draw.permutation(shards).tolist()
    stride = max(1, min(LARGEST_STRIDE, selection.source.rows // selection.samples))
    first = draw.integers(stride, size=shards).tolist()
    return [(shard, (first[shard] + step) % stride, stride) for step in range(stride) for shard in order]


def _strided(split: HubSplit, selection: Selection, shard: int, offset: int, stride: int) -> list[Row]:
    """Every so many rows of a shard."""
    source = selection.source
    rows = (row for i, row in enumerate(split.rows(shard)) if i % stride == offset)
    return [_kept(row, source) for row in rows if _belongs(row, source)]


def _at(split: HubSplit, selection: Selection, shard: int, chosen: frozenset[int]) -> list[Row]:
    """Some rows of a shard."""
    return [_kept(row, selection.source) for i, row in enumerate(split.rows(shard)) if i in chosen]


def _from_all(split: HubSplit, selection: Selection, samples: int) -> list[Row]:
    """A stratified draw from one pass through all shards: of each class a few rows are held, drawn as they come."""
    source, draw = selection.source, np.random.default_rng([selection.seed, 3])
    most = 2 * math.ceil(samples / max(1, len(split.class_names)))
    held: dict[int, list[Row]] = {}
    seen: Counter[int] = Counter()
    for shard in track(range(split.shards), f"drawing from {selection.benchmark}"):
        for row in split.rows(shard):
            if not _belongs(row, source):
                continue
            label = int(row[source.columns["label"]])
            seen[label] += 1
            rows = held.setdefault(label, [])
            if len(rows) < most:
                rows.append(_kept(row, source))
            elif (place := int(draw.integers(seen[label]))) < most:
                rows[place] = _kept(row, source)
    wanted = shares({label: len(rows) for label, rows in held.items()}, samples, selection.seed)
    return [row for label in sorted(held) for row in held[label][: wanted[label]]]


def _belongs(row: Row, source: SplitSource) -> bool:
    return source.fold_column is None or row[source.fold_column] in source.folds


def _kept(row: Row, source: SplitSource) -> Row:
    return {name: _plain(row[source.columns[name]]) for name in sorted(source.columns) if name != "class_name"}


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
