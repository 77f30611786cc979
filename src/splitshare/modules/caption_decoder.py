"""GPT-2 (Radford et al. 2019) with cross-attention to an image's patch states, as in ViT-GPT2 captioning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from splitshare.modules.decoder import Decoder, Pass


def caption_config(
    *, width: int, layers: int, heads: int, context: int, vocabulary: int, image_tokens: int, image_width: int
) -> GPT2Config:
    """The transformers configuration; the last token of the vocabulary starts and ends a text.

    Raises:
        ValueError: image and text differ in width, for which there is no projection here.
    """
    if image_width != width:
        raise ValueError(f"image_width: {image_width} differs from the text's width {width}; make them equal")
    return GPT2Config(
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        n_positions=context,
        vocab_size=vocabulary,
        bos_token_id=vocabulary - 1,
        eos_token_id=vocabulary - 1,
        is_decoder=True,
        add_cross_attention=True,
        attn_implementation="sdpa",
    )


class CaptionDecoder(Decoder):
    """Patch states and a prompt that starts with the start-of-text token to a caption.

    The token embedding is also the matrix of the output layer, so it is multiplied with and not only looked up.
    """

    def __init__(self, config: GPT2Config, image_tokens: int) -> None:
        super().__init__()
        self.language_model = GPT2LMHeadModel(config)
        self.image_tokens = image_tokens

    def prefill(self, inputs: Mapping[str, Tensor]) -> Pass:
        """Keys and values of the image are computed here and kept."""
        return self._pass(inputs["prompt"], inputs["vision"].to(self.language_model.dtype), None)

    def step(self, token: Tensor, cache: Any) -> Pass:
        """One token against the kept keys and values."""
        image, kept = cache
        return self._pass(token.unsqueeze(-1), image, kept)

    def _pass(self, tokens: Tensor, image: Tensor, kept: Any) -> Pass:
        outputs = self.language_model(
            input_ids=tokens, encoder_hidden_states=image, past_key_values=kept, use_cache=True, logits_to_keep=1
        )
        return Pass(outputs.logits[:, -1], (image, outputs.past_key_values))

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal patch states; the start of text, and random words up to the prompt's length."""
        config = self.language_model.config
        prompt = torch.randint(
            config.vocab_size - 1, (batch, self.prompt_tokens), generator=generator, dtype=torch.int32
        )
        prompt[:, 0] = config.bos_token_id
        return {
            "vision": torch.randn(batch * items["vision"], self.image_tokens, config.n_embd, generator=generator),
            "prompt": prompt,
        }


def build(
    *, width: int, layers: int, heads: int, context: int, vocabulary: int, image_tokens: int, image_width: int
) -> CaptionDecoder:
    """Build the decoder for images of ``image_tokens`` patch states (class token included) of ``image_width``."""
    config = caption_config(
        width=width,
        layers=layers,
        heads=heads,
        context=context,
        vocabulary=vocabulary,
        image_tokens=image_tokens,
        image_width=image_width,
    )
    return CaptionDecoder(config, image_tokens)
