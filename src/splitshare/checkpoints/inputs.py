"""Seeded inputs for a whole model of a family, by what its configuration says of sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from splitshare.checkpoints.families import Family, InputKind
from splitshare.checkpoints.source import Checkpoint
from splitshare.errors import WorkError

REQUESTS = 2
WORDS = 6
"""Tokens of a text, beside those that stand for a picture."""
AUDIO_SAMPLES = 2000


def seeded_inputs(checkpoint: Checkpoint, family: Family, seed: int = 0) -> dict[str, Tensor]:
    """Arguments of the model's ``forward``, random, on the CPU; pictures are of the size that it is made for.

    Raises:
        WorkError: its family's file does not say what it takes.
    """
    if not family.inputs:
        raise WorkError(f"data/families/{family.name}.yaml says no inputs; write what a forward pass is given")
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, Tensor] = {}
    for kind in family.inputs:
        found |= _MAKE[kind](checkpoint, generator, found)
    return found


def _part(config: Any, *names: str) -> Any:
    return next((part for name in names if (part := getattr(config, name, None)) is not None), config)


def _pictures(checkpoint: Checkpoint, generator: torch.Generator, _: Mapping[str, Tensor]) -> dict[str, Tensor]:
    vision = _part(checkpoint.config, "vision_config", "encoder")
    side = vision.image_size
    channels = getattr(vision, "num_channels", 3)
    pictures = torch.randn(REQUESTS, channels, side, side, generator=generator)
    several = checkpoint.config.model_type in ("smolvlm", "idefics3")
    return {"pixel_values": pictures.unsqueeze(1) if several else pictures}


def _tiled(checkpoint: Checkpoint, generator: torch.Generator, _: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A picture of the size of a tile, as it is and as its one tile."""
    side = checkpoint.config.vision_config.image_size
    tall, wide = min(checkpoint.config.image_grid_pinpoints)
    tiles = 1 + (tall // side) * (wide // side)
    return {
        "pixel_values": torch.randn(REQUESTS, tiles, 3, side, side, generator=generator),
        "image_sizes": torch.tensor([[tall, wide]] * REQUESTS),
    }


def _patches(checkpoint: Checkpoint, generator: torch.Generator, _: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pictures of twice as many patches a side as are merged, flat."""
    vision = checkpoint.config.vision_config
    side = 2 * vision.spatial_merge_size
    width = vision.in_channels * vision.temporal_patch_size * vision.patch_size**2
    return {
        "pixel_values": torch.randn(REQUESTS * side * side, width, generator=generator),
        "image_grid_thw": torch.tensor([[1, side, side]] * REQUESTS),
    }


def _tokens(checkpoint: Checkpoint, generator: torch.Generator, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Random words; where a picture is given to a language model, its placeholders stand in front of them."""
    config = checkpoint.config
    if config.model_type == "whisper":
        ids = torch.randint(3, config.vocab_size, (REQUESTS, WORDS), generator=generator)
        return {"decoder_input_ids": ids}
    if config.model_type == "vision-encoder-decoder":
        ids = torch.randint(3, config.decoder.vocab_size, (REQUESTS, WORDS), generator=generator)
        return {"decoder_input_ids": ids}
    text = _part(config, "text_config")
    image = getattr(config, "image_token_id", None)
    most = int(text.vocab_size) if image is None else min(int(text.vocab_size), int(image))
    ids = torch.randint(3, most - 4, (REQUESTS, WORDS), generator=generator)
    pictures = image_tokens(checkpoint, found) if image is not None else 0
    if pictures:
        ids = torch.cat([ids[:, :1], torch.full((REQUESTS, pictures), int(str(image))), ids[:, 1:]], dim=1)
    made = {"input_ids": ids}
    if config.model_type in ("qwen2_vl", "paligemma"):
        made["mm_token_type_ids"] = torch.eq(ids, int(str(image))).long()
    if config.model_type == "paligemma":
        made["token_type_ids"] = made.pop("mm_token_type_ids")
        made["attention_mask"] = torch.ones_like(ids)
    return made


def image_tokens(checkpoint: Checkpoint, found: Mapping[str, Tensor]) -> int:
    """Tokens that one request's picture takes in the language model's input."""
    config = checkpoint.config
    vision = config.vision_config
    match config.model_type:
        case "blip-2":
            return int(config.num_query_tokens)
        case "qwen2_vl":
            return int(found["image_grid_thw"][0].prod()) // int(vision.spatial_merge_size) ** 2
        case "smolvlm" | "idefics3":
            return (int(vision.image_size) // int(vision.patch_size)) ** 2 // int(config.scale_factor) ** 2
        case "llava_next" | "llava_onevision":
            return _tiled_tokens(checkpoint, found)
    return (int(vision.image_size) // int(vision.patch_size)) ** 2


def _tiled_tokens(checkpoint: Checkpoint, found: Mapping[str, Tensor]) -> int:
    """As the class itself packs them: a picture, its tiles, and the ends of their lines."""
    config = checkpoint.config
    side = int(config.vision_config.image_size) // int(config.vision_config.patch_size)
    size = int(config.vision_config.image_size)
    tall, wide = (int(n) // size for n in found["image_sizes"][0])
    return side * side + (tall * side) * (wide * side + 1)


def _spectrogram(checkpoint: Checkpoint, generator: torch.Generator, _: Mapping[str, Tensor]) -> dict[str, Tensor]:
    config = checkpoint.config
    match config.model_type:
        case "whisper":
            frames = 2 * config.max_source_positions
            return {"input_features": torch.randn(REQUESTS, config.num_mel_bins, frames, generator=generator)}
        case "clap":
            audio = config.audio_config
            frames = audio.spec_size * audio.spec_size // audio.num_mel_bins
            return {"input_features": torch.randn(REQUESTS, 1, frames, audio.num_mel_bins, generator=generator)}
    return {"input_values": torch.randn(REQUESTS, config.max_length, config.num_mel_bins, generator=generator)}


def _waveform(_: Checkpoint, generator: torch.Generator, __: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {"input_values": torch.randn(REQUESTS, AUDIO_SAMPLES, generator=generator)}


_MAKE: Mapping[InputKind, Callable[[Checkpoint, torch.Generator, Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "pictures": _pictures,
    "tiled-pictures": _tiled,
    "picture-patches": _patches,
    "tokens": _tokens,
    "spectrogram": _spectrogram,
    "waveform": _waveform,
}
