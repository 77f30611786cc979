"""Builder ``checkpoint``: an encoder or a head of a checkpoint, transformers' own class, with its real weights.

An encoder is the class's tower alone. A head is the class in which what arrived stands in each encoder's place; what
else a request brings (words beside a picture, the beginning of an answer) is made by the head, since it goes straight
there. On torch's meta device there are no weights, and nothing is read but configuration and headers.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from splitshare.checkpoints.chain import in_parts
from splitshare.checkpoints.cut import Cut, CutModule, below, cut
from splitshare.checkpoints.digest import DigestCache, module_digest
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.inputs import HIGHEST_TOKENS, LOWEST_TOKEN, WORDS, seeded_inputs
from splitshare.checkpoints.operations import WholeNumbersAreReal
from splitshare.checkpoints.records import (
    Arriving,
    Beside,
    Call,
    EncoderEntry,
    HeadEntry,
    checkpoints_file,
    read_entry,
)
from splitshare.checkpoints.roles import Arrived
from splitshare.checkpoints.source import load_checkpoint, quiet_library
from splitshare.checkpoints.tensors import DTYPE_NAMES
from splitshare.errors import InputError, WorkError
from splitshare.files import canonical_json, sha256_bytes
from splitshare.modules.base import PatchEncoder, SplitModule
from splitshare.modules.decoder import Decoder, Pass
from splitshare.modules.hub_pins import Pins
from splitshare.places import HUB_PINS

BUILDER = "checkpoint"
"""Of architectures in a catalogue."""
CPU = torch.device("cpu")


class CheckpointEncoder(SplitModule):
    """A tower: one tensor of items (B, ...) by its role to (B, ...)."""

    def __init__(self, tower: nn.Module, entry: EncoderEntry, role: str) -> None:
        super().__init__()
        self.tower, self.entry, self.role = tower, entry, role

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What is sent of each item."""
        return self._sent(inputs, self.entry.pooled)

    def _sent(self, inputs: Mapping[str, Tensor], call: Call) -> Tensor:
        items = inputs[self.role]
        raw = items.flatten(0, 1) if self.entry.rows else items
        raw = raw.to(_dtype(self.tower)) if raw.is_floating_point() else with_values(raw.long())
        given: dict[str, Any] = {k: list(v) if isinstance(v, tuple) else v for k, v in call.given.items()}
        given |= {each.name: _repeated(each, len(items), raw.device) for each in call.beside}
        with computing(items):
            returned = (
                self.tower(raw, **given) if call.argument is None else self.tower(**{call.argument: raw}, **given)
            )
        for part in call.path:
            returned = returned[part]
        sent: Tensor = returned
        return sent.reshape(len(items), -1, *sent.shape[1:]) if call.flat else sent

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal values, or tokens of the vocabulary's middle."""
        shape = (batch, *self.entry.input_shape)
        if self.entry.vocabulary is None:
            return {self.role: torch.randn(*shape, generator=generator)}
        most = self.entry.vocabulary - HIGHEST_TOKENS
        return {self.role: torch.randint(LOWEST_TOKEN, most, shape, generator=generator, dtype=torch.int32)}


