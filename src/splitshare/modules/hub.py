"""Published weights of the Hugging Face Hub, pinned to a commit, as weights of our modules.

A checkpoint is read by the transformers class that it belongs to, which knows the names of its time, and is then cut
into modules like any whole model; of CLIP's ResNets, which no such class reads, the file itself is (``open_clip``).
Only safetensors files are read, and no code of a repository is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import ASTConfig, ASTModel, PreTrainedModel
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from splitshare.catalog import paths
from splitshare.catalog.hub import HubFile, HubWeights
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import InputError, WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module
from splitshare.modules.cheap_weights import without_initialiser
from splitshare.modules.hub_pins import HUB_ERRORS, SAFE, Pins
from splitshare.modules.open_clip import module_state as openai_state
from splitshare.modules.whole import split_state, whole_class, whole_skeleton
from splitshare.records import nearest

PUBLISHED_FRAMES = 1024
"""Frames that the published AST has position embeddings for (Gong et al. 2021: 10.24 s of audio)."""


def published_module(catalog: Catalog, name: str, pins: Pins | None = None) -> SplitModule:
    """Build a module with its published weights, for inference.

    Args:
        catalog: where ``name`` is looked up; its data folder holds ``catalogue/hub.yaml``.
        name: the module's name.
        pins: commits found at the first use, and digests of files; without, the catalogue must name the commit, and
            digests are not looked at.

    Raises:
        InputError: the weights are not published there, their commit is not known, or they are others than at the
            first use.
        WorkError: they cannot be fetched, or are not those of this architecture.
    """
    weights = catalog.module(name).ref.weights
    path = paths.hub_file(catalog.root)
    entries = HubFile.read(path).weights
    if weights not in entries:
        raise InputError(path, f"weights.{weights}", f"is not there; {nearest(weights, list(entries))}")
    entry = entries[weights]
    if entry.revision is None and pins is None:
        raise InputError(
            path, f"weights.{weights}.revision", f"is empty; pin a commit of {entry.repository} (40 hex digits)"
        )
    state = _published_state(catalog, name, _Source(entry, pins), path)
    with without_initialiser():
        module = build_module(catalog.module(name))
    module.load_state_dict(state)
    return module


class _Source:
    """A repository at its commit."""

    def __init__(self, entry: HubWeights, pins: Pins | None) -> None:
        self.entry, self.pins = entry, pins
        self.repository = entry.repository
        with self.told():
            found = pins.revision("model", entry.repository, entry.revision) if pins is not None else entry.revision
        self.revision = str(found)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of what went wrong which weights it was."""
        try:
            yield
        except (*HUB_ERRORS, ValueError, RuntimeError, SafetensorError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            at = getattr(self, "revision", self.entry.revision)
            raise WorkError(f"weights of {self.repository}{f' at {at}' if at else ''}: {reason}") from None

    def check(self, files: Iterable[Path]) -> None:
        """Hold fetched files against their digests of the first use, where commits are kept."""
        for file in files if self.pins is not None else ():
            assert self.pins is not None
            self.pins.check(self.repository, self.entry.revision, file.name, file)


def _published_state(catalog: Catalog, name: str, source: _Source, path: Path) -> dict[str, Tensor]:
    if source.entry.layout == "openai":
        return _openai_state(catalog, name, source)
    model, role, attribute = _public_part(catalog, name, path)
    with without_initialiser():
        whole = whole_skeleton(catalog, model)
    dtype = getattr(torch, catalog.module(name).architecture.dtype)
    setattr(whole, attribute, _fetched(getattr(whole, attribute), source, dtype))
    return split_state(whole)[role]


def _openai_state(catalog: Catalog, name: str, source: _Source) -> dict[str, Tensor]:
    """A module's part of one file in OpenAI's layout."""
    role = next(r for m in catalog.models.values() for r, ref in m.modules().items() if ref.module == name)
    with source.told():
        path = hf_hub_download(source.repository, str(source.entry.file), revision=source.revision)
        source.check([Path(path)])
        published = load_file(path)
    shared = catalog.module(name)
    with torch.device("meta"):
        wanted = build_module(shared).state_dict()
    try:
        found = openai_state(published, role)
    except KeyError as error:
        raise WorkError(f"weights of {source.repository} at {source.revision}: {error.args[0]} is missing") from None
    wrong = [key for key in sorted(found.keys() | wanted.keys()) if not _alike(found.get(key), wanted.get(key))]
    if wrong:
        told = f"{wrong[0]} is missing or of another shape"
        raise WorkError(f"weights of {source.repository} at {source.revision}: {told}")
    return found


def _alike(found: Tensor | None, wanted: Tensor | None) -> bool:
    return found is not None and wanted is not None and found.shape == wanted.shape


def _public_part(catalog: Catalog, name: str, path: Path) -> tuple[Model, str, str]:
    """A model in whose whole a public class holds the module: the model, the module's role, the class's place."""
    for model in catalog.models.values():
        public = whole_class(catalog, model).public
        for role, ref in model.modules().items():
            if ref.module == name and role in public:
                return model, role, public[role]
    raise InputError(path, "", f"no public class holds {name!r}; it has no published weights")


def _fetched(skeleton: PreTrainedModel, source: _Source, dtype: torch.dtype) -> PreTrainedModel:
    """The published model of the skeleton's class and configuration."""
    config = skeleton.config
    if isinstance(skeleton, ASTModel):
        config = type(config).from_dict({**config.to_dict(), "max_length": PUBLISHED_FRAMES})
    with source.told():
        model, found = type(skeleton).from_pretrained(
            source.repository,
            config=config,
            revision=source.revision,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    if source.pins is not None:
        source.check(_cached_weights(source))
    wrong = sorted(found["missing_keys"]) + sorted(str(key) for key in found["mismatched_keys"])
    if wrong:
        raise WorkError(
            f"weights of {source.repository} at {source.revision}: {wrong[0]} is missing or of another shape"
        )
    if isinstance(model, ASTModel):
        _crop(model, skeleton.config)
    return model


def _cached_weights(source: _Source) -> list[Path]:
    """The safetensors files of a commit that were just read, in the hub's cache: one, or the parts of an index.

    Raises:
        WorkError: they are not there, so that nobody could say what was read.
    """
    for name in (SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME):
        found = try_to_load_from_cache(source.repository, name, revision=source.revision)
        if isinstance(found, str):
            return sorted(Path(found).parent.glob(f"*{SAFE}"))
    raise WorkError(f"weights of {source.repository} at {source.revision}: the hub's cache does not hold what was read")


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
