"""Do a model's modules, chained by tensors that were sent as bytes, answer like the whole?

The whole is transformers' own class, loaded by itself. The parts are another instance, empty, into which each module's
tensors are read from the files by that module's own names; whatever goes into a module and comes out of it is written
to bytes and read back. What happens between modules (placing a picture's tokens, comparing) is the class's own code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from splitshare.checkpoints.cut import Cut, CutModule
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.inputs import REQUESTS, seeded_inputs
from splitshare.checkpoints.source import Checkpoint
from splitshare.errors import WorkError
from splitshare.modules.cheap_weights import without_initialiser
from splitshare.modules.equivalence import sent


@dataclass
class Checked:
    """What came out of a check."""

    agrees: bool
    largest_difference: float
    sent_bytes: int
    unused: list[str] = field(default_factory=list)
    """Modules that no request of this kind goes through."""

    @property
    def told(self) -> str:
        """In words."""
        result = (
            "equal bit for bit to the whole" if self.agrees else f"up to {self.largest_difference:.3g} from the whole"
        )
        apart = f"; not asked: {', '.join(self.unused)}" if self.unused else ""
        return f"{REQUESTS} requests, {self.sent_bytes:,} bytes sent between modules, {result}{apart}"


def check(found: Cut, families: Mapping[str, Family]) -> Checked:
    """Answer seeded requests whole and in parts.

    Raises:
        WorkError: there are weights missing, or nobody described what the model takes.
    """
    inputs = asked(found, families)
    with torch.inference_mode():
        expected = answers_of(whole(found.checkpoint), inputs)
        parts = in_parts(found)
        wire = _Wire()
        for module in found.modules:
            for _, part in places(parts, module):
                wire.put(part, module.name)
        answers = answers_of(parts, inputs)
    if not expected:
        raise WorkError(
            f"{found.checkpoint.name} answers with no values, so there is nothing to hold its parts against"
        )
    if expected.keys() != answers.keys():
        told = f"{', '.join(answers)} in parts, whole with {', '.join(expected)}"
        raise WorkError(f"{found.checkpoint.name} answers with {told}")
    difference = max(float((answers[key].float() - expected[key].float()).abs().max()) for key in expected)
    agrees = all(torch.equal(answers[key], expected[key]) for key in expected)
    with_parts = {module.name for module in found.modules if places(parts, module)}
    return Checked(agrees, difference, wire.sent_bytes, sorted(with_parts - wire.used))


@dataclass(frozen=True)
class Effect:
    """What another model's module does to a model's answers to seeded requests."""

    distance: float
    """Relative: norm of the answers' difference by the norm of the answers."""
    other_choices: int
    """Of ``choices``: largest values that stand elsewhere."""
    choices: int


def effect(found: Cut, module: str, other: CutModule, families: Mapping[str, Family]) -> Effect:
    """What changes in a model's answers if it is given another one's module in place of its own.

    Args:
        found: the model.
        module: the name of its module.
        other: of the same architecture; its values are taken in the types of the model's own.
        families: for what the model is asked.

    Raises:
        WorkError: there are weights missing, or nobody described what the model takes.
    """
    inputs = asked(found, families)
    with torch.inference_mode():
        own = answers_of(in_parts(found), inputs)
        swapped = answers_of(in_parts(found, {module: other}), inputs)
    size = sum(float(answer.double().square().sum()) for answer in own.values())
    moved = sum(float((own[key].double() - swapped[key].double()).square().sum()) for key in own)
    choosing = [key for key in own if own[key].dim() > 1 and own[key].shape[-1] > 1]
    elsewhere = sum(int((own[key].argmax(-1) != swapped[key].argmax(-1)).sum()) for key in choosing)
    return Effect((moved / size) ** 0.5 if size else 0.0, elsewhere, sum(own[k][..., 0].numel() for k in choosing))


