"""Weights of CLIP in OpenAI's layout, which open_clip and timm publish, as weights of our modules.

Both towers lie in one file: the vision tower below ``visual.``, the text tower beside it with the three projections of
an attention in one matrix and the last projection transposed. The vision names of a ResNet are ours already.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_VISION = "visual."
_LAYER = "transformer.resblocks."
_OURS = "tower.text_model."
_LAYER_NAMES = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_TEXT_NAMES = {
    "token_embedding.weight": f"{_OURS}embeddings.token_embedding.weight",
    "positional_embedding": f"{_OURS}embeddings.position_embedding.weight",
    "ln_final.weight": f"{_OURS}final_layer_norm.weight",
    "ln_final.bias": f"{_OURS}final_layer_norm.bias",
}


def module_state(published: Mapping[str, Tensor], role: str) -> dict[str, Tensor]:
    """The weights of a module among those of a whole CLIP with a ResNet.

    Args:
        published: all weights of the file.
        role: ``vision``, ``text`` or ``head``.

    Raises:
        KeyError: the file has no such weight.
    """
    if role == "vision":
        own = {key.removeprefix(_VISION): tensor for key, tensor in published.items() if key.startswith(_VISION)}
        # How many batches a normalisation was trained on: some files leave it out, and nothing reads it.
        means = [key for key in own if key.endswith("running_mean")]
        counts = {key.replace("running_mean", "num_batches_tracked"): torch.tensor(0) for key in means}
        return counts | own
    if role == "head":
        return {"logit_scale": published["logit_scale"]}
    state = {ours: published[theirs] for theirs, ours in _TEXT_NAMES.items()}
    state["tower.text_projection.weight"] = published["text_projection"].T.contiguous()
    for key, tensor in published.items():
        if key.startswith(_LAYER):
            number, name = key.removeprefix(_LAYER).split(".", 1)
            state |= _in_layer(f"{_OURS}encoder.layers.{number}.", name, tensor)
    return state


def _in_layer(prefix: str, name: str, tensor: Tensor) -> dict[str, Tensor]:
    part, kind = name.replace("in_proj_", "in_proj.").rsplit(".", 1)
    if part == "attn.in_proj":
        return {
            f"{prefix}self_attn.{projection}.{kind}": piece.contiguous()
            for projection, piece in zip(("q_proj", "k_proj", "v_proj"), tensor.chunk(3), strict=True)
        }
    return {f"{prefix}{_LAYER_NAMES[part]}.{kind}": tensor}
