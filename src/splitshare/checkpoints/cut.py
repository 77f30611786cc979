"""A checkpoint cut into functional modules, by its family's file or, where nobody described it, by a general rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import PreTrainedModel

from splitshare.checkpoints.families import Family, FamilyModule, ModuleKind
from splitshare.checkpoints.source import Checkpoint
from splitshare.checkpoints.tensors import TensorRef
from splitshare.errors import InputError, WorkError

_KINDS: Mapping[str, ModuleKind] = {
    "proj": "projector",
    "connector": "projector",
    "merger": "projector",
    "qformer": "q-former",
    "classifier": "head",
    "head": "head",
    "scale": "head",
    "vision": "vision-encoder",
    "visual": "vision-encoder",
    "audio": "audio-encoder",
    "speech": "audio-encoder",
    "language": "language-decoder",
    "decoder": "language-decoder",
    "text": "text-encoder",
}
"""What a name's part says of what a module is, for models that nobody described."""

_NOT_COMPUTING = frozenset(
    {
        *("_name_or_path", "architectures", "transformers_version", "torch_dtype", "dtype", "model_type"),
        *("bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id"),
        *("id2label", "label2id", "problem_type", "num_labels", "use_cache", "return_dict", "tie_word_embeddings"),
        *("initializer_range", "initializer_factor", "init_std", "projection_dim", "_attn_implementation_autoset"),
        *("output_attentions", "output_hidden_states", "chunk_size_feed_forward", "label_smoothing"),
        *("is_decoder", "is_encoder_decoder", "tokenizer_class", "torchscript", "pruned_heads", "finetuning_task"),
        *(
            "attn_implementation",
            "_attn_implementation",
            "attention_implementation",
            "vocab_size",
            "apply_spec_augment",
        ),
    }
)
"""Keys of a configuration that no tensor that a module computes depends on, when it answers."""


@dataclass(frozen=True)
class CutModule:
    """A functional module of a checkpoint."""

    model: str
    """The checkpoint's name."""
    name: str
    kind: ModuleKind
    tensors: Mapping[str, TensorRef]
    """By their names inside the module."""
    places: Mapping[str, str]
    """Their names in the whole model's class, by those inside the module."""
    computes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What of the configuration says how it computes."""

    @property
    def parameters(self) -> int:
        """Values of all its tensors."""
        return sum(tensor.values for tensor in self.tensors.values())

    @property
    def bytes(self) -> int:
        """Bytes of all its tensors in the files."""
        return sum(tensor.bytes for tensor in self.tensors.values())

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Types of its tensors, by the format's names."""
        return tuple(sorted({tensor.dtype for tensor in self.tensors.values()}))


@dataclass(frozen=True)
class Cut:
    """A checkpoint and its modules."""

    checkpoint: Checkpoint
    family: str | None
    """``None``: by the general rule."""
    modules: tuple[CutModule, ...]


def cut(checkpoint: Checkpoint, families: Mapping[str, Family]) -> Cut:
    """Cut a checkpoint into modules; every tensor that the class has a place for is in exactly one.

    Raises:
        WorkError: its family fuses its inputs early, and cannot be split.
        InputError: the family's file leaves a tensor out.
    """
    family = families.get(str(checkpoint.config.model_type))
    if family is not None and family.fuses_early:
        raise WorkError(f"{checkpoint.name} cannot be split: {family.fuses_early}")
    parts = family.modules if family is not None else _general(checkpoint)
    modules = _assigned(checkpoint, parts, family)
    if not modules:
        raise InputError(
            checkpoint.folder, "", f"has no tensor of {type(checkpoint.skeleton).__name__}; fetch it again"
        )
    return Cut(checkpoint, None if family is None else family.name, modules)


def uncut(checkpoint: Checkpoint) -> Cut:
    """A checkpoint that cannot be split, as one module."""
    places = {name: name for name in _own_tensors(checkpoint)}
    tensors = {name: checkpoint.tensors[name] for name in sorted(places)}
    computes = _computes(checkpoint.config, None)
    return Cut(checkpoint, None, (CutModule(checkpoint.name, "model", "other", tensors, places, computes),))


def below(found: Cut, place: str) -> tuple[CutModule, ...]:
    """Modules of which every tensor stands below a submodule of the class."""
    return tuple(m for m in found.modules if all(p.startswith(f"{place}.") for p in m.places.values()))


