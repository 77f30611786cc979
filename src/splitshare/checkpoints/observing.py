"""How a checkpoint's encoders are called and what its head takes, seen in seeded requests to the real model.

Two requests at once are held against one: what grows with them belongs to each request, what stays is the model's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from splitshare.checkpoints.chain import answers_of, asked
from splitshare.checkpoints.cut import Cut, CutModule, below
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.inputs import seeded_inputs
from splitshare.checkpoints.records import Arriving, Beside, Call, Role
from splitshare.checkpoints.roles import Sends, copied, what_is_sent
from splitshare.errors import WorkError

BesideDtype = Literal["int64", "int32", "bool"]


@dataclass(frozen=True)
class SeenEncoder:
    """An encoder in its model."""

    modules: tuple[CutModule, ...]
    """The encoder's own, and others that stand inside the same tower, such as what merges its patches."""
    role: Role
    place: str
    input_shape: tuple[int, ...]
    """Of an item."""
    vocabulary: int | None
    rows: bool
    call: Call
    argument: str | None
    """Of the whole class."""
    items: int
    """Of a request."""

    @property
    def module(self) -> CutModule:
        """Its own."""
        return self.modules[0]


@dataclass(frozen=True)
class Seen:
    """A model that was asked."""

    found: Cut
    encoders: tuple[SeenEncoder, ...]
    answer: str
    answer_shape: tuple[int, ...]
    """Of one request."""
    apart: bool
    last: bool

    @property
    def head(self) -> tuple[CutModule, ...]:
        """What is left beside the encoders."""
        inside = {id(module) for encoder in self.encoders for module in encoder.modules}
        return tuple(module for module in self.found.modules if id(module) not in inside)

    def arrives(self) -> dict[Role, Arriving]:
        """What the head is given."""
        return {
            encoder.role: Arriving(
                place=encoder.place, call=encoder.call, argument=encoder.argument, items=encoder.items
            )
            for encoder in self.encoders
        }


@dataclass
class _Called:
    """A tower's call."""

    arguments: dict[str | None, Any] = field(default_factory=dict)
    """By name; ``None``: the first."""
    returned: Any = None

    @property
    def tensors(self) -> dict[str | None, Tensor]:
        """Arguments that are tensors."""
        return {name: value for name, value in self.arguments.items() if torch.is_tensor(value)}


def observe(found: Cut, model: PreTrainedModel, families: Mapping[str, Family], text_tokens: int) -> Seen:
    """Ask a model, and see what goes in and out of its encoders.

    Args:
        found: the model, cut.
        model: the same with its weights, in parts.
        families: for what it is asked.
        text_tokens: length of a text that an encoder reads, if it takes so many.

    Raises:
        WorkError: it has no encoder that stands apart, two of one kind, or one that is called in a way that nobody
            thought of.
    """
    asked(found, families)  # refuses what cannot be asked
    checkpoint = found.checkpoint
    family = families[str(checkpoint.config.model_type)]
    sends = {sent.module: sent for sent in what_is_sent(found, families, model)}
    if not sends:
        raise WorkError(f"{checkpoint.name} has no encoder that could stand apart from the rest; leave it out")
    words = _words(checkpoint.config, text_tokens) if _reads_texts(found, sends) else None
    inputs = _inputs(found, family, 1, words)
    once, answers = _watched(model, inputs, sends)
    twice, twice_answers = _watched(model, _inputs(found, family, 2, words), sends)
    encoders = []
    for module in found.modules:
        if module.name in sends:
            sent = sends[module.name]
            encoders.append(_seen(found, module, sent, once[module.name], twice[module.name], inputs))
    roles = [encoder.role for encoder in encoders]
    if len(set(roles)) < len(roles):
        raise WorkError(
            f"{checkpoint.name} has two {max(roles, key=roles.count)} encoders; a model has one of each kind"
        )
    answer, value = next(iter(answers.items()))
    apart = value.shape[1:] != twice_answers[answer].shape[1:]
    last = model.can_generate() and value.dim() == 3
    shape = (value.shape[0], value.shape[-1]) if last else tuple(value.shape)
    return Seen(found, tuple(encoders), answer, shape, apart, last)


def _reads_texts(found: Cut, sends: Mapping[str, Sends]) -> bool:
    return any(module.kind == "text-encoder" and module.name in sends for module in found.modules)


def _words(config: Any, most: int) -> int:
    text = getattr(config, "text_config", config)
    return min(most, int(getattr(text, "max_position_embeddings", most)))


def _inputs(found: Cut, family: Family, requests: int, words: int | None) -> dict[str, Tensor]:
    if words is None:
        return seeded_inputs(found.checkpoint, family, requests=requests)
    return seeded_inputs(found.checkpoint, family, requests=requests, words=words)


