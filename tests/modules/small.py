"""The real catalogue with every architecture made small: same models, same sharing, same builders."""

from pathlib import Path
from typing import Any

import yaml

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.places import DATA

SMALL_PARAMS: dict[str, dict[str, Any]] = {
    "clip-resnet": {"stage_blocks": [2, 1, 1, 1], "width": 16, "embedding": 16, "image_size": 64},
    "clip-vit": {"width": 32, "layers": 2, "heads": 2, "patch_size": 8, "image_size": 24, "embedding": 16},
    "clip-text": {"width": 32, "layers": 2, "heads": 2, "context": 12, "vocabulary": 50, "embedding": 16},
    "ast-audio": {
        "width": 32,
        "layers": 2,
        "heads": 2,
        "mel_bins": 16,
        "frames": 24,
        "patch_size": 8,
        "stride": 5,
    },
    "vit": {"width": 32, "layers": 2, "heads": 2, "patch_size": 8, "image_size": 24},
    "cosine-head": {"embedding": 16},
    "linear-head": {"embedding": 16, "classes": 5},
    "caption-decoder": {
        "width": 32,
        "layers": 2,
        "heads": 2,
        "context": 40,
        "vocabulary": 60,
        "image_tokens": 10,
        "image_width": 32,
    },
    "llava-decoder": {
        "width": 48,
        "hidden": 80,
        "layers": 2,
        "heads": 4,
        "context": 128,
        "vocabulary": 70,
        "image_tokens": 9,
        "image_width": 32,
        "image_token": 64,
    },
    "vqa-head": {"embedding": 16, "hidden": 20, "answers": 30},
    "alignment-head": {
        "vision_embedding": 16,
        "text_embedding": 16,
        "audio_embedding": 32,
        "joint_embedding": 12,
    },
}

OF_WIDER_EMBEDDING = {
    "clip-rn50-vision",
    "clip-rn50x64-vision",
    "clip-text-512-to-1024",
    "clip-text-1024-to-1024",
    "cosine-1024",
}
"""Architectures of the models whose joint embedding is 1024 wide, so that a mixed-up tower is noticed."""


def copy_catalogue(root: Path) -> Path:
    """Copy the real catalogue under ``root``, to be changed there."""
    (root / "catalogue").mkdir(parents=True)
    for file in (DATA / "catalogue").glob("*.yaml"):
        (root / "catalogue" / file.name).write_text(file.read_text())
    return root


def edit(root: Path, name: str, change: Any) -> None:
    """Apply ``change`` to the parsed content of a catalogue file."""
    path = root / "catalogue" / f"{name}.yaml"
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def shrink(content: dict[str, Any]) -> None:
    """Make all architectures of a catalogue file small."""
    for name, architecture in content["architectures"].items():
        architecture["params"] = dict(SMALL_PARAMS[architecture["builder"]])
        architecture.pop("dtype", None)  # all in float32, in which answers can be held against each other closely
        if name in OF_WIDER_EMBEDDING:
            architecture["params"]["embedding"] = 24


def small_catalogue(root: Path) -> Catalog:
    """Write the small catalogue under ``root`` and load it."""
    edit(copy_catalogue(root), "architectures", shrink)
    return load_catalog(root)