class TwoOutputsEncoder(CheckpointEncoder, PatchEncoder):
    """A tower of which models take two different tensors."""

    def patches(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The second of them."""
        return self._sent(inputs, self.entry.call("patches"))


class _Head:
    """What heads of both kinds have: the class without its encoders, and the rest of a request."""

    def __init__(self, found: Cut, model: PreTrainedModel, entry: HeadEntry, families_root: Path) -> None:
        checkpoint = found.checkpoint
        self.model, self.entry = model, entry
        self.family = load_families(families_root)[str(checkpoint.config.model_type)]
        self.checkpoint = checkpoint
        self.arrives: Mapping[str, Arriving] = {str(role): each for role, each in entry.arrives.items()}
        self.places: dict[str, Arrived] = {}
        self._requests: dict[int, dict[str, Tensor]] = {}
        for role, arriving in self.arrives.items():
            tower = checkpoint.skeleton.get_submodule(arriving.place)
            parent_name, _, last = arriving.place.rpartition(".")
            self.places[role] = Arrived(tower, None)
            setattr(model.get_submodule(parent_name), last, self.places[role])

    def put(self, role: str, sent: Tensor) -> None:
        """Let what was sent of all items stand in the encoder's place."""
        call = self.arrives[role].call
        self.places[role].value = returned(call, sent.flatten(0, 1) if call.flat else sent)

    def own(self, words: int) -> dict[str, Tensor]:
        """The class's arguments for one request; what encoders read is there for its shape alone."""
        if words not in self._requests:
            self._requests[words] = seeded_inputs(self.checkpoint, self.family, requests=1, words=words)
        return self._requests[words]

    def arguments(self, requests: int, words: int, arrived: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The class's arguments for several requests."""
        device = next(iter(arrived.values())).device
        device = CPU if device.type == "meta" else device  # classes look at their values
        of_role = {arriving.argument: role for role, arriving in self.arrives.items() if arriving.argument}
        made: dict[str, Tensor] = {}
        for name, one in self.own(words).items():
            copies = requests
            if name in of_role:
                role = of_role[name]
                copies = len(arrived[role]) // self.arrives[role].items
            if one.is_floating_point():  # not zeros: some classes leave out pictures that are black
                like = torch.ones((), dtype=_dtype(self.model), device=device)
                made[name] = like.expand(copies * len(one), *one.shape[1:])
            else:
                made[name] = one.to(device).repeat(copies, *[1] * (one.dim() - 1))
        return made

    def requests(self, inputs: Mapping[str, Tensor]) -> int:
        """How many requests came: by an encoder of which each has a fixed number of items."""
        fixed = [role for role in self.arrives if role != "text"] or list(self.arrives)
        return len(inputs[fixed[0]]) // self.arrives[fixed[0]].items

    def examples(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal values in the shapes of what is sent.

        Raises:
            WorkError: the catalogue says of a request other items than the model is made for.
        """
        for role, arriving in self.arrives.items():
            if role != "text" and items[role] != arriving.items:
                told = (
                    f"the model takes {arriving.items} of {role} with a request, and the catalogue says {items[role]}"
                )
                raise WorkError(f"{told}: models.yaml, `items`; mend it")
        return {
            role: torch.randn(batch * items[role], *arriving.call.shape, generator=generator)
            for role, arriving in self.arrives.items()
        }


class CheckpointHead(SplitModule):
    """A class without its encoders: what they sent, by role, to the class's answers (B, ...)."""

    def __init__(self, found: Cut, model: PreTrainedModel, entry: HeadEntry, root: Path) -> None:
        super().__init__()
        self.model = model
        self._head = _Head(found, model, entry, root)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The answers' scores."""
        requests = self._head.requests(inputs)
        if not self._head.entry.apart:
            return self._answer(inputs, requests)
        cut_up = {role: tensor.chunk(requests) for role, tensor in inputs.items()}
        return torch.cat([self._answer({role: t[i] for role, t in cut_up.items()}, 1) for i in range(requests)])

    def _answer(self, inputs: Mapping[str, Tensor], requests: int) -> Tensor:
        dtype = _dtype(self.model)
        for role, tensor in inputs.items():
            self._head.put(role, tensor.to(dtype))
        with computing(*inputs.values()):
            answers = self.model(**self._head.arguments(requests, WORDS, inputs))
        answer: Tensor = answers[self._head.entry.answer]
        return answer[:, -1] if self._head.entry.last else answer

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal values in the shapes of what encoders send."""
        return self._head.examples(batch, items, generator)


class CheckpointDecoder(Decoder):
    """A class that answers in words, without its encoders; the prompt are the words beside what they sent."""

    def __init__(self, found: Cut, model: PreTrainedModel, entry: HeadEntry, root: Path) -> None:
        super().__init__()
        self.model = model
        self._head = _Head(found, model, entry, root)
        self._both = bool(model.config.is_encoder_decoder)
        self._tokens = "decoder_input_ids" if self._both else "input_ids"
        taken = inspect.signature(type(model).forward).parameters
        self._kept = "cache" if "cache" in taken else "past_key_values"  # its name until transformers 5.23

    def prefill(self, inputs: Mapping[str, Tensor]) -> Pass:
        """Read what arrived and the words."""
        arguments = self.whole_arguments(inputs)
        with computing(*inputs.values()):
            found = self.model(**arguments, use_cache=True)
        return Pass(found.logits[:, -1], (found[self._kept], inputs))

    def whole_arguments(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Put what arrived in the encoders' places, and give the class's arguments that go with it."""
        sent = {role: tensor for role, tensor in inputs.items() if role != "prompt"}
        prompt, dtype = inputs["prompt"], _dtype(self.model)
        for role, tensor in sent.items():
            self._head.put(role, tensor.to(dtype))
        arguments = self._head.arguments(len(prompt), prompt.shape[1], sent)
        arguments[self._tokens] = self._with_words(arguments[self._tokens], prompt)
        return arguments

    def step(self, token: Tensor, cache: Any) -> Pass:
        """One token more; a class with an encoder asks that again, and is given what arrived."""
        kept, inputs = cache
        arguments = self.whole_arguments(inputs) if self._both else {}
        arguments[self._tokens] = with_values(token).unsqueeze(1)
        with computing(token):
            found = self.model(**arguments, **{self._kept: kept}, use_cache=True)
        return Pass(found.logits[:, -1], (found[self._kept], inputs))

    def _with_words(self, tokens: Tensor, prompt: Tensor) -> Tensor:
        """The prompt's words in the places of the seeded ones; a prompt without values changes none."""
        if prompt.is_meta:
            return tokens
        image = getattr(self.model.config, "image_token_id", None)
        filled = tokens.clone()
        if self._both or self._head.family.image_tokens is None:
            return prompt.to(filled)
        filled[tokens != image] = prompt.to(filled).flatten()
        return filled

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal values in the shapes of what encoders send, and words of the vocabulary's middle."""
        own = self._head.own(self.prompt_tokens)[self._tokens]
        image = getattr(self.model.config, "image_token_id", None)
        words = own[own != image] if self._head.family.image_tokens is not None else own[0]
        prompt = words.to(torch.int32).repeat(batch, 1)
        return self._head.examples(batch, items, generator) | {"prompt": prompt}


# Keyword arguments are the catalogue's params; where the file lies is told by whoever builds.
def build(*, entry: str, identity: str, architectures_file: Path) -> SplitModule:
    """An encoder or a head of a checkpoint.

    Args:
        entry: its name in ``catalogue/checkpoints.yaml``.
        identity: digest of that entry, so that a module is what it was when it was measured.
        architectures_file: the catalogue's, beside which that file lies.

    Raises:
        InputError: there is no such entry, or the checkpoint is another one now.
        WorkError: the checkpoint cannot be had.
    """
    path = checkpoints_file(architectures_file)
    root = path.parent.parent
    found, found_entry = entry_of(architectures_file, entry, identity)
    own = own_modules(found, found_entry)
    on_meta = torch.empty(0).is_meta
    if not on_meta:
        digest = joint_digest(own, DigestCache(None))
        if digest != found_entry.digest:
            told = f"{found.checkpoint.name} has other weights than the catalogue was written for; write it anew"
            raise InputError(path, f"models.{found_entry.model}", told)
    model = without_values(found) if on_meta else in_parts(found, only=own)
    made: SplitModule
    if isinstance(found_entry, HeadEntry):
        made = (CheckpointDecoder if found_entry.decodes else CheckpointHead)(found, model, found_entry, root)
    else:
        tower = model.get_submodule(found_entry.place)
        role = next(m for m in own if m.name == found_entry.module).kind.removesuffix("-encoder")
        made = (CheckpointEncoder if found_entry.patches is None else TwoOutputsEncoder)(tower, found_entry, role)
    wanted = torch.get_default_dtype()
    return made if wanted == main_dtype(own) else made.to(wanted)


def entry_of(architectures_file: Path, entry: str, identity: str) -> tuple[Cut, EncoderEntry | HeadEntry]:
    """An entry of ``catalogue/checkpoints.yaml`` and its checkpoint, cut.

    Raises:
        InputError: there is no such entry, or it is another one than ``identity`` says.
        WorkError: the checkpoint cannot be had.
    """
    quiet_library()
    path = checkpoints_file(architectures_file)
    file, found = read_entry(path, entry, identity)
    checkpoint = load_checkpoint(file.models[found.model], Pins(HUB_PINS))
    return cut(checkpoint, load_families(path.parent.parent)), found


def without_values(found: Cut) -> PreTrainedModel:
    """The whole's class with tensors of the files' shapes and types that have no values."""
    skeleton = found.checkpoint.skeleton
    state = {
        name: torch.empty(tensor.shape, dtype=getattr(torch, DTYPE_NAMES[tensor.dtype]), device="meta")
        for name, tensor in found.checkpoint.tensors.items()
        if name in found.checkpoint.wanted and tensor.dtype in DTYPE_NAMES
    }
    skeleton.load_state_dict(state, strict=False, assign=True)
    skeleton.tie_weights()
    return skeleton.requires_grad_(False)


def own_modules(found: Cut, entry: EncoderEntry | HeadEntry) -> tuple[CutModule, ...]:
    """The modules of the cut that an encoder or a head is made of.

    Raises:
        WorkError: there is none.
    """
    if isinstance(entry, EncoderEntry):
        own = below(found, entry.place)
    else:
        inside = {id(m) for arriving in entry.arrives.values() for m in below(found, arriving.place)}
        own = tuple(module for module in found.modules if id(module) not in inside)
    if not own or (isinstance(entry, EncoderEntry) and entry.module not in {module.name for module in own}):
        raise WorkError(f"{found.checkpoint.name} has no such module any more")
    return own


def joint_digest(modules: Iterable[CutModule], cache: DigestCache) -> str:
    """Over names and digests of several modules; of one, its own."""
    rows = [[module.name, module_digest(module, cache)] for module in sorted(modules, key=lambda m: m.name)]
    return rows[0][1] if len(rows) == 1 else sha256_bytes(canonical_json(rows).encode())


def main_dtype(modules: tuple[CutModule, ...]) -> torch.dtype:
    """The floating point type of most of the modules' bytes."""
    sizes: dict[str, int] = {}
    for module in modules:
        for tensor in module.tensors.values():
            if tensor.dtype in DTYPE_NAMES:
                sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.bytes
    dtype: torch.dtype = getattr(torch, DTYPE_NAMES[max(sizes, key=lambda d: sizes[d])])
    return dtype


def returned(call: Call, sent: Tensor) -> Any:
    """What a tower would have returned, with nothing but what was sent in it."""
    first, *rest = call.path
    value: Any = sent
    if rest:
        numbered: list[Any] = [None] * (call.among or 0)
        numbered[int(rest[0])] = sent
        value = tuple(numbered)
    if call.returns == "tuple":
        parts: list[Any] = [None] * (call.among or int(first) + 1)
        parts[int(first)] = value
        return tuple(parts)
    module, _, name = call.returns.rpartition(".")
    if not module.startswith("transformers."):
        raise WorkError(f"{call.returns} is no class of transformers")
    return getattr(import_module(module), name)(**{str(first): value})


def with_values(tokens: Tensor) -> Tensor:
    """Tokens that stay as they are, but for those without values: classes look at them, so they get some."""
    return torch.full(tokens.shape, LOWEST_TOKEN, device="cpu") if tokens.is_meta else tokens


def computing(*tensors: Tensor) -> AbstractContextManager[Any]:
    """On torch's meta device tokens and masks keep their values; elsewhere nothing changes."""
    if any(tensor.is_meta for tensor in tensors):
        return WholeNumbersAreReal()  # type: ignore[no-untyped-call]
    return nullcontext()


def _dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def _repeated(beside: Beside, items: int, device: torch.device) -> Tensor:
    one = torch.tensor(beside.values, dtype=getattr(torch, beside.dtype))
    one = one.expand(beside.shape) if one.numel() == 1 else one.reshape(beside.shape)
    all_items = one.repeat(items, *[1] * (one.dim() - 1)) if beside.per_item else one
    return all_items if device.type == "meta" else all_items.to(device)
