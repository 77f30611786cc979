"""Held against the processors that the checkpoints come with."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import ASTFeatureExtractor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from splitshare.benchmarks.preprocess import AST_RATE_HZ, ast_sound, clip_image, vit_image
from splitshare.errors import WorkError
from tests.benchmarks.hub.datasets import wav_bytes
from tests.data.make_clip_preprocess_reference import REFERENCE, digest, picture


@pytest.mark.parametrize("size", [(40, 30), (24, 24), (10, 300), (500, 375), (55, 110)])
@pytest.mark.parametrize("side", [24, 224])
def test_pictures_are_those_of_transformers_bit_for_bit(size, side):
    file = picture(size)
    opened = Image.open(io.BytesIO(file)).convert("RGB")
    clip = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    assert torch.equal(clip_image(file, side), clip(opened, return_tensors="pt")["pixel_values"][0])
    vit = ViTImageProcessorPil(size={"height": side, "width": side})
    assert torch.equal(vit_image(file, side), vit(opened, return_tensors="pt")["pixel_values"][0])


@pytest.mark.parametrize(
    "row", json.loads(REFERENCE.read_text())["rows"], ids=lambda row: f"{row['size']} to {row['side']}"
)
def test_pictures_are_those_of_clips_own_code_bit_for_bit(row):
    assert digest(clip_image(picture(row["size"]), row["side"]).numpy()) == row["sha256"]


def test_the_cut_differs_from_transformers_by_a_pixel_where_it_says():
    """71 x 33 becomes 51 x 24: a margin of 27, of which CLIP's own code leaves 14 at the left, transformers 13."""
    file = picture((71, 33))
    whole = CLIPImageProcessorPil(size={"shortest_edge": 24}, do_center_crop=False)
    (wanted,) = whole(Image.open(io.BytesIO(file)), return_tensors="pt")["pixel_values"]
    assert wanted.shape == (3, 24, 51)
    assert torch.equal(clip_image(file, 24), wanted[:, :, 14:38])


def test_sounds_are_those_of_transformers():
    file = wav_bytes(2, seconds=0.5, rate=AST_RATE_HZ)
    sound = np.frombuffer(file[44:], dtype="<i2") / 32768
    wanted = ASTFeatureExtractor(max_length=60, num_mel_bins=128)(
        sound, sampling_rate=AST_RATE_HZ, return_tensors="pt"
    )["input_values"][0]
    assert torch.allclose(ast_sound(file, 60, 128), wanted, atol=1e-3)


def test_a_sound_of_another_rate_is_resampled():
    """The same tone, sampled at 44.1 kHz and at 16 kHz, has its loudest band in the same place."""
    bands = [ast_sound(wav_bytes(5, 1.0, rate), 50, 128)[10:].mean(0).argmax().item() for rate in (44_100, AST_RATE_HZ)]
    assert bands[0] == bands[1]


@pytest.mark.parametrize(("way", "size"), [(clip_image, (24,)), (ast_sound, (24, 16))])
def test_a_broken_file_is_an_error(way, size):
    with pytest.raises(WorkError, match="cannot be read"):
        way(b"not a file", *size)
