"""What others have published: class names for prompts, and accuracies to set ours beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.records import Name, Record

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on


class ClassNames(Record):
    """A benchmark's classes as the authors of CLIP name them in prompts."""

    names: tuple[str, ...] = Field(min_length=1)
    other_names: dict[str, str] = Field(default_factory=dict)
    """What a data set calls a class where that is more than another spelling."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        seen: dict[str, int] = {}
        for i, name in enumerate(self.names):
            if plain(name) in seen:
                raise ValueError(f"names[{i}]: {name!r} stands in names[{seen[plain(name)]}] too; keep one")
            seen[plain(name)] = i
        for other, name in self.other_names.items():
            if name not in self.names:
                raise ValueError(f"other_names.{other}: {name!r} is not among the names")
        return self

    @cached_property
    def _by_plain(self) -> dict[str, str]:
        return {plain(name): name for name in self.names} | {plain(o): n for o, n in self.other_names.items()}

    def published(self, own: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The published name of each of a data set's classes, whatever their order, by letters and digits alone.

        Returns:
            The names, and those of the data set's for which there is none: they stay as they are.
        """
        found = [self._by_plain.get(plain(name)) for name in own]
        return (
            tuple(name or mine for name, mine in zip(found, own, strict=True)),
            tuple(mine for name, mine in zip(found, own, strict=True) if name is None),
        )


class ClassNamesFile(Record):
    """``data/catalogue/class_names.yaml``."""

    schema_: Literal["splitshare.class-names/1"] = Field(alias="schema")
    source: str
    benchmarks: dict[Name, ClassNames]


class PublishedAccuracy(Record):
    """Accuracies of several models on one benchmark, from one source."""

    benchmark: Name
    metric: Literal["top-1", "top-5", "vqa-accuracy", "cider"]
    source: str
    comparable: bool = True
    """Whether the same thing was measured as here."""
    note: str = ""
    values: dict[Name, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.comparable and not self.note:
            raise ValueError("note: is missing; say why it is not comparable")
        for model, value in self.values.items():
            if not 0 <= value <= (10 if self.metric == "cider" else 1):
                raise ValueError(f"values.{model}: {value} is no {self.metric}; write a share")
        return self


class PublishedAccuraciesFile(Record):
    """``data/catalogue/published_accuracy.yaml``."""

    schema_: Literal["splitshare.published-accuracy/1"] = Field(alias="schema")
    published: tuple[PublishedAccuracy, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: dict[tuple[str, str, str], int] = {}
        for i, part in enumerate(self.published):
            for model in part.values:
                key = (part.benchmark, model, part.metric)
                if key in seen:
                    raise ValueError(f"published[{i}].values.{model}: stands in published[{seen[key]}] too; keep one")
                seen[key] = i
        return self

    def find(self, benchmark: str, model: str, metric: str) -> tuple[float, PublishedAccuracy] | None:
        """The published value of a model on a benchmark, and where it is from."""
        for part in self.published:
            if (part.benchmark, part.metric) == (benchmark, metric) and model in part.values:
                return part.values[model], part
        return None


def plain(name: str) -> str:
    """A class name without case, and without all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
