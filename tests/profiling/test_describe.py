import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Architecture
from splitshare.commands import describe
from splitshare.modules.build import build_module, example_inputs
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.describe import describe_module
from splitshare.profiling.records import ModuleDescriptions
from tests.modules.small import edit, small_catalogue
from tests.modules.test_build import TOWERS

VISION = "clip-vit-b16-vision@clip-vit-b16"
TEXT = "clip-text-512-to-512@clip-vit-b16"

with Path("data/published/timm_image_towers.csv").open(encoding="utf-8") as file:
    PUBLISHED = {row["model"]: row for row in csv.DictReader(file)}


def pooling_of_all_places(params: dict[str, Any], image_size: int) -> float:
    """GMACs that timm's attention pooling spends on places whose output it drops.

    The published towers compute query, attention and output for every place of the last map, and keep the first.
    """
    places = (image_size // 32) ** 2
    channels = params["width"] * 32
    return float(places * channels * (channels + params["embedding"] + 2 * (places + 1)) / 1e9)


@pytest.mark.parametrize(("builder", "name", "params"), TOWERS)
def test_operations_are_the_published_ones(tmp_path: Path, builder: str, name: str, params: dict[str, Any]):
    image_size = int(PUBLISHED[name]["img_size"])
    architecture = Architecture(builder=builder, kind="vision-encoder", params=params | {"image_size": image_size})
    small_catalogue(tmp_path)
    entry = architecture.model_dump(mode="json")
    edit(tmp_path, "architectures", lambda c: c["architectures"].update({"clip-vit-b16-vision": entry}))
    work = describe_module(load_catalog(tmp_path), VISION, batches=[1]).at(1)
    gmacs = work.flops / 2e9
    if builder == "clip-resnet":
        gmacs += pooling_of_all_places(params, image_size)
    assert gmacs == pytest.approx(float(PUBLISHED[name]["gmacs"]), rel=0.01)
    assert work.input_bytes == 3 * image_size**2 * 4
    assert work.output_bytes == params["embedding"] * 4


def test_operations_of_the_text_tower_are_those_of_its_formula():
    work = describe_module(load_catalog(), TEXT, batches=[1, 3])
    layers, tokens, width = 12, 77, 512
    products = (
        12 * width**2 * tokens + 2 * tokens**2 * width
    )  # four projections, two of the MLP (each 4 w^2); attention
    assert work.at(1).flops == 2 * (layers * products + width * 512)
    assert work.at(3).flops == 3 * work.at(1).flops
    assert work.at(3).input_bytes == 3 * 77 * 4  # int32 tokens
    assert (work.embedding_parameters, work.parameters) == (49408 * 512, 63_428_096)
    assert work.parameter_bytes == 4 * work.parameters


def test_fused_attention_on_the_cpu_would_go_uncounted(tmp_path: Path):
    """Why modules are described on the meta device; if this fails, torch has learned to count it."""
    catalog = small_catalogue(tmp_path)
    module = build_module(catalog, VISION)
    inputs = example_inputs(catalog, VISION, module, 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(inputs)
    assert counter.get_total_flops() < describe_module(catalog, VISION, batches=[1]).at(1).flops


def test_the_result_that_travels_is_what_the_head_gives():
    catalog = load_catalog()
    for model in catalog.models.values():
        head = describe_module(catalog, model.head.module, batches=[1])
        assert head.at(1).output_bytes == model.result_bytes
        outputs = [
            describe_module(catalog, e.module, batches=[catalog.items(model, e)]).work[0].output_bytes
            for e in model.encoders
        ]
        assert head.at(1).input_bytes == sum(outputs), "a head takes what its encoders give"


def test_the_definition_changes_with_its_own_entry_only(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    before = {name: definition_sha256(catalog, name) for name in catalog.modules()}
    assert len(set(before.values())) == len(before)
    edit(tmp_path, "architectures", lambda c: c["architectures"]["clip-vit-b16-vision"]["params"].update(layers=3))
    edit(tmp_path, "tasks", lambda c: c["benchmarks"][7].update(classes=49))  # ESC-50, whose prompts the head takes
    edit(tmp_path, "models", lambda c: c["models"][0].update(title="Another title"))
    after = {name: definition_sha256(load_catalog(tmp_path), name) for name in before}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {VISION, "alignment-512@ours-alignment"}


def test_the_command_describes_all_modules_at_all_batches(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    describe.run(catalog_root=tmp_path, output=tmp_path / "modules.json")
    written = ModuleDescriptions.read(tmp_path / "modules.json")
    assert {m.module: tuple(w.batch for w in m.work) for m in written.modules} == {
        name: catalog.batches(name) for name in catalog.modules()
    }
    describe.run(catalog_root=tmp_path, output=tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "modules.json").read_bytes()
