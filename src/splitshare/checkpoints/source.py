"""From what a person writes, a folder or a name on the hub, to a checkpoint: configuration, class and tensor names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import snapshot_download
from transformers import AutoConfig, PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from splitshare.checkpoints.processing import PROCESSOR_FILES, TOKENIZER_FILES
from splitshare.checkpoints.tensors import TensorRef, read_headers
from splitshare.errors import InputError, WorkError, shown
from splitshare.files import parse_json, read_text
from splitshare.modules.cheap_weights import without_initialiser
from splitshare.modules.hub_pins import HUB_ERRORS, Pins

_HUB_NAME = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(@(?P<commit>[0-9a-f]{40}))?")
_FETCHED = ["config.json", "*.safetensors", "*.safetensors.index.json", *PROCESSOR_FILES, *TOKENIZER_FILES]


@dataclass(frozen=True)
class Checkpoint:
    """A model as transformers writes it; nothing but configuration and headers is read."""

    name: str
    """As it is called in tables: the folder's name, or the hub's."""
    folder: Path
    tensors: dict[str, TensorRef]
    """By their names in transformers' class."""
    config: Any
    skeleton: PreTrainedModel
    """The whole model without storage."""
    commit: str | None = None
    """Of the hub."""

    @cached_property
    def wanted(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the class's own parameters and buffers that are kept."""
        return {name: tuple(tensor.shape) for name, tensor in self.skeleton.state_dict().items()}

    @cached_property
    def tied(self) -> dict[str, str]:
        """Names of tensors that are others, such as an output layer that is the token embedding."""
        return {str(copy): str(source) for copy, source in (self.skeleton.all_tied_weights_keys or {}).items()}

    @cached_property
    def missing(self) -> list[str]:
        """Parameters that the class wants and the files lack."""
        parameters = {name for name, _ in self.skeleton.named_parameters(remove_duplicate=False)}
        return sorted(name for name in parameters if not {name, self.tied.get(name)} & self.tensors.keys())

    @cached_property
    def extra(self) -> list[str]:
        """Tensors that the class has no place for."""
        return sorted(name for name in self.tensors if name not in self.wanted)


def quiet_library() -> None:
    """Let transformers say nothing of its own: what is wrong is told in one line, by us."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def load_checkpoint(model: str, pins: Pins | None = None) -> Checkpoint:
    """A checkpoint by a folder's path or a name on the hub (``owner/name``, or ``owner/name@commit``).

    Args:
        model: what a person wrote.
        pins: commits found at the first use, for names on the hub.

    Raises:
        InputError: it is neither, or the configuration or a file's header is wrong.
        WorkError: the hub does not give it.
    """
    folder, name, commit = _folder(model, pins)
    config = _config(folder)
    skeleton = _skeleton(folder, config)
    found = read_headers(folder)
    renamed = _renamed(skeleton, found, folder)
    checkpoint = Checkpoint(name, folder, renamed, config, skeleton, commit)
    for copy, source in checkpoint.tied.items():
        if source not in renamed and copy in renamed:  # saved under the other name
            renamed[source] = renamed.pop(copy)
    for key, shape in checkpoint.wanted.items():
        tensor = renamed.get(key)
        if tensor is not None and tensor.shape != shape:
            told = f"has the shape {list(tensor.shape)}, its configuration asks for {list(shape)}"
            raise InputError(tensor.file, tensor.name, f"{told}; the two do not belong together")
    return checkpoint


def _folder(model: str, pins: Pins | None) -> tuple[Path, str, str | None]:
    path = Path(model)
    if model and path.is_dir():
        return path, path.resolve().name, None
    named = _HUB_NAME.fullmatch(model)
    if named is None or path.exists() or pins is None:
        raise InputError(model, "", "is no folder with a model, and no name on the hub such as owner/name")
    repository = named["repository"]
    try:
        commit = pins.revision("model", repository, named["commit"])
        folder = Path(snapshot_download(repository, revision=commit, allow_patterns=_FETCHED))
    except (*HUB_ERRORS, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise WorkError(f"{repository}: {reason}") from None
    for file in sorted(folder.glob("*.safetensors")):
        pins.check(repository, named["commit"], file.name, file)
    return folder, repository, commit


def _config(folder: Path) -> Any:
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(folder, "", "has no config.json; it is no model as transformers writes it")
    described = parse_json(read_text(path), path)
    model_type = described.get("model_type") if isinstance(described, dict) else None
    if model_type not in CONFIG_MAPPING_NAMES:
        raise InputError(
            path, "model_type", f"{shown(model_type)} is not known to transformers {transformers.__version__}"
        )
    if described.get("quantization_config"):
        raise InputError(
            path, "quantization_config", "is there: quantised weights are not read; take the model before that"
        )
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # noqa: BLE001 - whatever a configuration does to its class: it is the file that is wrong
        raise InputError(path, "", next(iter(str(error).strip().splitlines()), type(error).__name__)) from None


def _skeleton(folder: Path, config: Any) -> PreTrainedModel:
    path = folder / "config.json"
    names = list(getattr(config, "architectures", None) or [])
    if len(names) != 1:
        raise InputError(path, "architectures", f"names {len(names)} classes; write the model's")
    cls = getattr(transformers, names[0], None)
    if not (isinstance(cls, type) and issubclass(cls, PreTrainedModel)):
        raise InputError(
            path, "architectures[0]", f"{names[0]!r} is no class of transformers; code of a repository is not run"
        )
    try:
        with torch.device("meta"), without_initialiser():
            skeleton: PreTrainedModel = cls(config)
    except Exception as error:  # noqa: BLE001 - as above
        raise InputError(path, "", f"{names[0]} takes it not: {error}") from None
    skeleton.eval().requires_grad_(False)
    return skeleton


def _renamed(skeleton: PreTrainedModel, tensors: dict[str, TensorRef], folder: Path) -> dict[str, TensorRef]:
    """Tensors by the names of today's class: a file may have those of its time, and the class knows how they read."""
    transforms = get_model_conversion_mapping(skeleton)
    renamings = [t for t in transforms if isinstance(t, WeightRenaming)]
    converters = [t for t in transforms if isinstance(t, WeightConverter)]
    wanted = skeleton.state_dict()
    found: dict[str, TensorRef] = {}
    for name, tensor in tensors.items():
        key, _ = rename_source_key(name, renamings, converters, skeleton.base_model_prefix, wanted)
        if key in found:
            raise InputError(folder, name, f"and {found[key].name} are both {key}; keep one")
        found[key] = tensor
    return found
