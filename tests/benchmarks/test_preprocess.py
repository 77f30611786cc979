"""Held against the processors that the checkpoints come with."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import ASTFeatureExtractor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from splitshare.benchmarks.preprocess import AST_RATE_HZ, ast_sound, clip_image, vit_image
from splitshare.errors import WorkError
from tests.benchmarks.hub.datasets import image_bytes, wav_bytes


@pytest.mark.parametrize("size", [(40, 30), (33, 71), (24, 24), (10, 300)])
def test_pictures_are_those_of_transformers(size):
    file = image_bytes(3, size=size)
    picture = Image.open(io.BytesIO(file)).convert("RGB")
    clip = CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24})
    wanted = clip(picture, return_tensors="pt")["pixel_values"][0]
    assert torch.allclose(clip_image(file, 24), wanted, atol=1e-5)
    vit = ViTImageProcessorPil(size={"height": 24, "width": 24})
    assert torch.allclose(vit_image(file, 24), vit(picture, return_tensors="pt")["pixel_values"][0], atol=1e-5)


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
