"""Whole models that answer in words: transformers' own classes, decoded by transformers' own ``generate``."""

from __future__ import annotations

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


class WholeCaption(WholeModel):
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

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, new, vocabulary) along the greedily decoded caption."""
        start = self.model.config.decoder.bos_token_id
        prompt = inputs["prompt"].long()
        return _generate(self.model, self.new_tokens, start, pixel_values=inputs["vision"], decoder_input_ids=prompt)


class WholeLlava(WholeModel):
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
        self.spare_projection = nn.Linear(vision["width"], vision["embedding"], bias=False)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (B, new, vocabulary) along the greedily decoded answer."""
        prompt = inputs["prompt"].long()
        repeats = torch.where(prompt == self.image_token, self.image_tokens, 1)
        rows = [row.repeat_interleave(times) for row, times in zip(prompt, repeats, strict=True)]
        tokens = torch.stack(rows)
        return _generate(
            self.llava,
            self.new_tokens,
            pixel_values=inputs["vision"],
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
        )


def _generate(model: Any, new_tokens: int, start: int | None = None, **inputs: Tensor) -> Tensor:
    """Logits of ``new_tokens`` tokens, decoded greedily without an end.

    ``start`` is the token that every decoder prompt begins with; told of it, ``generate`` puts no other in front.
    """
    # The model's own settings are replaced, since they fill in what others leave open: an end of text, for one.
    model.generation_config = GenerationConfig(
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=0,
        decoder_start_token_id=start,
        return_dict_in_generate=True,
        output_logits=True,
    )
    return torch.stack(model.generate(**inputs).logits, dim=1)