def asked(found: Cut, families: Mapping[str, Family]) -> dict[str, Tensor]:
    """Seeded requests to a model.

    Raises:
        WorkError: there are weights missing, or nobody described what the model takes.
    """
    checkpoint = found.checkpoint
    if checkpoint.missing:
        raise WorkError(f"{checkpoint.name} lacks {len(checkpoint.missing)} weights, such as {checkpoint.missing[0]}")
    family = families.get(str(checkpoint.config.model_type))
    if family is None:
        raise WorkError(f"{checkpoint.name}: its family is not described, so nobody knows what to ask it")
    return seeded_inputs(checkpoint, family)


def in_parts(
    found: Cut, instead: Mapping[str, CutModule] | None = None, only: Sequence[CutModule] | None = None
) -> PreTrainedModel:
    """The whole's class with each module's tensors read by that module, and nothing else.

    Args:
        found: the model.
        instead: other models' modules by the names of those whose place they take.
        only: modules that are read; all others have no values.
    """
    checkpoint = found.checkpoint
    with without_initialiser():
        parts = type(checkpoint.skeleton)(checkpoint.config)
    for module in found.modules if only is None else only:
        state = module_state(module)
        other = (instead or {}).get(module.name)
        if other is not None:
            state = {name: tensor.to(state[name].dtype) for name, tensor in module_state(other).items()}
        named = {module.places[name]: tensor for name, tensor in state.items()}
        parts.load_state_dict(named, strict=False, assign=True)
    parts.tie_weights()
    parts.eval().requires_grad_(False)
    return parts


def module_state(module: CutModule) -> dict[str, Tensor]:
    """A module's tensors from the files, by their names inside it."""
    state: dict[str, Tensor] = {}
    for file in dict.fromkeys(tensor.file for tensor in module.tensors.values()):
        with safe_open(file, framework="pt") as opened:
            for name, tensor in module.tensors.items():
                if tensor.file == file:
                    state[name] = opened.get_tensor(tensor.name).clone()  # aligned, as the whole has it
    return state


def whole(checkpoint: Checkpoint) -> PreTrainedModel:
    """The whole model as transformers reads it, for inference."""
    model: PreTrainedModel = type(checkpoint.skeleton).from_pretrained(
        checkpoint.folder, local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype="auto"
    )
    model.eval().requires_grad_(False)  # as the parts are: attention takes another path where gradients may be asked
    return model


def answers_of(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All floating point tensors that the model answers with, by name."""
    dtype = next(tensor.dtype for tensor in model.parameters() if tensor.is_floating_point())
    given = {key: tensor.to(dtype) if tensor.is_floating_point() else tensor for key, tensor in inputs.items()}
    answers = model(**given)
    return {key: value for key, value in answers.items() if torch.is_tensor(value) and value.is_floating_point()}


def places(model: PreTrainedModel, module: CutModule) -> list[tuple[str, nn.Module]]:
    """The class's submodules that make up a module: the largest that are called and have tensors of no other."""
    own = set(module.places.values())
    own |= {str(copy) for copy, source in (model.all_tied_weights_keys or {}).items() if source in own}
    found: list[tuple[str, nn.Module]] = []
    for name, part in model.named_modules():
        if not name or any(name.startswith(f"{place}.") for place, _ in found):
            continue
        if isinstance(part, nn.ModuleList | nn.ModuleDict):  # never called, only what is in them
            continue
        below = {f"{name}.{key}" for key in part.state_dict()}
        if below and below <= own:
            found.append((name, part))
    return found


class _Wire:
    """Sends what goes into and comes out of modules as bytes."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.used: set[str] = set()

    def put(self, part: nn.Module, name: str) -> None:
        """Send what goes in and out of a submodule."""

        def before(_: nn.Module, arguments: Any, named: Any) -> tuple[Any, Any]:
            self.used.add(name)
            return self._over(arguments), self._over(named)

        part.register_forward_pre_hook(before, with_kwargs=True)
        part.register_forward_hook(lambda _, __, answer: self._over(answer))

    def _over(self, value: Any) -> Any:
        if torch.is_tensor(value):
            self.sent_bytes += value.numel() * value.element_size()
            return sent(value)
        if isinstance(value, ModelOutput):
            return type(value)(**{key: self._over(item) for key, item in value.items()})
        if isinstance(value, dict):
            return {key: self._over(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            made = [self._over(item) for item in value]
            return tuple(made) if isinstance(value, tuple) else made
        return value
