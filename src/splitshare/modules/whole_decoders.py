"""Whole models that answer in words: transformers' own classes, decoded by transformers' own ``generate``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

from splitshare.modules.caption_decoder import caption_config
from splitshare.modules.clip_vit import PATCH_LAYER, vision_config
from splitshare.modules.llava_decoder import llama_config
from splitshare.modules.vit import vit_config
from splitshare.modules.whole_model import Params, WholeModel


class WholeDecoder(WholeModel):
    """Answers in words by ``generate``; what it is asked with is said by each kind."""

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, new, vocabulary) along the greedily decoded answer, whose end is not looked for."""
        return torch.stack(self._generate(inputs, None).logits, dim=1)

    def answers(self, inputs: Mapping[str, Tensor], end: int) -> Tensor:
        """Tokens (B, at most new), int32; after a row's end-of-text token ``end`` comes nothing but that."""
        found = self._generate(inputs, end)
        tokens: Tensor = found.sequences[:, -len(found.logits) :].to(torch.int32)
        return tokens.masked_fill((tokens == end).cumsum(1) > 0, end)

    @abstractmethod
    def _generate(self, inputs: Mapping[str, Tensor], end: int | None) -> Any:
        """What ``generate`` returns."""


class WholeCaption(WholeDecoder):
    """ViT-GPT2 captioning: ``VisionEncoderDecoderModel``."""

    prefixes: ClassVar = {
        "vision": {"tower.": "model.encoder."},
        "head": {"language_model.": "model.decoder."},
    }
    public: ClassVar = {"vision": "model", "head": "model"}

    def __init__(self, params: Params) -> None:
        super().__init__()
        config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
            vit_config(**params["vision"]), caption_config(**params["head"])
        )
        self.model = VisionEncoderDecoderModel(config)
        self.model.decoder.tie_weights()  # not done where the initialiser is left out

    def _generate(self, inputs: Mapping[str, Tensor], end: int | None) -> Any:
        asked = {"pixel_values": inputs["vision"], "decoder_input_ids": inputs["prompt"].long()}
        return _generated(self.model, self.new_tokens, asked, end, self.model.config.decoder.bos_token_id)


class WholeLlava(WholeDecoder):
    """LLaVA: ``LlavaForConditionalGeneration``.

    ``spare_projection`` is the image tower's projection, which LLaVA does without and the shared module has.
    """

    prefixes: ClassVar = {
        "vision": {
            "tower.vision_model.": "llava.model.vision_tower.",
            "tower.visual_projection.": "spare_projection.",
        },
        "head": {
            "projector.": "llava.model.multi_modal_projector.",
            "language_model.model.": "llava.model.language_model.",
            "language_model.lm_head.": "llava.lm_head.",
        },
    }
    public: ClassVar = {"head": "llava"}

    def __init__(self, params: Params) -> None:
        super().__init__()
        vision, head = dict(params["vision"]), dict(params["head"])
        self.image_token = head.pop("image_token")
        self.image_tokens = head.pop("image_tokens")
        head.pop("image_width")
        config = LlavaConfig(
            vision_config=vision_config(**vision),
            text_config=llama_config(**head),
            image_token_id=self.image_token,
            vision_feature_layer=PATCH_LAYER,
            attn_implementation="sdpa",
        )
        self.llava = LlavaForConditionalGeneration(config)
        # The tower may compute in another type than the language model, as the modules do.
        self.llava.model.multi_modal_projector.register_forward_pre_hook(_in_own_type)
        self.spare_projection = nn.Linear(vision["width"], vision["embedding"], bias=False)

    def _generate(self, inputs: Mapping[str, Tensor], end: int | None) -> Any:
        prompt = inputs["prompt"].long()
        repeats = torch.where(prompt == self.image_token, self.image_tokens, 1)
        asked = {"input_ids": prompt, "attention_mask": inputs.get("prompt_mask", torch.ones_like(prompt)).long()}
        filled = {
            name: torch.stack([row.repeat_interleave(times) for row, times in zip(rows, repeats, strict=True)])
            for name, rows in asked.items()
        }
        return _generated(self.llava, self.new_tokens, filled | {"pixel_values": inputs["vision"]}, end)


def _in_own_type(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    dtype = next(module.parameters()).dtype
    return tuple(tensor.to(dtype) for tensor in inputs)


def _generated(
    model: Any, new_tokens: int, inputs: Mapping[str, Tensor], end: int | None, start: int | None = None
) -> Any:
    """What ``generate`` returns for at most ``new_tokens`` tokens, decoded greedily up to ``end``, if one is told.

    ``start`` is the token that every decoder prompt begins with; told of it, ``generate`` puts no other in front.
    """
    # The model's own settings are replaced, since they fill in what others leave open: an end of text, for one.
    model.generation_config = GenerationConfig(
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=end,
        decoder_start_token_id=start,
        return_dict_in_generate=True,
        output_logits=True,
    )
    return model.generate(**inputs)
