"""Where the benchmarks' data come from: typed records of ``data/catalogue/benchmarks.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from splitshare.catalog import paths
from splitshare.catalog.records import Benchmark
from splitshare.errors import InputError
from splitshare.records import Name, PositiveAmount, PositiveCount, Record, Whole, nearest

Column = Literal["image", "audio", "label", "class_name", "question", "answers", "captions"]
"""What a sample has, whatever its data set calls it; ``class_name`` is read for the names of labels only."""
MetricName = Literal["accuracy", "vqa-accuracy", "cider"]
"""How the benchmark is judged; ``accuracy`` is top-1 and, from ten classes on, top-5."""

_NEEDED: dict[MetricName, tuple[Column, ...]] = {
    "accuracy": ("label",),
    "vqa-accuracy": ("image", "question", "answers"),
    "cider": ("image", "captions"),
}


class SplitSource(Record):
    """One split of a data set on the hub, at one revision."""

    dataset: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """Id on the hub, ``owner/name``."""
    config: str | None = None
    split: str
    revision: str | None = Field(pattern=r"^[0-9a-f]{40}$")
    """Commit of the data set; ``null`` where none could be checked, and then nothing is fetched."""
    revision_note: str = ""
    """Why there is no revision."""
    columns: dict[Column, str]
    """Names of the columns in the data set."""
    fold_column: str | None = None
    """Column by which a data set without splits is split."""
    folds: tuple[Whole, ...] = ()
    """Values of ``fold_column`` that belong to this split."""
    class_names_file: str | None = None
    """File of the data set with a class name a line, where the label column has none."""
    rows: PositiveCount
    """Samples of the split, by the data set's documentation; of all folds."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.revision is None and not self.revision_note:
            raise ValueError("revision_note: is missing; say why there is no revision")
        if (self.fold_column is None) != (not self.folds):
            raise ValueError("folds: go with a fold_column; write both or neither")
        return self

    @property
    def wanted_columns(self) -> tuple[str, ...]:
        """Columns of the data set that a sample needs, in a fixed order."""
        names = [self.columns[name] for name in sorted(self.columns) if name != "class_name"]
        return tuple(dict.fromkeys([*names, *([self.fold_column] if self.fold_column else [])]))


class BenchmarkSource(Record):
    """A benchmark's data: what is judged, and what its heads are trained on."""

    name: Name
    """The benchmark's name in ``tasks.yaml``."""
    metric: MetricName
    templates: tuple[str, ...] = ()
    """Sentences around a class name (``{}``) that make its prompts; several are averaged (CLIP, section 3.1.4)."""
    licence: str
    homepage: str
    download_bytes: PositiveAmount
    """Size of the data set's files on the hub, all splits."""
    test: SplitSource
    train: SplitSource | None = None
    """What heads are trained on; ``null``: the benchmark needs none."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for part in ("test", "train"):
            source: SplitSource | None = getattr(self, part)
            for column in _NEEDED[self.metric] if source else ():
                if source and column not in source.columns:
                    raise ValueError(f"{part}.columns.{column}: is missing; {self.metric} needs it")
        for i, template in enumerate(self.templates):
            if template.count("{}") != 1:
                raise ValueError(f"templates[{i}]: {template!r} needs {{}} once, where the class name goes")
        return self


class BenchmarksFile(Record):
    """``data/catalogue/benchmarks.yaml``."""

    schema_: Literal["splitshare.benchmarks/1"] = Field(alias="schema")
    benchmarks: tuple[BenchmarkSource, ...]


def load_benchmarks(root: Path, known: Mapping[str, Benchmark]) -> dict[str, BenchmarkSource]:
    """Sources of the benchmarks, in file order.

    Args:
        root: the data folder.
        known: the catalogue's benchmarks, by name.

    Raises:
        InputError: the file is missing or malformed, or names a benchmark twice or one that the catalogue has not.
    """
    path = paths.benchmarks_file(root)
    sources: dict[str, BenchmarkSource] = {}
    for i, source in enumerate(BenchmarksFile.read(path).benchmarks):
        if source.name not in known:
            raise InputError(
                path, f"benchmarks[{i}].name", f"unknown benchmark {source.name!r}; {nearest(source.name, list(known))}"
            )
        if source.name in sources:
            raise InputError(path, f"benchmarks[{i}].name", f"{source.name!r} is there already; keep one")
        sources[source.name] = source
    return sources