def _watched(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], sends: Mapping[str, Sends]
) -> tuple[dict[str, _Called], dict[str, Tensor]]:
    """Calls of the towers by module, and the answers."""
    calls = {name: _Called() for name in sends}
    hooks = []
    for name, sent in sends.items():
        tower = model.get_submodule(sent.place)
        hooks.append(tower.register_forward_pre_hook(_noting(calls[name]), with_kwargs=True))
        hooks.append(tower.register_forward_hook(_keeping(calls[name])))
    try:
        with torch.inference_mode():
            answers = answers_of(model, inputs)
    except (IndexError, RuntimeError, ValueError) as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise WorkError(
            f"{type(model).__name__} takes not what it was asked ({told}); try fewer --text-tokens"
        ) from None
    finally:
        for hook in hooks:
            hook.remove()
    return calls, answers


def _noting(called: _Called) -> Callable[[nn.Module, Any, Any], None]:
    def note(_: nn.Module, arguments: Any, named: Any) -> None:
        if called.arguments:
            raise WorkError("an encoder is called several times for one request; nobody has thought of that yet")
        if len(arguments) > 1:
            raise WorkError("an encoder is called with several arguments in order; nobody has thought of that yet")
        called.arguments = dict(named)
        if arguments:
            called.arguments[None] = arguments[0]

    return note


def _keeping(called: _Called) -> Callable[[nn.Module, Any, Any], None]:
    def keep(_: nn.Module, __: Any, value: Any) -> None:
        called.returned = copied(value)  # classes write into what a module returned

    return keep


def _seen(
    found: Cut, module: CutModule, sent: Sends, once: _Called, twice: _Called, inputs: Mapping[str, Tensor]
) -> SeenEncoder:
    tensors = once.tensors
    main = next((name for name, tensor in tensors.items() if tensor.is_floating_point()), next(iter(tensors)))
    taken = tensors.pop(main)
    grow = {name for name, tensor in tensors.items() if tensor.shape != twice.tensors[name].shape}
    # Sizes of pictures stand beside their rows: then several rows belong together, to one item.
    rows = any(len(tensors[name]) != len(taken) for name in grow)
    items = 1 if rows else len(taken)
    same = (key for key, tensor in inputs.items() if _equal(tensor, taken))
    return SeenEncoder(
        modules=(module, *(inside for inside in below(found, sent.place) if inside is not module)),
        role=_role(module),
        place=sent.place,
        input_shape=tuple(taken.shape) if rows else tuple(taken.shape[1:]),
        vocabulary=None if taken.is_floating_point() else _vocabulary(found.checkpoint.config),
        rows=rows,
        call=_call(once, main, sent, items, grow),
        argument=next(same, None),
        items=items,
    )


def _call(once: _Called, main: str | None, sent: Sends, items: int, grow: Collection[str | None]) -> Call:
    """How the tower is called, and what is sent of what it returns."""
    value, among = _at(once.returned, sent.path), _at(once.returned, sent.path[:1])
    flat = len(value) != items
    plain = {name: v for name, v in once.arguments.items() if not torch.is_tensor(v) and v is not None}
    for name, given in plain.items():
        numbers = isinstance(given, list | tuple) and all(isinstance(part, int) for part in given)
        if not numbers and not isinstance(given, bool | int | float | str):
            told = f"{sent.module} is called with {name}, a {type(given).__name__}"
            raise WorkError(f"{told}; nobody has thought of that yet")
    return Call(
        argument=main,
        given={str(name): tuple(v) if isinstance(v, list) else v for name, v in plain.items()},
        beside=tuple(
            _beside(str(name), tensor, items if name in grow else None)
            for name, tensor in once.tensors.items()
            if name != main
        ),
        path=sent.path,
        returns=_class_of(once.returned),
        among=len(among) if len(sent.path) > 1 else None,
        shape=(len(value) // items, *value.shape[1:]) if flat else tuple(value.shape[1:]),
        flat=flat,
    )


def _role(module: CutModule) -> Role:
    role: Role = next(role for role in get_args(Role) if module.kind == f"{role}-encoder")
    return role


def _equal(given: Tensor, taken: Tensor) -> bool:
    """Whether values are the same in order, whatever their shape."""
    return given.numel() == taken.numel() and torch.equal(given.flatten().to(taken), taken.flatten())


def _vocabulary(config: Any) -> int:
    return int(getattr(config, "text_config", config).vocab_size)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def _class_of(value: Any) -> str:
    if isinstance(value, tuple):
        return "tuple"
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _beside(name: str, tensor: Tensor, items: int | None) -> Beside:
    """A tensor beside the items: of so many; ``None``: whatever the batch."""
    one = tensor if items is None else tensor[: len(tensor) // items]
    dtype = next((each for each in get_args(BesideDtype) if getattr(torch, each) == one.dtype), None)
    if dtype is None:
        told = f"{name} is a tensor of {one.dtype} that the model makes for its encoder"
        raise WorkError(f"{told}; nobody has thought of that yet")
    values = [int(value) for value in one.flatten().tolist()]
    return Beside(
        name=name,
        dtype=dtype,
        shape=tuple(one.shape),
        values=tuple(values[:1] if len(set(values)) == 1 else values),
        per_item=items is not None,
    )
