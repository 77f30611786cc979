"""Where the models of a family are cut: a file a family, below ``data/families/``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.errors import InputError
from splitshare.records import Name, Record

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

ModuleKind = Literal[
    "vision-encoder",
    "text-encoder",
    "audio-encoder",
    "projector",
    "q-former",
    "language-decoder",
    "head",
    "other",
]

InputKind = Literal[
    "pictures",
    "picture-lists",
    "picture-patches",
    "tiled-pictures",
    "tokens",
    "decoder-tokens",
    "spectrogram",
    "log-mel",
    "square-spectrogram",
    "waveform",
]
"""What a forward pass is given: see ``splitshare.checkpoints.inputs``."""
ImageTokens = Literal["patches", "queries", "merged", "shuffled", "tiles"]
"""How many tokens a picture takes in the words of a language model: see ``splitshare.checkpoints.inputs``."""


class FamilyModule(Record):
    """A functional module of a family's models."""

    name: Name
    """In the tree and in tables; the same in all families where it is the same thing: ``vision``, ``text``, ``head``.
    """
    kind: ModuleKind
    at: dict[str, str] = Field(min_length=1)
    """Dotted names in transformers' class to names inside the module.

    A longer one goes before a shorter one; empty inside: what lies below keeps its own name.
    """
    config: str | None = None
    """Attribute of the configuration that says how the module computes; ``None``: the whole configuration."""


class Family(Record):
    """``data/families/<family>.yaml``."""

    schema_: Literal["splitshare.family/1"] = Field(alias="schema")
    name: Name
    source: str
    """Where the architecture is described."""
    model_types: tuple[str, ...] = Field(min_length=1)
    """``model_type`` of the configurations that belong to it."""
    task: Name = "own-task"
    """What its models are mostly asked for."""
    modules: tuple[FamilyModule, ...] = ()
    inputs: tuple[InputKind, ...] = ()
    image_tokens: ImageTokens | None = None
    """Of a model whose pictures stand among its words."""
    token_types: Name | None = None
    """Argument of the class that tells a picture's tokens from words, where it has one."""
    attention_mask: bool = False
    """Whether the class is given one, of ones, though no text is filled up."""
    fuses_early: str = ""
    """Why its models cannot be split; then there are no modules."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.modules) is bool(self.fuses_early):
            raise ValueError("modules: write where to cut, or under fuses_early why that cannot be")
        names: dict[str, int] = {}
        places: dict[str, int] = {}
        for i, module in enumerate(self.modules):
            if module.name in names:
                raise ValueError(f"modules[{i}].name: {module.name!r} stands in modules[{names[module.name]}] too")
            names[module.name] = i
            for place in module.at:
                if place in places:
                    raise ValueError(f"modules[{i}].at.{place}: stands in modules[{places[place]}] too; keep one")
                places[place] = i
        return self


def load_families(root: Path) -> Mapping[str, Family]:
    """All families by the model types that belong to them.

    Args:
        root: the data folder.

    Raises:
        InputError: a file is malformed, two describe the same model type, or there is none.
    """
    found: dict[str, Family] = {}
    if not (root / "families").is_dir():
        raise InputError(root / "families", "", "is not there; a data folder has a file for each family of models")
    for path in sorted((root / "families").glob("*.yaml")):
        family = Family.read(path)
        if family.name != path.stem:
            raise InputError(path, "name", f"is {family.name!r}; write {path.stem!r}, or rename the file")
        for i, model_type in enumerate(family.model_types):
            if model_type in found:
                other = found[model_type].name
                raise InputError(path, f"model_types[{i}]", f"{model_type!r} is described by {other}.yaml; keep one")
            found[model_type] = family
    return found
