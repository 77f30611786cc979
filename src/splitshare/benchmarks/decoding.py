"""Answers in words, a batch at a time: prompts of different lengths, and no pass once every answer has ended.

Greedy, as the split decoders decode when they are measured; there every answer has the same number of tokens, here
one ends with its end-of-text token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from splitshare.modules.decoder import Decoder, Pass
from splitshare.modules.llava_decoder import LlavaDecoder

PROMPT = "prompt"
PROMPT_MASK = "prompt_mask"
"""Input (B, n), bool, beside ``prompt``: false where a shorter prompt is filled up, on its left."""


def left_padded(rows: list[list[int]]) -> dict[str, Tensor]:
    """``prompt`` (B, longest), int32, filled up with zeros on the left, and its ``prompt_mask``.

    On the left, since a decoder goes on at the right.
    """
    ids = [torch.tensor(row, dtype=torch.int32) for row in rows]
    mask = [torch.ones(len(row), dtype=torch.bool) for row in rows]
    return {
        PROMPT: pad_sequence(ids, batch_first=True, padding_side="left"),
        PROMPT_MASK: pad_sequence(mask, batch_first=True, padding_side="left"),
    }


def answer_ids(decoder: Decoder, inputs: Mapping[str, Tensor], end: int) -> Tensor:
    """Tokens of the answers, (B, at most ``new_tokens``), int32; after a row's end of text comes nothing but that.

    Args:
        decoder: the split model's head.
        inputs: ``vision``, ``prompt`` and, where prompts differ in length, ``prompt_mask``.
        end: the end-of-text token.
    """
    if isinstance(decoder, LlavaDecoder) and PROMPT_MASK in inputs:
        return _greedy(_masked_prefill(decoder, inputs), _masked_step(decoder), decoder.new_tokens, end)
    return _greedy(decoder.prefill(inputs), decoder.step, decoder.new_tokens, end)


def _greedy(first: Pass, step: Callable[[Tensor, Any], Pass], most: int, end: int) -> Tensor:
    logits, cache = first
    tokens = [logits.argmax(-1)]
    ended = tokens[0] == end
    while len(tokens) < most and not bool(ended.all()):
        logits, cache = step(tokens[-1], cache)
        tokens.append(torch.where(ended, end, logits.argmax(-1)))
        ended = ended | (tokens[-1] == end)
    return torch.stack(tokens, dim=1).to(torch.int32)


def _masked_prefill(decoder: LlavaDecoder, inputs: Mapping[str, Tensor]) -> Pass:
    """The first pass over images and prompts: what fills a prompt up is looked at by nothing, and takes no position."""
    model = decoder.language_model
    images = decoder.projector(inputs["vision"].to(model.dtype))
    words = model.get_input_embeddings()(inputs[PROMPT])
    embeddings, masks = [], []
    for image, text, ids, mask in zip(images, words, inputs[PROMPT], inputs[PROMPT_MASK], strict=True):
        place = int((ids == decoder.image_token).nonzero()[0])
        embeddings.append(torch.cat([text[:place], image, text[place + 1 :]]))
        masks.append(torch.cat([mask[:place], mask.new_ones(len(image)), mask[place + 1 :]]))
    mask = torch.stack(masks).long()
    return _masked_pass(decoder, mask, (mask.cumsum(1) - 1).clamp(min=0), inputs_embeds=torch.stack(embeddings))


def _masked_step(decoder: LlavaDecoder) -> Callable[[Tensor, Any], Pass]:
    def step(token: Tensor, cache: Any) -> Pass:
        mask, kept = cache
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
        position = mask.sum(1, keepdim=True) - 1
        return _masked_pass(decoder, mask, position, input_ids=token.unsqueeze(-1), past_key_values=kept)

    return step


def _masked_pass(decoder: LlavaDecoder, mask: Tensor, positions: Tensor, **inputs: Any) -> Pass:
    outputs = decoder.language_model(
        **inputs, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1
    )
    return Pass(outputs.logits[:, -1], (mask, outputs.past_key_values))
