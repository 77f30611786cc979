"""The catalogue's models by the same road as anybody's: their classes at true size, cut by their families' files."""

from pathlib import Path
from typing import Any

import pytest
import torch

from splitshare.catalog.loader import load_catalog
from splitshare.checkpoints.cut import cut
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.source import Checkpoint
from splitshare.checkpoints.tensors import TensorRef
from splitshare.modules.build import build_module
from splitshare.modules.whole import whole_skeleton
from splitshare.places import DATA

CATALOG = load_catalog(DATA)
FAMILIES = load_families(DATA)
# Our modules by role, each with the road's modules that it is made of; our towers have their projections.
TOWERS = {"vision": ("vision", "vision-projection"), "text": ("text", "text-projection"), "head": ("head",)}
MODELS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "clip-vit-b32": ("clip", TOWERS),
    "clip-vit-b16": ("clip", TOWERS),
    "clip-vit-l14": ("clip", TOWERS),
    "clip-vit-l14-336": ("clip", TOWERS),
    "caption-vit-gpt2": ("model", {"vision": ("vision",), "head": ("decoder", "projector")}),
    "llava-7b": ("llava", {"head": ("decoder", "projector")}),
    "align-vit-b16": ("audio", {"audio": ("audio",)}),
}
"""CLIP's ResNets are no models of transformers, and heads of ours are no checkpoints."""


def at_true_size(name: str, attribute: str) -> Checkpoint:
    """The published class, with references to tensors that are not there."""
    with torch.device("meta"):
        skeleton: Any = getattr(whole_skeleton(CATALOG, CATALOG.model(name)), attribute)
    tied = set(skeleton.all_tied_weights_keys or {})
    tensors = {
        key: TensorRef(key, "F32", tuple(tensor.shape), Path("nowhere"), 0, 4 * tensor.numel())
        for key, tensor in skeleton.state_dict().items()
        if key not in tied
    }
    return Checkpoint(name, Path("nowhere"), tensors, skeleton.config, skeleton)


@pytest.mark.parametrize("name", MODELS)
def test_catalogue_and_road_agree_to_the_parameter(name):
    attribute, roles = MODELS[name]
    found = {module.name: module for module in cut(at_true_size(name, attribute), FAMILIES).modules}
    modules = CATALOG.model(name).modules()
    for role, parts in roles.items():
        with torch.device("meta"):
            ours = build_module(CATALOG.module(modules[role].module))
        assert sum(p.numel() for p in ours.parameters()) == sum(found[p].parameters for p in parts if p in found), role
    covered = {part for parts in roles.values() for part in parts}
    rest = set(found) - covered
    assert rest <= {"vision"}, "all else is a module of the catalogue"


def test_llavas_tower_is_clips_at_true_size():
    """Names inside the module and shapes: what digests are compared by."""
    clip = {m.name: m for m in cut(at_true_size("clip-vit-l14-336", "clip"), FAMILIES).modules}["vision"]
    llava = {m.name: m for m in cut(at_true_size("llava-7b", "llava"), FAMILIES).modules}["vision"]
    assert {n: t.shape for n, t in clip.tensors.items()} == {n: t.shape for n, t in llava.tensors.items()}
    assert len(clip.tensors) > 300
