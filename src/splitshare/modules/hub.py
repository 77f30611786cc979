"""Published weights of the Hugging Face Hub, pinned to a commit, as weights of our modules.

A checkpoint is read by the transformers class that it belongs to, which knows the names of its time, and is then cut
into modules like any whole model. Only safetensors files are read, and no code of a repository is run.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import ASTConfig, ASTModel, PreTrainedModel

from splitshare.catalog import paths
from splitshare.catalog.hub import HubFile, HubWeights
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import InputError, WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module
from splitshare.modules.cheap_weights import without_initialiser
from splitshare.modules.whole import split_state, whole_class, whole_skeleton
from splitshare.records import nearest

PUBLISHED_FRAMES = 1024
"""Frames that the published AST has position embeddings for (Gong et al. 2021: 10.24 s of audio)."""


def published_module(catalog: Catalog, name: str) -> SplitModule:
    """Build a module with its published weights, for inference.

    Args:
        catalog: where ``name`` is looked up; its data folder holds ``catalogue/hub.yaml``.
        name: the module's name.

    Raises:
        InputError: the weights are not published there, or their commit is not pinned.
        WorkError: they cannot be fetched, or are not those of this architecture.
    """
    weights = catalog.module(name).ref.weights
    path = paths.hub_file(catalog.root)
    entries = HubFile.read(path).weights
    if weights not in entries:
        raise InputError(path, f"weights.{weights}", f"is not there; {nearest(weights, list(entries))}")
    entry = entries[weights]
    if entry.revision is None:
        raise InputError(
            path, f"weights.{weights}.revision", f"is empty; pin a commit of {entry.repository} (40 hex digits)"
        )
    state = _published_state(catalog, name, entry, path)
    with without_initialiser():
        module = build_module(catalog.module(name))
    module.load_state_dict(state)
    return module


def _published_state(catalog: Catalog, name: str, entry: HubWeights, path: Path) -> dict[str, Tensor]:
    model, role, attribute = _public_part(catalog, name, path)
    with without_initialiser():
        whole = whole_skeleton(catalog, model)
    dtype = getattr(torch, catalog.module(name).architecture.dtype)
    setattr(whole, attribute, _fetched(getattr(whole, attribute), entry, dtype))
    return split_state(whole)[role]


def _public_part(catalog: Catalog, name: str, path: Path) -> tuple[Model, str, str]:
    """A model in whose whole a public class holds the module: the model, the module's role, the class's place."""
    for model in catalog.models.values():
        public = whole_class(catalog, model).public
        for role, ref in model.modules().items():
            if ref.module == name and role in public:
                return model, role, public[role]
    raise InputError(path, "", f"no public class holds {name!r}; it has no published weights")


def _fetched(skeleton: PreTrainedModel, entry: HubWeights, dtype: torch.dtype) -> PreTrainedModel:
    """The published model of the skeleton's class and configuration."""
    config = skeleton.config
    if isinstance(skeleton, ASTModel):
        config = type(config).from_dict({**config.to_dict(), "max_length": PUBLISHED_FRAMES})
    try:
        model, found = type(skeleton).from_pretrained(
            entry.repository,
            config=config,
            revision=entry.revision,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WorkError(f"weights of {entry.repository} at {entry.revision}: {reason}") from None
    wrong = sorted(found["missing_keys"]) + sorted(str(key) for key in found["mismatched_keys"])
    if wrong:
        raise WorkError(f"weights of {entry.repository} at {entry.revision}: {wrong[0]} is missing or of another shape")
    if isinstance(model, ASTModel):
        _crop(model, skeleton.config)
    return model


def _crop(model: ASTModel, wanted: ASTConfig) -> None:
    """Keep the middle of the position embeddings in time, as AST's authors do for shorter audio."""
    embeddings = model.embeddings
    rows, columns = embeddings.get_shape(model.config)
    kept_rows, kept = embeddings.get_shape(wanted)
    if rows != kept_rows:
        raise WorkError(f"the published weights are for {model.config.num_mel_bins} mel bins; keep as many")
    positions = embeddings.position_embeddings
    start = columns // 2 - kept // 2
    grid = positions[:, 2:].unflatten(1, (rows, columns))[:, :, start : start + kept]
    embeddings.position_embeddings = nn.Parameter(torch.cat([positions[:, :2], grid.flatten(1, 2)], dim=1))
