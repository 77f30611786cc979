"""Embeddings of class prompts: computed once for each text tower, class names and templates, kept by digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from safetensors.torch import load_file, save_file
from torch import Tensor

from splitshare.benchmarks.words import Words
from splitshare.files import atomic_path, sha256_bytes

PROMPTS_PER_BATCH = 64

Embed = Callable[[Tensor], Tensor]
"""Token ids (prompts, context) to embeddings (prompts, width)."""


def prompt_texts(class_names: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """Sentences of each class; underscores of class names become spaces, as in CLIP's own lists of names."""
    return [[template.format(name.replace("_", " ").strip()) for template in templates] for name in class_names]


def class_embeddings(
    class_names: Sequence[str],
    templates: Sequence[str],
    *,
    words: Words,
    context: int,
    embed: Embed,
    identity: str,
    cache: Path,
) -> Tensor:
    """One embedding a class, shape (classes, width): the mean over templates of the unit vectors (CLIP, section 3.1.4).

    Args:
        class_names: in the order of labels.
        templates: sentences with ``{}`` for the name.
        words: the tower's tokeniser.
        context: tokens that the tower takes.
        embed: the tower.
        identity: what the tower is; with texts and tokens it makes the digest under which embeddings are kept.
        cache: directory of kept embeddings.
    """
    sentences = prompt_texts(class_names, templates)
    tokens = words.padded([sentence for of_class in sentences for sentence in of_class], context)
    digest = sha256_bytes(json.dumps([identity, sentences, tokens.tolist()], ensure_ascii=False).encode())
    path = cache / f"{digest}.safetensors"
    if path.is_file():
        return load_file(path)["embeddings"]
    with torch.inference_mode():
        rows = torch.cat([embed(batch) for batch in torch.split(tokens, PROMPTS_PER_BATCH)]).float()
    units = F.normalize(rows, dim=-1).reshape(len(sentences), len(templates), -1)
    embeddings = F.normalize(units.mean(dim=1), dim=-1).contiguous()
    with atomic_path(path) as temporary:
        save_file({"embeddings": embeddings}, temporary)
    return embeddings
