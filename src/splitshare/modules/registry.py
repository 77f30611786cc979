"""The builders by name. Only names: torch is imported when something is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from splitshare.catalog.records import Architecture
from splitshare.errors import InputError
from splitshare.records import nearest

BUILDERS: Mapping[str, str] = {
    "alignment-head": "splitshare.modules.alignment_head",
    "ast-audio": "splitshare.modules.ast_audio",
    "checkpoint": "splitshare.checkpoints.split_module",
    "caption-decoder": "splitshare.modules.caption_decoder",
    "clip-resnet": "splitshare.modules.clip_resnet",
    "clip-text": "splitshare.modules.clip_text",
    "clip-vit": "splitshare.modules.clip_vit",
    "cosine-head": "splitshare.modules.cosine_head",
    "linear-head": "splitshare.modules.linear_head",
    "llava-decoder": "splitshare.modules.llava_decoder",
    "vit": "splitshare.modules.vit",
    "vqa-head": "splitshare.modules.vqa_head",
}
"""For each builder of the catalogue, the Python module whose ``build`` takes the architecture's ``params``."""


def builder_module(name: str, architecture: Architecture, source: Path) -> str:
    """The Python module that builds ``architecture``.

    Args:
        name: the architecture's name.
        architecture: its catalogue entry.
        source: file that the entry was read from, for the error.

    Raises:
        InputError: there is no such builder.
    """
    if architecture.builder not in BUILDERS:
        hint = nearest(architecture.builder, list(BUILDERS))
        field = f"architectures.{name}.builder"
        raise InputError(source, field, f"unknown builder {architecture.builder!r}; {hint}")
    return BUILDERS[architecture.builder]
