"""Whole models, as the split ones are compared with: one ``nn.Module``, its own forward pass.

They have the same weights. Where a public class exists (transformers' ``CLIPModel``) it is the whole model or
its backbone, so that the split path is judged by code that we did not write. ``split_state`` and
``join_state`` carry weights between the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn
from transformers import ASTModel, CLIPConfig, CLIPModel, CLIPTextModelWithProjection

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model, ModuleRef
from splitshare.errors import WorkError
from splitshare.modules.ast_audio import audio_config
from splitshare.modules.build import build_module
from splitshare.modules.clip_resnet import ClipResNet
from splitshare.modules.clip_text import text_config
from splitshare.modules.clip_vit import vision_config

State = dict[str, Tensor]
Params = Mapping[str, Mapping[str, Any]]
"""Parameters of the architectures by role; the head's under ``head``."""


class WholeModel(nn.Module, ABC):
    """A task model in one piece.

    ``prefixes`` maps, for each role (and ``head``), prefixes of the split module's weight names to the
    prefixes that the same weights have here.
    """

    prefixes: ClassVar[Mapping[str, Mapping[str, str]]]

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Answer a batch of requests.

        Args:
            inputs: the encoders' inputs by role, request by request: ``B * n`` rows for a role with ``n``
            items.

        Returns:
            What the head gives for the batch.
        """


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


_WHOLE: Mapping[tuple[str, str], type[WholeModel]] = {
    ("clip-vit", "cosine-head"): WholeClip,
    ("clip-resnet", "cosine-head"): WholeClipResNet,
    ("clip-vit", "vqa-head"): WholeVqa,
    ("clip-vit", "alignment-head"): WholeAlignment,
}
"""Whole models by the builders of the vision encoder and the head."""


def build_whole(catalog: Catalog, model: Model, seed: int = 0) -> WholeModel:
    """Build ``model`` in one piece, with the weights that ``build_module`` gives its modules.

    Raises:
        WorkError: there is no whole model of this kind.
    """
    architectures = {role: catalog.architectures[ref.architecture] for role, ref in _refs(model)}
    kind = (architectures["vision"].builder, architectures["head"].builder)
    if kind not in _WHOLE:
        raise WorkError(f"no whole model of {kind[0]} and {kind[1]} to compare {model.name} with")
    with torch.random.fork_rng(devices=[]):
        whole = _WHOLE[kind]({role: entry.params for role, entry in architectures.items()})
    parts = {role: build_module(catalog, ref.module, seed).state_dict() for role, ref in _refs(model)}
    whole.load_state_dict(join_state(whole, parts))
    return whole.eval().requires_grad_(False)


def split_state(whole: WholeModel) -> dict[str, State]:
    """Slice the weights of ``whole`` into those of its modules, by role; nothing is copied.

    The head's stand under ``head``.

    Raises:
        WorkError: a weight belongs to no module, or to several.
    """
    parts: dict[str, State] = {role: {} for role in whole.prefixes}
    for key, tensor in whole.state_dict().items():
        owners = [
            (role, split_prefix + key.removeprefix(whole_prefix))
            for role, names in whole.prefixes.items()
            for split_prefix, whole_prefix in names.items()
            if key.startswith(whole_prefix)
        ]
        if len(owners) != 1:
            raise WorkError(f"weight {key} of {type(whole).__name__} belongs to {len(owners)} modules, not one")
        role, name = owners[0]
        parts[role][name] = tensor
    return parts


def join_state(whole: WholeModel, parts: Mapping[str, State]) -> State:
    """The reverse of ``split_state``: name the modules' weights as ``whole`` does.

    Raises:
        WorkError: a module has a weight for which the whole model has no place.
    """
    joined: State = {}
    for role, state in parts.items():
        for name, tensor in state.items():
            for split_prefix, whole_prefix in whole.prefixes[role].items():
                if name.startswith(split_prefix):
                    joined[whole_prefix + name.removeprefix(split_prefix)] = tensor
                    break
            else:
                raise WorkError(f"weight {name} of the {role} module has no place in {type(whole).__name__}")
    return joined


def _refs(model: Model) -> Iterator[tuple[str, ModuleRef]]:
    yield from ((encoder.role, encoder) for encoder in model.encoders)
    yield "head", model.head
