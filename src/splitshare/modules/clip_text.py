"""The text transformer of CLIP (Radford et al. 2021, arXiv 2103.00020, section 2.4), with its projection."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from splitshare.modules.base import SplitModule

SHORTEST_PROMPT = 8
"""Fewest tokens of an example prompt, start and end of text included: "a photo of a dog." has that many."""


def text_config(
    *, width: int, layers: int, heads: int, context: int, vocabulary: int, embedding: int
) -> CLIPTextConfig:
    """The transformers configuration of a CLIP text tower: MLP four times as wide, quick GELU.

    As in CLIP's vocabulary, the last token ends the text and the one before it starts the text.
    """
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=embedding,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=context,
        hidden_act="quick_gelu",
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        attn_implementation="sdpa",
    )


class ClipText(SplitModule):
    """Token ids ``text`` (batch, context), int32, to joint embeddings (batch, embedding).

    CLIP always encodes the full context, padded behind the end of text, so the time does not depend on the
    prompt.
    """

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__()
        self.tower = CLIPTextModelWithProjection(config)
        self.context = config.max_position_embeddings
        self.vocabulary = config.vocab_size

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Pooled at the end-of-text token and projected."""
        embeddings: Tensor = self.tower(input_ids=inputs["text"]).text_embeds
        return embeddings

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Prompts of random words and lengths: start, words, end, zeros (CLIP's padding)."""
        start, end = self.vocabulary - 2, self.vocabulary - 1
        tokens = torch.randint(1, start, (batch, self.context), generator=generator, dtype=torch.int32)
        shortest = min(SHORTEST_PROMPT, self.context)
        last = torch.randint(shortest, self.context + 1, (batch, 1), generator=generator) - 1
        place = torch.arange(self.context)
        tokens[:, 0] = start
        return {"text": tokens.masked_fill(place == last, end).masked_fill(place > last, 0)}

    def token_embedding_parameters(self) -> int:
        """Vocabulary times width."""
        return int(self.tower.text_model.embeddings.token_embedding.weight.numel())


def build(*, width: int, layers: int, heads: int, context: int, vocabulary: int, embedding: int) -> ClipText:
    """Build the tower; parameters as in ``text_config``."""
    return ClipText(
        text_config(
            width=width,
            layers=layers,
            heads=heads,
            context=context,
            vocabulary=vocabulary,
            embedding=embedding,
        )
    )