def _assigned(checkpoint: Checkpoint, parts: tuple[FamilyModule, ...], family: Family | None) -> tuple[CutModule, ...]:
    base = checkpoint.skeleton.base_model_prefix
    places = {place: (part, inside) for part in parts for place, inside in part.at.items()}
    bare = base in places and not any(name.startswith(f"{base}.") for name in checkpoint.wanted)
    if bare:  # a checkpoint of the family's bare encoder: its names begin where the module's begin
        places[""] = places.pop(base)
    longest = sorted(places, key=len, reverse=True)
    tensors: dict[str, dict[str, TensorRef]] = {part.name: {} for part in parts}
    named: dict[str, dict[str, str]] = {part.name: {} for part in parts}
    for name in _own_tensors(checkpoint):
        place = next((p for p in longest if p in (name, "") or name.startswith(f"{p}.")), None)
        if place is None:
            source = f"data/families/{family.name}.yaml" if family is not None else checkpoint.name
            raise InputError(source, "modules", f"{name} of {checkpoint.name} is in none; write where it belongs")
        part, inside = places[place]
        below = name[len(place) :].lstrip(".")
        key = ".".join(filter(None, (inside, below)))
        tensors[part.name][key] = checkpoint.tensors[name]
        named[part.name][key] = name
    return tuple(
        CutModule(
            checkpoint.name,
            part.name,
            part.kind,
            dict(sorted(tensors[part.name].items())),
            named[part.name],
            _computes(checkpoint.config, part.config),
        )
        for part in parts
        if tensors[part.name]
    )


def _own_tensors(checkpoint: Checkpoint) -> list[str]:
    """Names of tensors that count once: of tied ones the source, if both are in the files."""
    return [
        name
        for name in checkpoint.tensors
        if name in checkpoint.wanted and checkpoint.tied.get(name) not in checkpoint.tensors
    ]


def _computes(config: Any, attribute: str | None) -> dict[str, Any]:
    part = config if attribute is None else getattr(config, attribute, config)
    described = part.to_dict() if hasattr(part, "to_dict") else dict(part)
    return {
        key: value
        for key, value in described.items()
        if key not in _NOT_COMPUTING and "dropout" not in key and "drop" not in key and not isinstance(value, dict)
    }


def _general(checkpoint: Checkpoint) -> tuple[FamilyModule, ...]:
    """Sub-models with a configuration of their own, and what is left by its first names."""
    skeleton = checkpoint.skeleton
    places: dict[str, str] = {}
    for name, module in skeleton.named_modules():
        inside = any(name.startswith(f"{place}.") for place in places)
        if name and isinstance(module, PreTrainedModel) and module.config is not skeleton.config and not inside:
            places[name] = next((k for k, v in vars(skeleton.config).items() if v is module.config), "")
    prefix = f"{skeleton.base_model_prefix}."
    rest: dict[str, str] = {}
    for name in _own_tensors(checkpoint):
        if not any(name.startswith(f"{place}.") for place in places):
            first = name.removeprefix(prefix).split(".")[0]
            rest[f"{prefix if name.startswith(prefix) else ''}{first}"] = first
    if not places:  # one model all the way: its base is the encoder, the rest its head
        base = skeleton.base_model_prefix
        whole = {place: first for place, first in rest.items() if place.startswith(prefix)}
        heads = {place: first for place, first in rest.items() if not place.startswith(prefix)}
        if whole and heads:
            encoder = FamilyModule(name="encoder", kind="other", at={base: ""})
            return encoder, FamilyModule(name="head", kind="head", at=heads)
        return (FamilyModule(name="model", kind="other", at=whole or heads),)
    names = _names([*places, *rest])
    towers = [
        FamilyModule(name=names[place], kind=_kind(place), at={place: ""}, config=config or None)
        for place, config in places.items()
    ]
    others = [FamilyModule(name=names[place], kind=_kind(place), at={place: first}) for place, first in rest.items()]
    return (*towers, *others)


def _names(places: Sequence[str]) -> dict[str, str]:
    """Modules' names: the last part of their places, all of it where two would have one name."""
    last = [place.rsplit(".", 1)[-1] for place in places]
    return {
        place: (end if last.count(end) == 1 else place).replace("_", "-").replace(".", "-")
        for place, end in zip(places, last, strict=True)
    }


def _kind(place: str) -> ModuleKind:
    last = place.rsplit(".", 1)[-1].lower()
    return next((kind for word, kind in _KINDS.items() if word in last), "other")
