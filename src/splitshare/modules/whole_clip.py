"""Whole models on CLIP: retrieval, VQA, alignment and the linear probe.

Where a public class exists (transformers' ``CLIPModel``) it is the whole model or its backbone, so that the split
path is judged by code that we did not write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn
from transformers import ASTModel, CLIPConfig, CLIPModel, CLIPTextModelWithProjection, CLIPVisionModelWithProjection

from splitshare.modules.ast_audio import audio_config
from splitshare.modules.clip_resnet import ClipResNet
from splitshare.modules.clip_text import text_config
from splitshare.modules.clip_vit import vision_config
from splitshare.modules.whole_model import Params, WholeModel


def _clip_backbone(params: Params) -> CLIPModel:
    vision, text = dict(params["vision"]), dict(params["text"])
    return CLIPModel(
        CLIPConfig(
            vision_config=vision_config(**vision).to_dict(),
            text_config=text_config(**text).to_dict(),
            projection_dim=vision["embedding"],
            attn_implementation="sdpa",
        )
    )


_CLIP_TOWERS = {
    "vision": {
        "tower.vision_model.": "clip.vision_model.",
        "tower.visual_projection.": "clip.visual_projection.",
    },
    "text": {"tower.text_model.": "clip.text_model.", "tower.text_projection.": "clip.text_projection."},
}


class WholeClip(WholeModel):
    """CLIP with a ViT: transformers' ``CLIPModel``, asked once for each request."""

    prefixes = _CLIP_TOWERS | {"head": {"logit_scale": "clip.logit_scale"}}
    public: ClassVar = {"vision": "clip", "text": "clip", "head": "clip"}

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.clip = _clip_backbone(params)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``logits_per_image`` of each request's image with its own prompts."""
        images = inputs["vision"]
        prompts = inputs["text"].chunk(len(images))
        return torch.cat(
            [
                self.clip(pixel_values=images[i : i + 1], input_ids=prompts[i]).logits_per_image
                for i in range(len(images))
            ]
        )


class WholeClipResNet(WholeModel):
    """CLIP with a ResNet; our dependencies have no such class, so the vision tower is ours here too."""

    prefixes: ClassVar = {
        "vision": {"": "visual."},
        "text": {"tower.": "textual."},
        "head": {"logit_scale": "logit_scale"},
    }

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.visual = ClipResNet(**params["vision"])
        self.textual = CLIPTextModelWithProjection(text_config(**params["text"]))
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Scaled cosine similarity of each request's image with its own prompts."""
        image = self.visual({"vision": inputs["vision"]})
        prompts = self.textual(input_ids=inputs["text"]).text_embeds
        prompts = prompts.reshape(len(image), -1, prompts.shape[-1])
        return self.logit_scale.exp() * F.cosine_similarity(image.unsqueeze(1), prompts, dim=-1)


class WholeVqa(WholeModel):
    """Encoder-only VQA (ours) on a CLIP backbone."""

    prefixes = _CLIP_TOWERS | {"head": {"hidden.": "fusion.0.", "classifier.": "fusion.2."}}

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.clip = _clip_backbone(params)
        del self.clip.logit_scale  # belongs to CLIP's own head, which this model does without
        head = params["head"]
        self.fusion = nn.Sequential(
            nn.Linear(3 * head["embedding"], head["hidden"]),
            nn.GELU(),
            nn.Linear(head["hidden"], head["answers"]),
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """One score an answer."""
        image = self.clip.get_image_features(pixel_values=inputs["vision"]).pooler_output
        question = self.clip.get_text_features(input_ids=inputs["text"]).pooler_output
        scores: Tensor = self.fusion(torch.hstack([image, question, image * question]))
        return scores


class WholeAlignment(WholeModel):
    """Audio-image-text alignment (ours) on a CLIP backbone and AST."""

    prefixes = _CLIP_TOWERS | {
        "audio": {"tower.": "audio."},
        "head": {
            "vision_projection.": "joint.vision.",
            "text_projection.": "joint.text.",
            "audio_projection.": "joint.audio.",
            "logit_scale": "logit_scale",
        },
    }
    public: ClassVar = {"audio": "audio"}

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.clip = _clip_backbone(params)
        del self.clip.logit_scale  # the alignment has a scale of its own
        self.audio = ASTModel(audio_config(**params["audio"]))
        head = params["head"]
        self.joint = nn.ModuleDict(
            {
                role: nn.Linear(head[f"{role}_embedding"], head["joint_embedding"], bias=False)
                for role in ("vision", "text", "audio")
            }
        )
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Audio with each prompt, image with each prompt, audio with image."""
        image = self.joint["vision"](self.clip.get_image_features(pixel_values=inputs["vision"]).pooler_output)
        sound = self.joint["audio"](self.audio(input_values=inputs["audio"]).pooler_output)
        prompts = self.joint["text"](self.clip.get_text_features(input_ids=inputs["text"]).pooler_output)
        prompts = prompts.reshape(len(image), -1, prompts.shape[-1])
        image, sound = image.unsqueeze(1), sound.unsqueeze(1)
        pairs = [(sound, prompts), (image, prompts), (sound, image)]
        return self.logit_scale.exp() * torch.hstack([F.cosine_similarity(a, b, dim=-1) for a, b in pairs])


class WholeProbe(WholeModel):
    """A linear probe on transformers' CLIP image tower."""

    prefixes: ClassVar = {"vision": {"tower.": "clip."}, "head": {"classifier.": "probe."}}

    def __init__(self, params: Params) -> None:
        super().__init__()
        head = params["head"]
        self.clip = CLIPVisionModelWithProjection(vision_config(**params["vision"]))
        self.probe = nn.Linear(head["embedding"], head["classes"])

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """One score a class."""
        scores: Tensor = self.probe(self.clip(pixel_values=inputs["vision"]).image_embeds)
        return scores
