import csv
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Architecture
from splitshare.modules.build import build_module, example_inputs
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.describe import describe_module
from splitshare.profiling.records import ModuleDescriptions
from splitshare.stages import describe
from tests.modules.small import edit, small_catalogue
from tests.modules.test_build import TOWERS

VISION = "clip-vit-b16-vision@clip-vit-b16"
TEXT = "clip-text-512-to-512@clip-vit-b16"
DECODERS = ["gpt2-decoder@vit-gpt2", "vicuna-7b-decoder@llava-1.5-7b"]

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
    work = describe_module(load_catalog(tmp_path).module(VISION), batches=[1]).at(1)
    gmacs = work.flops / 2e9
    if builder == "clip-resnet":
        gmacs += pooling_of_all_places(params, image_size)
    assert gmacs == pytest.approx(float(PUBLISHED[name]["gmacs"]), rel=0.01)
    assert work.input_bytes == 3 * image_size**2 * 4
    assert work.output_bytes == params["embedding"] * 4


def test_operations_of_the_text_tower_are_those_of_its_formula():
    work = describe_module(load_catalog().module(TEXT), batches=[1, 3])
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
    module = build_module(catalog.module(VISION))
    inputs = example_inputs(catalog.module(VISION), module, 1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(inputs)
    assert counter.get_total_flops() < describe_module(catalog.module(VISION), batches=[1]).at(1).flops


@pytest.mark.parametrize("name", [VISION, TEXT, "ast-audio-128x204@ast-base", "clip-rn50-vision@clip-rn50"])
def test_a_batch_of_an_encoder_multiplies_what_one_item_takes(name: str):
    shared = load_catalog().module(name)
    with torch.device("meta"):
        module = build_module(shared)
    inputs = {role: tensor.to("meta") for role, tensor in example_inputs(shared, module, 3).items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = module(inputs)
    (work,) = describe_module(shared, batches=[3]).work
    assert work.flops == counter.get_total_flops()
    assert work.input_bytes == sum(tensor.nbytes for tensor in inputs.values())
    assert work.output_bytes == output.nbytes


@pytest.mark.slow
def test_what_travels_is_what_modules_give_and_take():
    catalog = load_catalog()
    describe = cache(lambda module, batch: describe_module(catalog.module(module), [batch]).at(batch))
    for model in catalog.models.values():
        head = describe(model.head.module, 1)
        assert head.output_bytes == model.result_bytes
        sent = sum(describe(e.module, catalog.items(model, e)).sent_bytes(e.output) for e in model.encoders)
        prompt = {"llava-7b": 64 + 1, "caption-vit-gpt2": 1}.get(model.name, 0)  # LLaVA's has a placeholder too
        assert head.input_bytes == sent + 4 * prompt, "a head takes what its encoders give"


def test_patch_states_are_those_of_the_published_models():
    catalog = load_catalog()
    llava = describe_module(catalog.module("clip-vit-l14-336-vision@clip-vit-l14-336"), [1]).at(1)
    assert (llava.output_bytes, llava.patches_bytes) == (768 * 4, 24 * 24 * 1024 * 4)
    captioning = describe_module(catalog.module("vit-b16-vision@vit-gpt2"), [2]).at(2)
    assert (captioning.output_bytes, captioning.patches_bytes) == (2 * 768 * 4, 2 * (14 * 14 + 1) * 768 * 4)
    resnet = describe_module(catalog.module("clip-rn50-vision@clip-rn50"), [1]).at(1)
    with pytest.raises(ValueError, match="no patch states"):
        resnet.sent_bytes("patches")


@pytest.mark.parametrize("head", DECODERS)
def test_a_decoder_s_operations_are_those_of_all_its_passes(tmp_path: Path, head: str):
    catalog = small_catalogue(tmp_path)
    with torch.device("meta"):
        decoder = build_module(catalog.module(head))
    inputs = {role: tensor.to("meta") for role, tensor in example_inputs(catalog.module(head), decoder, 3).items()}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        answer = decoder(inputs)
    work = describe_module(catalog.module(head), batches=[3]).at(3)
    assert work.flops == counter.get_total_flops()
    assert (work.output_bytes, work.weight_passes) == (3 * 20 * 4, 20)
    assert answer.shape == (3, 20)
    assert work.prefill_flops is not None
    assert 0 < work.prefill_flops < work.flops


def test_operations_of_the_language_model_are_those_of_its_formula():
    work = describe_module(load_catalog().module("vicuna-7b-decoder@llava-1.5-7b"), batches=[1]).at(1)
    width, hidden, layers, image, tokens = 4096, 11008, 32, 576, 576 + 64

    def products(new: int, seen: int) -> int:  # four projections, three of the gated MLP, attention, one row of logits
        return layers * new * (4 * width**2 + 3 * width * hidden + 2 * width * seen) + width * 32064

    projector = image * (1024 * width + width**2)
    assert work.prefill_flops == 2 * (projector + products(tokens, tokens))
    assert work.flops - work.prefill_flops == 2 * sum(products(1, tokens + i) for i in range(1, 20))


def test_the_definition_changes_with_its_own_entry_only(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    before = {name: definition_sha256(catalog.module(name)) for name in catalog.modules()}
    assert len(set(before.values())) == len(before)
    edit(tmp_path, "architectures", lambda c: c["architectures"]["clip-vit-b16-vision"]["params"].update(layers=3))
    edit(tmp_path, "tasks", lambda c: c["benchmarks"][7].update(classes=49))  # ESC-50, whose prompts the head takes
    edit(tmp_path, "models", lambda c: c["models"][0].update(title="Another title"))
    after = {name: definition_sha256(load_catalog(tmp_path).module(name)) for name in before}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {VISION, "alignment-512@ours-alignment"}


@pytest.mark.slow
def test_the_command_describes_all_modules_at_all_batches(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    describe.run(describe.Options(catalog_root=tmp_path, output=tmp_path / "modules.json"))
    written = ModuleDescriptions.read(tmp_path / "modules.json")
    assert {m.module: tuple(w.batch for w in m.work) for m in written.modules} == {
        name: catalog.module(name).batches for name in catalog.modules()
    }
    describe.run(describe.Options(catalog_root=tmp_path, output=tmp_path / "again.json"))
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "modules.json").read_bytes()
