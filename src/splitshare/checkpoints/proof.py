"""Do the modules of a catalogue's model, built from its entries, answer like the whole checkpoint?

The whole is transformers' own class, asked one request at a time. The modules are built as profiles and the emulator
build them, one after another, and what they send is written to bytes and read back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.checkpoints.chain import answers_of, whole
from splitshare.checkpoints.entries import Asked
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.inputs import seeded_inputs
from splitshare.checkpoints.observing import Seen
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, encode
from splitshare.modules.decoder import Decoder
from splitshare.modules.equivalence import sent

REQUESTS = 2
BATCH_TOLERANCE = 1e-2
"""Relative distance of answers to two requests at once from those one by one: sums are taken in another order, which in
half precision shows."""


@dataclass(frozen=True)
class Proof:
    """What came out."""

    equal: bool
    """One request at a time, bit for bit."""
    distance: float
    """Relative, the largest."""
    batch_distance: float
    """Of two requests at once."""

    @property
    def holds(self) -> bool:
        """Whether the catalogue's modules are the model."""
        return self.equal and self.batch_distance <= BATCH_TOLERANCE


@dataclass(frozen=True)
class _Answered:
    """What the whole made of a request."""

    items: Mapping[str, Tensor]
    """That went into its encoders, by role."""
    prompt: Tensor | None
    answer: Tensor


def prove(catalog: Catalog, model: Model, asked: Asked, families: Mapping[str, Family]) -> Proof:
    """Answer seeded requests with the whole checkpoint and with the catalogue's modules.

    Raises:
        InputError: the checkpoint is another one by now.
    """
    family = families[str(asked.seen.found.checkpoint.config.model_type)]
    texts = next((catalog.items(model, encoder) for encoder in model.encoders if encoder.role == "text"), None)
    requests = [_request(asked, family, seed, texts) for seed in range(REQUESTS)]
    with torch.inference_mode():
        expected = _whole_answers(asked, family, requests)
        arrived = [{} if each.prompt is None else {"prompt": sent(each.prompt)} for each in expected]
        for seen, use in zip(asked.seen.encoders, model.encoders, strict=True):
            module = build_module(catalog.module(use.module))
            for got, answered in zip(arrived, expected, strict=True):
                items = answered.items[seen.role]
                items = items.reshape(seen.items, -1, *items.shape[1:]) if seen.rows else items
                got[seen.role] = sent(encode(module, {seen.role: sent(items)}, use.output))
            del module
        head = build_module(catalog.module(model.head.module))
        answers = [_answer(head, got) for got in arrived]
        together = _answer(head, {role: torch.cat([got[role] for got in arrived]) for role in arrived[0]})
    wholes = [answered.answer for answered in expected]
    return Proof(
        all(torch.equal(a, e) for a, e in zip(answers, wholes, strict=True)),
        max(_distance(a, e) for a, e in zip(answers, wholes, strict=True)),
        _distance(together, torch.cat(wholes)),
    )


def _request(asked: Asked, family: Family, seed: int, texts: int | None) -> dict[str, Tensor]:
    """A seeded request with so many texts; of a head that makes its words itself, with its words."""
    seen = asked.seen
    checkpoint = seen.found.checkpoint
    reader = next((encoder for encoder in seen.encoders if encoder.role == "text"), None)
    if reader is None or texts is None:
        made = seeded_inputs(checkpoint, family, seed, requests=1)
        same = seeded_inputs(checkpoint, family, requests=1)
        return made if asked.decodes else made | {k: v for k, v in same.items() if not v.is_floating_point()}
    length = reader.input_shape[0]
    made = seeded_inputs(checkpoint, family, seed, requests=1, words=length)
    many = seeded_inputs(checkpoint, family, seed, requests=texts, words=length)
    return made | {str(reader.argument): many[str(reader.argument)]}


def _whole_answers(asked: Asked, family: Family, requests: list[dict[str, Tensor]]) -> list[_Answered]:
    seen = asked.seen
    model = whole(seen.found.checkpoint)
    taken: dict[str, Tensor] = {}
    for encoder in seen.encoders:
        hook = _taking(taken, encoder.role, encoder.call.argument)
        model.get_submodule(encoder.place).register_forward_pre_hook(hook, with_kwargs=True)
    found = []
    for request in requests:
        answer = answers_of(model, request)[seen.answer]
        prompt = _prompt(seen, family, request) if asked.decodes else None
        found.append(_Answered(dict(taken), prompt, answer[:, -1] if seen.last else answer))
    return found


def _prompt(seen: Seen, family: Family, request: Mapping[str, Tensor]) -> Tensor:
    """The words of a request, without what stands for a picture: (1, words)."""
    config = seen.found.checkpoint.config
    tokens = request["decoder_input_ids" if config.is_encoder_decoder else "input_ids"]
    if family.image_tokens is None:
        return tokens.int()
    return tokens[tokens != config.image_token_id].int().unsqueeze(0)


def _taking(taken: dict[str, Tensor], role: str, argument: str | None) -> Callable[[nn.Module, Any, Any], None]:
    def take(_: nn.Module, arguments: Any, named: Any) -> None:
        taken[role] = arguments[0] if argument is None else named[argument]

    return take


def _answer(head: SplitModule, arrived: Mapping[str, Tensor]) -> Tensor:
    answer: Tensor = head.prefill(arrived).logits if isinstance(head, Decoder) else head(arrived)
    return answer


def _distance(a: Tensor, b: Tensor) -> float:
    if a.shape != b.shape:
        return float("inf")
    size = float(b.double().norm())
    return float((a.double() - b.double()).norm()) / size if size else float((a != b).any())
