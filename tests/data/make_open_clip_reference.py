"""Make ``open_clip_reference.json`` with open_clip_torch: a whole CLIP with a ResNet that is not ours.

It holds what both towers of a small one answer, with weights from a formula, and digests of the names and shapes of the
five published ones at true size. open_clip_torch needs torchvision and brings another torch than ours, so it stands in
an environment of its own. There, in the repository's root: ``python -m tests.data.make_open_clip_reference``.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import open_clip  # type: ignore[import-not-found]
import torch
from open_clip.model import CLIP  # type: ignore[import-not-found]

from tests.data.formula import formula_images, formula_weights, shapes_digest

CONFIGURATION: dict[str, Any] = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 64, "layers": [2, 1, 1, 1], "width": 16, "patch_size": None},
    "text_cfg": {"context_length": 12, "vocab_size": 50, "width": 64, "heads": 1, "layers": 2},
    "quick_gelu": True,
}
TOKENS = [[48, 3, 7, 9, 49, 0, 0, 0, 0, 0, 0, 0], [48, 11, 5, 49, 0, 0, 0, 0, 0, 0, 0, 0], [48, *range(20, 30), 49]]
MODELS = ("RN50", "RN101", "RN50x4", "RN50x16", "RN50x64")


def main() -> None:
    model = CLIP(**CONFIGURATION).eval()
    state = model.state_dict()
    shapes = {
        name: tensor.shape for name, tensor in state.items() if tensor.ndim and not name.endswith("num_batches_tracked")
    }
    weights = {name: torch.from_numpy(values) for name, values in formula_weights(shapes).items()}
    model.load_state_dict(state | weights)
    with torch.inference_mode():
        images = model.encode_image(torch.from_numpy(formula_images(3, CONFIGURATION["vision_cfg"]["image_size"])))
        texts = model.encode_text(torch.tensor(TOKENS))
    reference = {
        "made_by": "tests/data/make_open_clip_reference.py",
        "package": "open_clip_torch",
        "class": "open_clip.model.CLIP",
        "versions": {name: version(name) for name in ("open_clip_torch", "torch")},
        "configuration": CONFIGURATION,
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "tokens": TOKENS,
        "images": [" ".join(f"{value:.6f}" for value in row) for row in images.tolist()],
        "texts": [" ".join(f"{value:.6f}" for value in row) for row in texts.tolist()],
        "published_shapes_sha256": {name: _digest(name) for name in MODELS},
    }
    path = Path(__file__).with_name("open_clip_reference.json")
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


def _digest(name: str) -> str:
    config = open_clip.get_model_config(f"{name}-quickgelu")
    with torch.device("meta"):
        model = CLIP(**{key: config[key] for key in CONFIGURATION})
    return shapes_digest({key: tensor.shape for key, tensor in model.state_dict().items()})


if __name__ == "__main__":
    main()
