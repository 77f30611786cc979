"""The one place that talks to the hub: streams a split in shards, and says in one line why it cannot."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, IterableDataset, load_dataset, load_dataset_builder
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RevisionNotFoundError

from splitshare.catalog.benchmarks import SplitSource
from splitshare.errors import WorkError

T = TypeVar("T")
Sleep = Callable[[float], None]

ATTEMPTS = 3
FIRST_DELAY_S = 1.0
"""Before the second attempt; doubled for each further one."""

_HTTP_ERROR: type[Exception] = HfHubHTTPError.__bases__[0]
"""The root of the errors of whatever HTTP library the hub's client uses."""

_PART = re.compile(r"(?P<name>.*)-\d{5}-of-(?P<parts>\d{5})(?P<suffix>\..*)")
_READERS = {"parquet", "webdataset"}
"""Formats that hold data only. Others may need code of the data set's own, or pickle."""


class HubSplit:
    """A split on the hub, open for streaming. Nothing but Parquet and tar files is read, and no code is run."""

    def __init__(self, source: SplitSource, revision: str) -> None:
        self.source = source
        self.revision = revision
        self._prunes = False
        _wait_less_inside_the_library()
        # Its errors say what is wrong, the library's do not.
        info = HfApi().dataset_info(source.dataset, revision=revision)
        missing = missing_part([file.rfilename for file in info.siblings or ()], source.split)
        if missing is not None:
            raise WorkError(f"its file {missing} is missing, without which the split is not whole")
        stream = self._open()
        columns = list(stream.features or {})
        reader = str(stream.info.builder_name)
        if reader not in _READERS:
            raise WorkError(
                f"its files are of the format {reader!r}; only {' and '.join(sorted(_READERS))} are read: data, no code"
            )
        for name in (*source.wanted_columns, *source.columns.values()):
            if name not in columns:
                raise WorkError(
                    f"it has no column {name!r} but {', '.join(columns)}; mend `columns` in benchmarks.yaml"
                )
        self._prunes = reader == "parquet"
        self.class_names = self._class_names(stream)
        self._stream = self._open(source.wanted_columns).reshard()

    @property
    def shards(self) -> int:
        """Pieces that can be read apart: row groups of Parquet, whole tar files."""
        return int(self._stream.num_shards)

    def rows(self, shard: int) -> Iterator[dict[str, Any]]:
        """Samples of a shard in order, images and sounds as the bytes of their files."""
        yield from self._stream.shard(num_shards=self.shards, index=shard)

    @property
    def labels_come_first(self) -> bool:
        """Whether labels can be read without the pictures or sounds: of Parquet, not of tar files."""
        return self._prunes

    def labels(self) -> list[list[int | None]]:
        """Labels of every shard's rows, in order; ``None`` for rows of other folds.

        Read by themselves, without what a client reads ahead, so that no picture is downloaded for them.

        Raises:
            WorkError: the files have not the shards that streaming finds.
        """
        source, label = self.source, self.source.columns["label"]
        columns = [label, *([source.fold_column] if source.fold_column else [])]
        builder = load_dataset_builder(source.dataset, source.config, revision=self.revision)
        files, found = HfFileSystem(), []
        for url in (builder.config.data_files or {})[source.split]:
            with files.open(url, "rb", cache_type="none") as file:
                parquet = pq.ParquetFile(file)
                for group in range(parquet.num_row_groups):
                    table = parquet.read_row_group(group, columns=columns)
                    folds = table[source.fold_column].to_pylist() if source.fold_column else [None] * len(table)
                    inside = [source.fold_column is None or fold in source.folds for fold in folds]
                    named = zip(table[label].to_pylist(), inside, strict=True)
                    found.append([int(value) if here else None for value, here in named])
        if len(found) != self.shards:
            raise WorkError(f"its files have {len(found)} row groups, and streaming finds {self.shards}")
        return found

    def _open(self, columns: tuple[str, ...] | None = None) -> IterableDataset:
        """The split, media files as bytes; of Parquet, other columns than ``columns`` are not even downloaded."""
        source = self.source
        pruned = {"columns": list(columns)} if columns and self._prunes else {}
        stream: IterableDataset = load_dataset(
            source.dataset, source.config, split=source.split, revision=self.revision, streaming=True, **pruned
        )
        return stream.select_columns(list(columns)).decode(False) if columns else stream

    def _class_names(self, stream: IterableDataset) -> tuple[str, ...]:
        source, label = self.source, self.source.columns.get("label", "")
        if source.class_names_file:
            path = hf_hub_download(source.dataset, source.class_names_file, repo_type="dataset", revision=self.revision)
            return tuple(Path(path).read_text(encoding="utf-8").splitlines())
        if "class_name" in source.columns:
            column = source.columns["class_name"]
            named = {row[label]: row[column] for row in self._open((label, column))}
            return tuple(named[number] for number in sorted(named))
        feature = (stream.features or {}).get(label)
        return tuple(feature.names) if isinstance(feature, ClassLabel) else ()


