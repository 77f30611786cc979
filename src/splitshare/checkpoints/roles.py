"""A checkpoint as the placement problem sees it: encoders that stand apart, and a head that is given what they send.

The head is transformers' own class in which each encoder's place is taken by what arrived. Which of an encoder's output
tensors the head needs is found by trying: the smallest with which alone the answers stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from splitshare.checkpoints.chain import answers_of, asked, in_parts
from splitshare.checkpoints.cut import Cut, CutModule
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.records import OutputPath
from splitshare.errors import WorkError


@dataclass(frozen=True)
class Sends:
    """What an encoder sends to the head."""

    module: str
    """Of the cut."""
    place: str
    """Of the encoder in the class."""
    path: OutputPath
    shape: tuple[int, ...]
    """Of the seeded requests' tensor."""
    bytes: int

    @property
    def told(self) -> str:
        """In words: ``hidden_states[3]``."""
        first, *rest = self.path
        return f"{first}" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def what_is_sent(found: Cut, families: Mapping[str, Family], model: PreTrainedModel | None = None) -> list[Sends]:
    """What each encoder has to send, by seeded requests.

    Args:
        found: the model, cut.
        families: for what it is asked.
        model: the same with its weights, in parts; without, they are read.

    Raises:
        WorkError: there are weights missing, nobody described what the model takes, or the head needs several tensors
            of one encoder.
    """
    inputs = asked(found, families)
    model = in_parts(found) if model is None else model
    places = {module.name: place for module in found.modules if (place := encoder_place(model, module))}
    with torch.inference_mode():
        returned: dict[str, Any] = {}
        hooks = [
            model.get_submodule(place).register_forward_hook(_keeping(returned, name)) for name, place in places.items()
        ]
        expected = answers_of(model, inputs)
        for hook in hooks:
            hook.remove()
        return [
            _needed(model, inputs, expected, name, place, returned[name])
            for name, place in places.items()
            if name in returned
        ]


def _keeping(returned: dict[str, Any], name: str) -> Callable[[nn.Module, Any, Any], None]:
    def keep(_: nn.Module, __: Any, value: Any) -> None:
        returned[name] = copied(value)

    return keep


def encoder_place(model: PreTrainedModel, module: CutModule) -> str | None:
    """The submodule of the class that holds an encoder; ``None``: it is none, or is the whole model."""
    if not module.kind.endswith("-encoder"):
        return None
    own = set(module.places.values())
    holding = [
        name for name, part in model.named_modules() if name and own <= {f"{name}.{key}" for key in part.state_dict()}
    ]
    return max(holding, key=len) if holding else None


def _needed(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    name: str,
    place: str,
    returned: Any,
) -> Sends:
    leaves = dict(tensors_in(returned))
    for path, tensor in sorted(leaves.items(), key=lambda leaf: (leaf[1].numel(), len(leaf[0]))):
        with arrived(model, place, copied(returned, path)):
            try:
                answers = answers_of(model, inputs)
            except Exception:  # noqa: BLE001, S112 - whatever a class does without a tensor that it needs: then this one does not suffice
                continue
        if answers.keys() >= expected.keys() and all(torch.equal(answers[key], expected[key]) for key in expected):
            return Sends(name, place, path, tuple(tensor.shape), tensor.numel() * tensor.element_size())
    raise WorkError(f"the head needs several tensors of {name}, which no single one stands for")


@contextmanager
def arrived(model: PreTrainedModel, place: str, value: Any) -> Iterator[None]:
    """Let a value stand in for what the submodule at ``place`` returns, for as long as the block lasts."""
    parent_name, _, last = place.rpartition(".")
    parent = model.get_submodule(parent_name)
    before = getattr(parent, last)
    setattr(parent, last, Arrived(before, value))
    try:
        yield
    finally:
        setattr(parent, last, before)


class Arrived(nn.Module):
    """Stands at an encoder's place and returns what arrived; asked for its traits, it has the encoder's."""

    def __init__(self, like: nn.Module, value: Any) -> None:
        super().__init__()
        object.__setattr__(self, "_like", like)
        self.value = value

    def __getattr__(self, name: str) -> Any:
        """Such as its configuration and type."""
        if name == "device":  # where what arrived is, not the encoder
            return next(tensor for _, tensor in tensors_in(self.value)).device
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(object.__getattribute__(self, "_like"), name)

    def forward(self, *_: Any, **__: Any) -> Any:
        """What arrived."""
        return copied(self.value)


def tensors_in(value: Any, path: OutputPath = ()) -> Iterator[tuple[OutputPath, Tensor]]:
    """All floating point tensors of what a module returns, with their places."""
    if torch.is_tensor(value):
        if value.is_floating_point():
            yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from tensors_in(item, (*path, key))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from tensors_in(item, (*path, i))


def copied(value: Any, keep: OutputPath | None = None) -> Any:
    """The structure of what a module returns anew, its tensors the same; with ``keep``, that one alone.

    Classes write into what a module returned.
    """
    if torch.is_tensor(value):
        return value if not keep else None
    if isinstance(value, ModelOutput):
        return type(value)(**{key: copied(item, _below(keep, key)) for key, item in value.items()})
    if isinstance(value, list | tuple):
        made = [copied(item, _below(keep, i)) for i, item in enumerate(value)]
        return tuple(made) if isinstance(value, tuple) else made
    return value


def _below(keep: OutputPath | None, part: str | int) -> OutputPath | None:
    """What is kept below a part: all, the rest of the path, or, of other parts, nothing that is there."""
    if keep is None:
        return None
    return keep[1:] if keep[:1] == (part,) else ("nothing",)
