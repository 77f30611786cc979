"""CLIP's ResNets in OpenAI's layout: names and shapes at true size, and what an independent implementation answers."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from splitshare.catalog.loader import load_catalog
from splitshare.modules import clip_resnet, clip_text
from splitshare.modules.build import build_module
from splitshare.modules.open_clip import module_state
from tests.data.formula import formula_images, formula_weights, shapes_digest
from tests.modules.published_names import open_clip

REFERENCE: dict[str, Any] = json.loads(Path("tests/data/open_clip_reference.json").read_text(encoding="utf-8"))
PUBLISHED = {
    "clip-rn50": ("RN50", open_clip((3, 4, 6, 3), 64, 224, 512, 1024)),
    "clip-rn101": ("RN101", open_clip((3, 4, 23, 3), 64, 224, 512, 512)),
    "clip-rn50x4": ("RN50x4", open_clip((4, 6, 10, 6), 80, 288, 640, 640)),
    "clip-rn50x16": ("RN50x16", open_clip((6, 8, 18, 8), 96, 384, 768, 768)),
    "clip-rn50x64": ("RN50x64", open_clip((3, 15, 36, 10), 128, 448, 1024, 1024)),
}


def numbers(rows: list[str]) -> Tensor:
    return torch.tensor([[float(value) for value in row.split()] for row in rows])


def test_both_towers_answer_as_the_independent_implementation():
    configuration = REFERENCE["configuration"]
    vision, text = configuration["vision_cfg"], configuration["text_cfg"]
    published = {name: torch.from_numpy(values) for name, values in formula_weights(REFERENCE["shapes"]).items()}
    resnet = clip_resnet.build(
        stage_blocks=tuple(vision["layers"]),
        width=vision["width"],
        embedding=configuration["embed_dim"],
        image_size=vision["image_size"],
    ).eval()
    tower = clip_text.build(
        width=text["width"],
        layers=text["layers"],
        heads=text["heads"],
        context=text["context_length"],
        vocabulary=text["vocab_size"],
        embedding=configuration["embed_dim"],
    ).eval()
    resnet.load_state_dict(module_state(published, "vision"))
    tower.load_state_dict(module_state(published, "text"))
    images, texts = numbers(REFERENCE["images"]), numbers(REFERENCE["texts"])
    assert min(torch.pdist(images).min(), torch.pdist(texts).min()) > 0.1, "inputs are told apart"
    with torch.inference_mode():
        found = resnet({"vision": torch.from_numpy(formula_images(len(images), vision["image_size"]))})
        said = tower({"text": torch.tensor(REFERENCE["tokens"], dtype=torch.int32)})
    torch.testing.assert_close(found, images, rtol=1e-5, atol=5e-6)
    torch.testing.assert_close(said, texts, rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_true_names_and_shapes_become_those_of_our_modules(name: str):
    """The names, written by hand, are those that the independent implementation has at true size."""
    theirs, shapes = PUBLISHED[name]
    assert shapes_digest(shapes) == REFERENCE["published_shapes_sha256"][theirs]
    catalog = load_catalog()
    with torch.device("meta"):
        published = {key: torch.empty(shape) for key, shape in shapes.items()}
        for role, ref in catalog.model(name).modules().items():
            expected = build_module(catalog.module(ref.module)).state_dict()
            found = module_state(published, role)
            assert {k: t.shape for k, t in found.items()} == {k: t.shape for k, t in expected.items()}
