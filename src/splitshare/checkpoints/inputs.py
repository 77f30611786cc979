"""Seeded inputs for a whole model of a family, by what its configuration says of sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from splitshare.checkpoints.families import Family, ImageTokens, InputKind
from splitshare.checkpoints.source import Checkpoint
from splitshare.errors import WorkError

REQUESTS = 2
WORDS = 6
"""Tokens of a text, beside those that stand for a picture."""
AUDIO_SAMPLES = 2000
LOWEST_TOKEN, HIGHEST_TOKENS = 3, 4
"""The first and last few of a vocabulary have meanings, and are left out."""


def seeded_inputs(
    checkpoint: Checkpoint, family: Family, seed: int = 0, *, requests: int = REQUESTS, words: int = WORDS
) -> dict[str, Tensor]:
    """Arguments of the model's ``forward``, random, on the CPU; pictures are of the size that it is made for.

    Args:
        checkpoint: the model.
        family: what its models take.
        seed: of whatever is random.
        requests: how many at once.
        words: tokens of a text, beside those that stand for a picture.

    Raises:
        WorkError: its family's file does not say what it takes.
    """
    if not family.inputs:
        raise WorkError(f"data/families/{family.name}.yaml says no inputs; write what a forward pass is given")
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, Tensor] = {}
    for kind in family.inputs:
        found |= _MAKE[kind](Asked(checkpoint.config, family, generator, found, requests, words))
    return found


@dataclass(frozen=True)
class Asked:
    """What an input is made from."""

    config: Any
    family: Family
    generator: torch.Generator
    found: Mapping[str, Tensor]
    """Inputs that were made before."""
    requests: int
    text_tokens: int

    def normal(self, *shape: int) -> Tensor:
        """Standard normal values."""
        return torch.randn(*shape, generator=self.generator)

    def words(self, vocabulary: int) -> Tensor:
        """Tokens (requests, words)."""
        return torch.randint(
            LOWEST_TOKEN, vocabulary - HIGHEST_TOKENS, (self.requests, self.text_tokens), generator=self.generator
        )


def _part(config: Any, *names: str) -> Any:
    return next((part for name in names if (part := getattr(config, name, None)) is not None), config)


def _pictures(asked: Asked) -> dict[str, Tensor]:
    vision = _part(asked.config, "vision_config", "encoder")
    return {"pixel_values": asked.normal(asked.requests, getattr(vision, "num_channels", 3), *2 * [vision.image_size])}


def _picture_lists(asked: Asked) -> dict[str, Tensor]:
    """One picture a request, in a list of its own."""
    return {"pixel_values": _pictures(asked)["pixel_values"].unsqueeze(1)}


def _tiled(asked: Asked) -> dict[str, Tensor]:
    """A picture as it is and as its tiles."""
    side = asked.config.vision_config.image_size
    tall, wide = min(asked.config.image_grid_pinpoints)
    tiles = 1 + (tall // side) * (wide // side)
    return {
        "pixel_values": asked.normal(asked.requests, tiles, 3, side, side),
        "image_sizes": torch.tensor([[tall, wide]] * asked.requests),
    }


def _patches(asked: Asked) -> dict[str, Tensor]:
    """Pictures of twice as many patches a side as are merged, flat."""
    vision = asked.config.vision_config
    side = 2 * vision.spatial_merge_size
    width = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    return {
        "pixel_values": asked.normal(asked.requests * side * side, width),
        "image_grid_thw": torch.tensor([[1, side, side]] * asked.requests),
    }


def _tokens(asked: Asked) -> dict[str, Tensor]:
    """Random words; where pictures stand among them, their placeholders behind the first one."""
    vocabulary = int(_part(asked.config, "text_config").vocab_size)
    counting = asked.family.image_tokens
    if counting is None:
        ids = asked.words(vocabulary)
        pictures = torch.zeros_like(ids)
    else:
        image = int(asked.config.image_token_id)
        ids = asked.words(min(vocabulary, image))
        placeholders = torch.full((asked.requests, _IMAGE_TOKENS[counting](asked)), image)
        ids = torch.cat([ids[:, :1], placeholders, ids[:, 1:]], dim=1)
        pictures = torch.eq(ids, image).long()
    made = {"input_ids": ids}
    if asked.family.token_types is not None:
        made[asked.family.token_types] = pictures
    if asked.family.attention_mask:
        made["attention_mask"] = torch.ones_like(ids)
    return made


def _decoder_tokens(asked: Asked) -> dict[str, Tensor]:
    """The beginning of what a decoder writes."""
    return {"decoder_input_ids": asked.words(int(_part(asked.config, "decoder").vocab_size))}


def _of_patches(asked: Asked) -> int:
    vision = asked.config.vision_config
    return (int(vision.image_size) // int(vision.patch_size)) ** 2


def _of_tiles(asked: Asked) -> int:
    """As the class itself packs them: a picture, its tiles, and the ends of their lines."""
    vision = asked.config.vision_config
    side = int(vision.image_size) // int(vision.patch_size)
    tall, wide = (int(n) // int(vision.image_size) for n in asked.found["image_sizes"][0])
    return side * side + (tall * side) * (wide * side + 1)


_IMAGE_TOKENS: Mapping[ImageTokens, Callable[[Asked], int]] = {
    "patches": _of_patches,
    "queries": lambda asked: int(asked.config.num_query_tokens),
    "merged": lambda asked: (
        int(asked.found["image_grid_thw"][0].prod()) // int(asked.config.vision_config.spatial_merge_size) ** 2
    ),
    "shuffled": lambda asked: _of_patches(asked) // int(asked.config.scale_factor) ** 2,
    "tiles": _of_tiles,
}


def _spectrogram(asked: Asked) -> dict[str, Tensor]:
    return {"input_values": asked.normal(asked.requests, asked.config.max_length, asked.config.num_mel_bins)}


def _log_mel(asked: Asked) -> dict[str, Tensor]:
    frames = 2 * asked.config.max_source_positions
    return {"input_features": asked.normal(asked.requests, asked.config.num_mel_bins, frames)}


def _square_spectrogram(asked: Asked) -> dict[str, Tensor]:
    """As many frames as make a square picture of it."""
    audio = asked.config.audio_config
    frames = audio.spec_size * audio.spec_size // audio.num_mel_bins
    return {"input_features": asked.normal(asked.requests, 1, frames, audio.num_mel_bins)}


def _waveform(asked: Asked) -> dict[str, Tensor]:
    return {"input_values": asked.normal(asked.requests, AUDIO_SAMPLES)}


_MAKE: Mapping[InputKind, Callable[[Asked], dict[str, Tensor]]] = {
    "pictures": _pictures,
    "picture-lists": _picture_lists,
    "tiled-pictures": _tiled,
    "picture-patches": _patches,
    "tokens": _tokens,
    "decoder-tokens": _decoder_tokens,
    "spectrogram": _spectrogram,
    "log-mel": _log_mel,
    "square-spectrogram": _square_spectrogram,
    "waveform": _waveform,
}
