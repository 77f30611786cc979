"""Heads that answer in words: a decoder reads an encoder's patch states and a prompt, and writes tokens."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from splitshare.modules.base import SplitModule


class Pass(NamedTuple):
    """What one pass over the weights gives."""

    logits: Tensor
    """(B, vocabulary) of the next token."""
    cache: Any
    """Keys and values of the tokens so far, for the next pass."""


class Decoder(SplitModule):
    """``vision`` (B, patches, width), float32, and token ids ``prompt`` (B, n), int32, to token ids (B, new), int32.

    Decoding is greedy and every answer has ``new_tokens`` tokens, an end-of-text token among them or not (ours: so
    the work of a request is fixed). The first pass reads image and prompt and gives the first new token; each
    further one needs a pass of its own.
    """

    prompt_tokens: int = 1
    """Text tokens of an example prompt."""
    new_tokens: int = 1
    """Tokens of an answer."""

    @abstractmethod
    def prefill(self, inputs: Mapping[str, Tensor]) -> Pass:
        """Read the image and the prompt."""

    @abstractmethod
    def step(self, token: Tensor, cache: Any) -> Pass:
        """Append ``token`` (B,) to the text; ``cache`` is used up."""

    def decode(self, first: Pass) -> list[Tensor]:
        """Logits (B, vocabulary) of every new token, after the first pass."""
        logits, cache = first
        found = [logits]
        while len(found) < self.new_tokens:
            logits, cache = self.step(logits.argmax(-1), cache)
            found.append(logits)
        return found

    def scores(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, new, vocabulary) along the answer."""
        return torch.stack(self.decode(self.prefill(inputs)), dim=1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The answer."""
        return self.scores(inputs).argmax(-1).to(torch.int32)
