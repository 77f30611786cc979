import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Architecture
from splitshare.errors import InputError
from splitshare.modules.build import build_module, builder_of, derive_seed, example_inputs, output_spec
from tests.modules.small import copy_catalogue, edit, small_catalogue

with Path("data/published/timm_image_towers.csv").open(encoding="utf-8") as file:
    PUBLISHED = {row["model"]: row for row in csv.DictReader(file)}

# Parameters of the published towers: CLIP's (Radford et al. 2021, tables 19 and 20).
RESNETS = {
    "resnet50_clip": {"stage_blocks": (3, 4, 6, 3), "width": 64, "embedding": 1024},
    "resnet101_clip": {"stage_blocks": (3, 4, 23, 3), "width": 64, "embedding": 512},
    "resnet50x4_clip": {"stage_blocks": (4, 6, 10, 6), "width": 80, "embedding": 640},
    "resnet50x16_clip": {"stage_blocks": (6, 8, 18, 8), "width": 96, "embedding": 768},
    "resnet50x64_clip": {"stage_blocks": (3, 15, 36, 10), "width": 128, "embedding": 1024},
}
VITS = {
    "vit_base_patch32_clip_quickgelu_224": {"width": 768, "layers": 12, "heads": 12, "patch_size": 32},
    "vit_base_patch16_clip_quickgelu_224": {"width": 768, "layers": 12, "heads": 12, "patch_size": 16},
    "vit_large_patch14_clip_quickgelu_224": {"width": 1024, "layers": 24, "heads": 16, "patch_size": 14},
    "vit_large_patch14_clip_quickgelu_336": {"width": 1024, "layers": 24, "heads": 16, "patch_size": 14},
}
TOWERS = [("clip-resnet", name, params) for name, params in RESNETS.items()] + [
    ("clip-vit", name, params | {"embedding": 512 if params["width"] == 768 else 768}) for name, params in VITS.items()
]


@pytest.mark.parametrize(("builder", "name", "params"), TOWERS)
def test_image_towers_have_the_published_number_of_parameters(builder: str, name: str, params: dict[str, Any]):
    published = PUBLISHED[name]
    architecture = Architecture(
        builder=builder, kind="vision-encoder", params=params | {"image_size": int(published["img_size"])}
    )
    with torch.device("meta"):
        module = builder_of(name, architecture, Path("test"))(**architecture.params)
    millions = sum(p.numel() for p in module.parameters()) / 1e6
    assert millions == pytest.approx(float(published["params_millions"]), abs=0.01)


@pytest.mark.parametrize(
    ("module", "millions"),
    [
        ("clip-rn50-vision@clip-rn50", 38.32),
        ("clip-vit-b16-vision@clip-vit-b16", 86.19),
        ("clip-text-512-to-1024@clip-rn50", 63.69),
        ("clip-text-512-to-512@clip-vit-b16", 63.43),
        ("ast-audio-128x204@ast-base", 85.43),
        ("vqa-classifier@ours-vqa", (1536 * 512 + 512 + 512 * 3129 + 3129) / 1e6),
        ("alignment-512@ours-alignment", ((512 + 512 + 768) * 512 + 1) / 1e6),
    ],
)
def test_catalogue_modules_have_their_number_of_parameters(module: str, millions: float):
    with torch.device("meta"):
        built = build_module(load_catalog().module(module))
    assert sum(p.numel() for p in built.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_weights_depend_on_identity_and_seed_only(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    torch.manual_seed(1)
    first = build_module(catalog.module("clip-vit-b16-vision@clip-vit-b16")).state_dict()
    expected_next = torch.Generator().manual_seed(1)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=expected_next)), "the caller's generator is left alone"
    again = build_module(catalog.module("clip-vit-b16-vision@clip-vit-b16")).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    other = build_module(catalog.module("clip-vit-b16-vision@clip-vit-b16"), seed=1).state_dict()
    assert not torch.equal(first["tower.visual_projection.weight"], other["tower.visual_projection.weight"])
    # Two text towers of one architecture but for the projection: other weights, other values.
    texts = [
        build_module(catalog.module(name)).state_dict()["tower.text_model.embeddings.token_embedding.weight"]
        for name in ("clip-text-512-to-512@clip-vit-b16", "clip-text-512-to-1024@clip-rn50")
    ]
    assert not torch.equal(*texts)


def test_seeds_are_pinned():
    # sha256("0/a/1") by another tool, first 8 bytes, halved
    assert derive_seed(0, "a", 1) == int("699f66ceb18a8ce7", 16) >> 1


def test_every_module_runs_and_its_output_spec_tells_the_result(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    for name, shared in catalog.modules().items():
        module = build_module(catalog.module(name))
        with torch.device("meta"):
            skeleton = build_module(catalog.module(name))
        inputs = example_inputs(catalog.module(name), module, batch=3)
        with torch.inference_mode():
            output = module(inputs)
        spec = output_spec(skeleton, inputs)
        assert (tuple(output.shape), output.dtype) == (spec.shape, spec.dtype)
        assert spec.bytes == output.nbytes
        assert len(output) == 3, "the first dimension is the batch"
        assert torch.isfinite(output).all()
        assert not module.training
        if shared.architecture.kind == "head":
            items = catalog.module(name).head_items
            assert {role: len(rows) for role, rows in inputs.items()} == {r: 3 * n for r, n in items.items()}


def test_inputs_are_seeded(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    name = "clip-rn50-vision@clip-rn50"
    module = build_module(catalog.module(name))
    one, two, other = (example_inputs(catalog.module(name), module, 2, seed)["vision"] for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_bfloat16_architectures_are_built_and_fed_in_bfloat16(tmp_path: Path):
    small_catalogue(tmp_path)
    edit(tmp_path, "architectures", lambda c: c["architectures"]["clip-vit-b16-vision"].update(dtype="bfloat16"))
    catalog = load_catalog(tmp_path)
    name = "clip-vit-b16-vision@clip-vit-b16"
    module = build_module(catalog.module(name))
    inputs = example_inputs(catalog.module(name), module, 1)
    assert inputs["vision"].dtype == torch.bfloat16
    assert module(inputs).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        (lambda a: a.update(builder="clip-vti"), "builder", "'clip-vit'"),
        (lambda a: a["params"].update(wdith=3), "params.wdith", "'width'"),
        (lambda a: a["params"].update(width="768"), "params.width", "must be"),
        (lambda a: a["params"].pop("layers"), "params.layers", "is missing"),
        (lambda a: a["params"].update(heads=7), "params", "multiple"),
    ],
)
def test_a_wrong_architecture_is_told_in_one_line(tmp_path: Path, change: Any, field: str, hint: str):
    edit(copy_catalogue(tmp_path), "architectures", lambda c: change(c["architectures"]["clip-vit-b16-vision"]))
    catalog = load_catalog(tmp_path)
    with pytest.raises(InputError) as caught, torch.device("meta"):
        build_module(catalog.module("clip-vit-b16-vision@clip-vit-b16"))
    assert caught.value.source.endswith("architectures.yaml")
    assert caught.value.field == f"architectures.clip-vit-b16-vision.{field}"
    assert hint in caught.value.problem
