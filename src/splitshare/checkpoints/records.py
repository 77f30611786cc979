"""``catalogue/checkpoints.yaml``: where modules of the builder ``checkpoint`` come from, and how they are called.

``splitshare catalogue`` writes it. What a person changes in it is ``models``: where the checkpoints lie.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.errors import InputError
from splitshare.files import canonical_json, sha256_bytes
from splitshare.records import Finite, Name, PositiveCount, Record, Whole, nearest

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

Role = Literal["vision", "text", "audio"]
OutputPath = tuple[str | Whole, ...]
"""Where a tensor stands in what an encoder returns, such as ``("hidden_states", 3)``."""


class Beside(Record):
    """A further tensor that a tower is called with: sizes of pictures, or a mask."""

    name: str
    dtype: Literal["int64", "int32", "bool"]
    shape: tuple[PositiveCount, ...]
    values: tuple[Whole, ...]
    """Of one item, in order; a single one where all are equal."""
    per_item: bool
    """Whether a batch has one after another of it; else there is one whatever the batch."""


class Call(Record):
    """How a tower is called for a tensor, and where in what it returns that stands."""

    argument: str | None = None
    """Name of the argument that takes the items; ``None``: the first."""
    given: dict[str, bool | Whole | Finite | str | tuple[Whole, ...] | None] = Field(default_factory=dict)
    """Other arguments."""
    beside: tuple[Beside, ...] = ()
    path: OutputPath = Field(min_length=1)
    returns: str
    """The class of transformers that it returns, with its Python module; or ``tuple``."""
    among: PositiveCount | None = None
    """How many tensors stand beside that one, itself counted, where they are numbered."""
    shape: tuple[PositiveCount, ...]
    """Of what is sent for an item."""
    flat: bool = False
    """Whether the model takes all items' rows one after another."""


class EncoderEntry(Record):
    """An encoder: a tower of transformers' own class, alone."""

    model: Name
    """Whose class and files it is read from."""
    module: Name
    """Its name in the tree of ``splitshare split``."""
    place: str = Field(min_length=1)
    """Of the tower in the class."""
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    """Over its tensors' names, shapes, types and values."""
    input_shape: tuple[PositiveCount, ...] = Field(min_length=1)
    """Of an item."""
    vocabulary: PositiveCount | None = None
    """Where items are tokens."""
    rows: bool = False
    """Whether an item is several rows of what the tower takes."""
    pooled: Call
    patches: Call | None = None
    """A second tensor that another model takes of it."""

    def call(self, output: Literal["pooled", "patches"]) -> Call:
        """How it is called for one of its outputs."""
        return self.patches if output == "patches" and self.patches is not None else self.pooled


class Arriving(Record):
    """What a head is given by one encoder."""

    place: str = Field(min_length=1)
    """Of the encoder in the class, which what arrived takes."""
    call: Call
    argument: str | None = None
    """Argument of the whole class that the encoder reads."""
    items: PositiveCount = 1
    """Items of a request in the class's own inputs."""


class HeadEntry(Record):
    """A head: transformers' own class, what arrived in the encoders' places."""

    model: Name
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    """Over the digests of its modules."""
    answer: str
    """Name of the answer's tensor in what the class returns."""
    apart: bool = False
    """Whether requests are answered one by one, for several at once would meet."""
    last: bool = False
    """Whether the answer is that behind the last token."""
    decodes: bool = False
    """Whether it answers in words."""
    arrives: dict[Role, Arriving] = Field(min_length=1)


class CheckpointsFile(Record):
    """``catalogue/checkpoints.yaml``."""

    schema_: Literal["splitshare.checkpoints/1"] = Field(alias="schema")
    models: dict[Name, str] = Field(min_length=1)
    """Folders as transformers writes them, or names on the hub with their commit."""
    encoders: dict[Name, EncoderEntry]
    """By the name of their architecture, as heads."""
    heads: dict[Name, HeadEntry]

    @model_validator(mode="after")
    def _models_are_there(self) -> Self:
        for field, entries in (("encoders", self.encoders), ("heads", self.heads)):
            for name, entry in entries.items():
                if entry.model not in self.models:
                    told = f"unknown model {entry.model!r}; {nearest(entry.model, list(self.models))}"
                    raise ValueError(f"{field}.{name}.model: {told}")
        return self


def identity(entry: EncoderEntry | HeadEntry) -> str:
    """Digest of all that an entry says but whose files it is read from."""
    said = entry.model_dump(mode="json", exclude={"model"})
    return sha256_bytes(canonical_json(said).encode())


def checkpoints_file(architectures: Path) -> Path:
    """The file that goes with a catalogue's architectures."""
    return architectures.with_name("checkpoints.yaml")


def read_entry(path: Path, name: str, said: str) -> tuple[CheckpointsFile, EncoderEntry | HeadEntry]:
    """The entry of an architecture.

    Args:
        path: the file.
        name: of the architecture.
        said: what its catalogue entry says that the entry's identity is.

    Raises:
        InputError: the file is wrong, or has no such entry, or another one.
    """
    file = CheckpointsFile.read(path)
    entry = file.encoders.get(name) or file.heads.get(name)
    if entry is None:
        raise InputError(path, "", f"has no {name!r}; write the catalogue anew with `splitshare catalogue`")
    if identity(entry) != said:
        field = "encoders" if isinstance(entry, EncoderEntry) else "heads"
        told = "is not what architectures.yaml was written with; write the catalogue anew with `splitshare catalogue`"
        raise InputError(path, f"{field}.{name}", told)
    return file, entry
