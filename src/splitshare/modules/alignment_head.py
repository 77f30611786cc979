"""A head that aligns sound, image and text. It is ours: the paper's own head could not be read."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

from splitshare.modules.base import SplitModule

INITIAL_TEMPERATURE = 0.07
"""Initial softmax temperature, as in CLIP; the learned scale is the logarithm of its inverse."""


class AlignmentHead(SplitModule):
    """Logits of the pairwise InfoNCE objective of an image, an audio clip and ``n`` prompts.

    ``vision`` (B, vision embedding), ``audio`` (B, audio embedding) and ``text`` (B * n, text embedding) are
    projected into one space and normalised. Scores (B, 2 n + 1): audio with each prompt, image with each
    prompt, audio with image.
    """

    def __init__(self, vision_embedding: int, text_embedding: int, audio_embedding: int, joint_embedding: int) -> None:
        super().__init__()
        self.vision_projection = nn.Linear(vision_embedding, joint_embedding, bias=False)
        self.text_projection = nn.Linear(text_embedding, joint_embedding, bias=False)
        self.audio_projection = nn.Linear(audio_embedding, joint_embedding, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Scaled cosine similarities of the three pairs of modalities."""
        image = F.normalize(self.vision_projection(inputs["vision"]), dim=-1).unsqueeze(-1)
        audio = F.normalize(self.audio_projection(inputs["audio"]), dim=-1).unsqueeze(-1)
        prompts = F.normalize(self.text_projection(inputs["text"]), dim=-1)
        prompts = prompts.reshape(len(image), -1, prompts.shape[-1])
        pairs = torch.cat([prompts @ audio, prompts @ image, audio.mT @ image], dim=1).squeeze(-1)
        return self.logit_scale.exp() * pairs

    def example_inputs(self, batch: int, items: Mapping[str, int], generator: torch.Generator) -> dict[str, Tensor]:
        """Standard normal embeddings."""
        widths = {
            "vision": self.vision_projection.in_features,
            "text": self.text_projection.in_features,
            "audio": self.audio_projection.in_features,
        }
        return {role: torch.randn(batch * items[role], width, generator=generator) for role, width in widths.items()}


def build(*, vision_embedding: int, text_embedding: int, audio_embedding: int, joint_embedding: int) -> AlignmentHead:
    """The alignment head over embeddings of three widths."""
    return AlignmentHead(vision_embedding, text_embedding, audio_embedding, joint_embedding)
