"""LLaVA-1.5's projector and language model (Liu et al. 2023, arXiv 2310.03744): a two-layer MLP and a LLaMA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from splitshare.modules.cheap_weights import fill, without_initialiser
from splitshare.modules.decoder import Decoder, Pass


def llama_config(*, width: int, hidden: int, layers: int, heads: int, context: int, vocabulary: int) -> LlamaConfig:
    """The transformers configuration of a LLaMA (Touvron et al. 2023, arXiv 2302.13971), as Vicuna-1.5 is one."""
    return LlamaConfig(
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=context,
        vocab_size=vocabulary,
        rms_norm_eps=1e-5,
        attn_implementation="sdpa",
    )


class Projector(nn.Module):
    """Patch states (B, patches, image width) to token embeddings (B, patches, width)."""

    def __init__(self, image_width: int, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(image_width, width)
        self.act = nn.GELU()
        self.linear_2 = nn.Linear(width, width)

    def forward(self, states: Tensor) -> Tensor:
        """Linear, GELU, linear."""
        tokens: Tensor = self.linear_2(self.act(self.linear_1(states)))
        return tokens


class LlavaDecoder(Decoder):
    """Patch states and a prompt in which one placeholder token stands where the image comes to an answer.

    A prompt thus has a token more than ``prompt_tokens`` text tokens.
    """

    def __init__(self, config: LlamaConfig, image_tokens: int, image_width: int, image_token: int) -> None:
        super().__init__()
        self.projector = Projector(image_width, config.hidden_size)
        self.language_model = LlamaForCausalLM(config)
        self.image_tokens = image_tokens
        self.image_token = image_token

    def prefill(self, inputs: Mapping[str, Tensor]) -> Pass:
        """Project the patch states, put them at the placeholder, and read all that."""
        image = self.projector(inputs["vision"].to(self.language_model.dtype))
        return self._pass(inputs_embeds=self._merged(image, inputs["prompt"]), past_key_values=None)

    def step(self, token: Tensor, cache: Any) -> Pass:
        """One token against the kept keys and values."""
        return self._pass(input_ids=token.unsqueeze(-1), past_key_values=cache)

    def _pass(self, **inputs: Any) -> Pass:
        outputs = self.language_model(**inputs, use_cache=True, logits_to_keep=1)
        return Pass(outputs.logits[:, -1], outputs.past_key_values)

    def _merged(self, image: Tensor, prompt: Tensor) -> Tensor:
        """Embeddings (B, text + image tokens, width), each prompt's placeholder replaced by its image."""
        text = self.language_model.get_input_embeddings()(prompt)
        images, words = image.shape[1], prompt.shape[1]
        start = (prompt == self.image_token).int().argmax(dim=1, keepdim=True)
        place = torch.arange(words - 1 + images, device=prompt.device).expand(len(prompt), -1)
        in_image = (place >= start) & (place < start + images)
        word = torch.where(place < start, place, place - images + 1).clamp(0, words - 1)
        patch = (place - start).clamp(0, images - 1)
        return torch.where(in_image.unsqueeze(-1), _rows(image, patch), _rows(text, word))

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal patch states; prompts of random words with a placeholder somewhere behind the first one."""
        words = self.prompt_tokens + 1
        prompt = torch.randint(self.image_token, (batch, words), generator=generator, dtype=torch.int32)
        place = torch.randint(1, words, (batch, 1), generator=generator)
        states = torch.randn(
            batch * items["vision"], self.image_tokens, self.projector.linear_1.in_features, generator=generator
        )
        return {"vision": states, "prompt": prompt.scatter(1, place, self.image_token)}

    def token_embedding_parameters(self) -> int:
        """Vocabulary times width; the output layer has a matrix of its own."""
        return int(self.language_model.get_input_embeddings().weight.numel())


def _rows(values: Tensor, index: Tensor) -> Tensor:
    """``values[b, index[b, i]]`` for (B, n, width) and (B, m)."""
    return values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[-1]))


def build(  # noqa: PLR0913, the architecture's parameters by name
    *,
    width: int,
    hidden: int,
    layers: int,
    heads: int,
    context: int,
    vocabulary: int,
    image_tokens: int,
    image_width: int,
    image_token: int,
) -> LlavaDecoder:
    """Build the head for images of ``image_tokens`` patch states of ``image_width``.

    Weights come from the cheap initialiser. ``hidden`` is the width of the gated MLP, ``image_token`` the placeholder's
    id; words have smaller ones.
    """
    config = llama_config(
        width=width, hidden=hidden, layers=layers, heads=heads, context=context, vocabulary=vocabulary
    )
    with without_initialiser():
        decoder = LlavaDecoder(config, image_tokens, image_width, image_token)
    fill(decoder, config.initializer_range)
    return decoder
