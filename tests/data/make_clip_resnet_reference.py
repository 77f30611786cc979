"""Make ``clip_resnet_reference.json`` with open_clip_torch, an implementation of CLIP's ResNet that is not ours.

open_clip_torch needs torchvision and brings another torch than ours, so it stands in an environment of its own. There,
in the repository's root: ``python -m tests.data.make_clip_resnet_reference``.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from open_clip.modified_resnet import ModifiedResNet  # type: ignore[import-not-found]

from tests.data.formula import formula_images, formula_weights

CONFIGURATION: dict[str, Any] = {"stage_blocks": [2, 1, 3, 1], "width": 16, "embedding": 24, "image_size": 96}
IMAGES = 3


def main() -> None:
    tower = ModifiedResNet(
        layers=CONFIGURATION["stage_blocks"],
        output_dim=CONFIGURATION["embedding"],
        heads=CONFIGURATION["width"] * 32 // 64,
        image_size=CONFIGURATION["image_size"],
        width=CONFIGURATION["width"],
    ).eval()
    state = tower.state_dict()
    shapes = {name: tensor.shape for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    weights = {name: torch.from_numpy(values) for name, values in formula_weights(shapes).items()}
    tower.load_state_dict(state | weights)
    with torch.inference_mode():
        outputs = tower(torch.from_numpy(formula_images(IMAGES, CONFIGURATION["image_size"])))
    reference = {
        "made_by": "tests/data/make_clip_resnet_reference.py",
        "package": "open_clip_torch",
        "class": "open_clip.modified_resnet.ModifiedResNet",
        "versions": {name: version(name) for name in ("open_clip_torch", "torch")},
        "configuration": CONFIGURATION,
        "parameters": sum(p.numel() for p in tower.parameters()),
        "outputs": [" ".join(f"{value:.6f}" for value in row) for row in outputs.tolist()],
    }
    path = Path(__file__).with_name("clip_resnet_reference.json")
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
