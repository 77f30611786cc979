"""Where published weights lie, and which commits were found: typed records of ``hub.yaml`` and of its lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.records import Name, Record

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

COMMIT = r"^[0-9a-f]{40}$"

Layout = Literal["transformers", "openai"]
"""Names that weights have in their files: those of a transformers class, or those of OpenAI's CLIP."""


class HubWeights(Record):
    """Where weights are published."""

    repository: str
    revision: str | None = Field(default=None, pattern=COMMIT)
    """The commit; ``None``: found at the first use, and kept in a lock file (``splitshare.modules.hub_pins``)."""
    layout: Layout = "transformers"
    file: str | None = None
    """The safetensors file with all weights, of the layout ``openai``."""
    tokenizer: Name | None = None
    """Other weights whose tokeniser these take; ``None``: their repository's own."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.layout == "openai") is (self.file is None):
            raise ValueError("file: goes with the layout 'openai'; write both or neither")
        return self


class HubFile(Record):
    """``data/catalogue/hub.yaml``."""

    schema_: Literal["splitshare.hub/1"] = Field(alias="schema")
    weights: dict[Name, HubWeights]

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, entry in self.weights.items():
            if entry.tokenizer is not None and entry.tokenizer not in self.weights:
                raise ValueError(f"weights.{name}.tokenizer: no weights {entry.tokenizer!r} here")
        return self


class Pin(Record):
    """The commit of a repository that was found at the first use, and what was fetched of it."""

    kind: Literal["dataset", "model"]
    repository: str
    asked: str | None = Field(default=None, pattern=COMMIT)
    """The catalogue's commit then."""
    revision: str = Field(pattern=COMMIT)
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of fetched files by name; a data set's samples have digests in their own lock file."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What may stand once in a file."""
        return self.kind, self.repository, self.asked or "no commit"


class PinsFile(Record):
    """``hub.lock.json``."""

    schema_: Literal["splitshare.hub-lock/1"] = Field(alias="schema")
    pins: tuple[Pin, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: dict[tuple[str, str, str], int] = {}
        for i, pin in enumerate(self.pins):
            if pin.key in seen:
                raise ValueError(f"pins[{i}]: {' '.join(pin.key)} stands in pins[{seen[pin.key]}] too; keep one")
            seen[pin.key] = i
        return self
