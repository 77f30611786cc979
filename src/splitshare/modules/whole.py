"""Whole models, as the split ones are compared with, and the way of weights between the two.

They have the same weights. ``split_state`` and ``join_state`` carry weights from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import WorkError
from splitshare.modules.build import build_module
from splitshare.modules.cheap_weights import without_initialiser
from splitshare.modules.whole_clip import (
    WholeAlignment,
    WholeClip,
    WholeClipResNet,
    WholeProbe,
    WholeProbeResNet,
    WholeVqa,
    WholeVqaResNet,
)
from splitshare.modules.whole_decoders import WholeCaption, WholeLlava
from splitshare.modules.whole_model import WholeModel

State = dict[str, Tensor]

_WHOLE: Mapping[tuple[str, ...], type[WholeModel]] = {
    ("clip-vit", "cosine-head"): WholeClip,
    ("clip-resnet", "cosine-head"): WholeClipResNet,
    ("clip-vit", "vqa-head"): WholeVqa,
    ("clip-resnet", "vqa-head"): WholeVqaResNet,
    ("clip-vit", "alignment-head"): WholeAlignment,
    ("clip-vit", "linear-head"): WholeProbe,
    ("clip-resnet", "linear-head"): WholeProbeResNet,
    ("vit", "caption-decoder"): WholeCaption,
    ("clip-vit", "llava-decoder"): WholeLlava,
}
"""Whole models by the builders of the vision encoder and the head."""


def build_whole(catalog: Catalog, model: Model, parts: Mapping[str, State] | None = None) -> WholeModel:
    """Build ``model`` in one piece.

    Args:
        catalog: the catalogue that defines its architectures.
        model: the model.
        parts: weights of its modules by role, the head's under ``head``; by default those of ``build_module``.

    Raises:
        WorkError: there is no whole model of this kind.
    """
    with without_initialiser():
        whole = whole_skeleton(catalog, model)
    if parts is None:
        parts = {role: build_module(catalog.module(ref.module)).state_dict() for role, ref in model.modules().items()}
    # Assigned, not copied: a 7B model is held once, and in the types of its modules.
    whole.load_state_dict(join_state(whole, parts), assign=True)
    lengths = catalog.module(model.head.module).answer_lengths
    if lengths is not None:
        whole.new_tokens = lengths[1]
    return whole.eval().requires_grad_(False)


def whole_class(catalog: Catalog, model: Model) -> type[WholeModel]:
    """The class that ``model`` is in one piece.

    Raises:
        WorkError: there is no whole model of this kind.
    """
    builders = {role: catalog.architectures[ref.architecture].builder for role, ref in model.modules().items()}
    if builders["head"] == "checkpoint":
        told = f"{model.name} is a checkpoint; `splitshare catalogue` holds its modules against the whole"
        raise WorkError(f"{told} before it writes them")
    kind = (builders.get("vision", "no image encoder"), builders["head"])
    if kind not in _WHOLE:
        raise WorkError(f"no whole model of {kind[0]} and {kind[1]} to compare {model.name} with")
    return _WHOLE[kind]


def whole_skeleton(catalog: Catalog, model: Model) -> WholeModel:
    """``model`` in one piece, before it gets the weights of its modules.

    Raises:
        WorkError: there is no whole model of this kind.
    """
    params = {role: catalog.architectures[ref.architecture].params for role, ref in model.modules().items()}
    return whole_class(catalog, model)(params)


def split_state(whole: WholeModel) -> dict[str, State]:
    """Slice the weights of ``whole`` into those of its modules, by role; nothing is copied.

    The head's stand under ``head``.

    Raises:
        WorkError: a weight belongs to no module, or to several.
    """
    parts: dict[str, State] = {role: {} for role in whole.prefixes}
    for key, tensor in whole.state_dict().items():
        owners = [
            (role, split_prefix + key.removeprefix(whole_prefix))
            for role, names in whole.prefixes.items()
            for split_prefix, whole_prefix in names.items()
            if key.startswith(whole_prefix)
        ]
        if len(owners) != 1:
            raise WorkError(f"weight {key} of {type(whole).__name__} belongs to {len(owners)} modules, not one")
        role, name = owners[0]
        parts[role][name] = tensor
    return parts


def join_state(whole: WholeModel, parts: Mapping[str, State]) -> State:
    """The reverse of ``split_state``: name the modules' weights as ``whole`` does.

    Raises:
        WorkError: a module has a weight for which the whole model has no place.
    """
    joined: State = {}
    for role, state in parts.items():
        for name, tensor in state.items():
            for split_prefix, whole_prefix in whole.prefixes[role].items():
                if name.startswith(split_prefix):
                    joined[whole_prefix + name.removeprefix(split_prefix)] = tensor
                    break
            else:
                raise WorkError(f"weight {name} of the {role} module has no place in {type(whole).__name__}")
    return joined