def missing_part(files: Sequence[str], split: str) -> str | None:
    """The first file that a split lacks by the others' names, such as ``data/test-00001-of-00002.parquet``.

    The library reads what is there, and a part less would be a smaller benchmark without a word.
    """
    for file in files:
        named = _PART.fullmatch(file)
        if named is None or Path(named["name"]).name != split:
            continue
        for number in range(int(named["parts"])):
            part = f"{named['name']}-{number:05d}-of-{named['parts']}{named['suffix']}"
            if part not in files:
                return part
    return None


def with_retries(work: Callable[[], T], *, sleep: Sleep = time.sleep) -> T:
    """Do ``work``, and again after a growing delay if the connection or the server failed.

    The client tries the reading of files again by itself, but not the opening of a data set.

    Raises:
        Exception: what ``work`` raised last, or raised for good.
    """
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except (OSError, _HTTP_ERROR) as error:
            if attempt == ATTEMPTS - 1 or not _transient(error):
                raise
            sleep(FIRST_DELAY_S * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def explain(error: Exception, source: SplitSource) -> str:
    """Why a split could not be fetched and what to do, in one line that begins with the data set."""
    status, causes = _status(error), list(_causes(error))
    if any(isinstance(cause, GatedRepoError) for cause in causes) or status == 403:
        page = f"{datasets.config.HF_ENDPOINT}/datasets/{source.dataset}"
        reason = f"is gated: accept its terms at {page}, log in with `hf auth login`, and run again"
    elif any(isinstance(cause, RevisionNotFoundError) for cause in causes):
        reason = (
            f"has no revision {source.revision} any more: write another into benchmarks.yaml, or if that has none, "
            "take its pin out of hub.lock.json"
        )
    elif status == 401:
        reason = "answers 401, it is private, renamed or gone: log in with `hf auth login`, or mend its id"
    elif status == 404 or isinstance(error, datasets.exceptions.DatasetNotFoundError):
        reason = "is not on the hub (404): look for its new id and write it into benchmarks.yaml"
    elif "scripts are no longer supported" in str(error):
        reason = "needs a program of its own to be read, which is never run: choose another copy of it"
    elif isinstance(error, pa.ArrowException):
        reason = f"has a file that is damaged or cut off ({_line(error)}): run again, or choose another revision"
    elif isinstance(error, WorkError):
        reason = f"is not used: {error}"
    elif isinstance(error, OSError | _HTTP_ERROR):
        told = f"{type(error).__name__}: {_line(error)}"
        reason = f"cannot be reached ({told}): check the network and run again, what is fetched is kept"
    else:
        reason = f"cannot be read ({type(error).__name__}: {_line(error)}): choose another copy of it"
    return f"{source.dataset} {reason}"


def _transient(error: Exception) -> bool:
    """Whether to try again: no answer, a server's fault, or too many requests."""
    status = _status(error)
    if status is None:
        return not isinstance(error, FileNotFoundError | PermissionError)
    return status >= 500 or status in (408, 429)


def _status(error: BaseException) -> int | None:
    """The HTTP status behind an error, if a server answered."""
    for cause in _causes(error):
        if isinstance(cause, HfHubHTTPError):
            return int(cause.response.status_code)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def _wait_less_inside_the_library() -> None:
    """The library would wait up to 20 times 5 s inside one read; waiting is ours, with a growing delay."""
    datasets.config.STREAMING_READ_MAX_RETRIES = 1
    datasets.config.STREAMING_READ_RETRY_INTERVAL = 1
    datasets.config.STREAMING_OPEN_MAX_RETRIES = 1
    datasets.config.STREAMING_OPEN_RETRY_INTERVAL = 1
    datasets.config.STREAMING_READ_SERVER_UNAVAILABLE_RETRY_INTERVAL = 1
    datasets.utils.logging.set_verbosity(logging.CRITICAL)  # what goes wrong is told in one line, by us
