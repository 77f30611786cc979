from pathlib import Path
from typing import Any

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError
from tests.modules.small import copy_catalogue, edit

VISION = "clip-vit-b16-vision@clip-vit-b16"
TEXT = "clip-text-512-to-512@clip-vit-b16"


def test_three_models_on_one_backbone_share_two_encoders_and_nothing_else():
    catalog = load_catalog()
    modules = catalog.modules(["clip-vit-b16", "vqa-vit-b16", "align-vit-b16"])
    assert {name: module.users for name, module in modules.items()} == {
        VISION: ("clip-vit-b16", "vqa-vit-b16", "align-vit-b16"),
        TEXT: ("clip-vit-b16", "vqa-vit-b16", "align-vit-b16"),
        "cosine-512@clip-vit-b16": ("clip-vit-b16",),
        "vqa-classifier@ours-vqa": ("vqa-vit-b16",),
        "ast-audio-128x204@ast-base": ("align-vit-b16",),
        "alignment-512@ours-alignment": ("align-vit-b16",),
    }
    assert list(modules)[:3] == [VISION, TEXT, "cosine-512@clip-vit-b16"], "order of first use"


def test_equal_architecture_with_other_weights_is_not_shared(tmp_path: Path):
    def retrain(content: Any) -> None:
        vqa = next(model for model in content["models"] if model["name"] == "vqa-vit-b16")
        vqa["encoders"][0]["weights"] = "finetuned"

    edit(copy_catalogue(tmp_path), "models", retrain)
    modules = load_catalog(tmp_path).modules(["clip-vit-b16", "vqa-vit-b16"])
    assert {name for name, module in modules.items() if len(module.users) > 1} == {TEXT}


def test_batches_are_the_fixed_ones_and_what_requests_ask_for():
    catalog = load_catalog()
    assert catalog.module(TEXT).batches == (1, 2, 4, 8, 50, 101)  # Food-101's and ESC-50's prompts
    assert catalog.module(VISION).batches == (1, 2, 4, 8)
    assert catalog.module("alignment-512@ours-alignment").batches == (1, 2, 4, 8)


def test_heads_know_how_many_items_a_request_brings():
    catalog = load_catalog()
    assert catalog.module("cosine-512@clip-vit-b16").head_items == {"vision": 1, "text": 101}
    assert catalog.module("vqa-classifier@ours-vqa").head_items == {"vision": 1, "text": 1}
    assert catalog.module("alignment-512@ours-alignment").head_items == {"vision": 1, "text": 50, "audio": 1}
    assert catalog.module(VISION).head_items == {}


def test_the_catalogue_is_the_published_scope():
    catalog = load_catalog()
    assert {m.number: m.name for m in catalog.models.values()} == {
        1: "clip-rn50",
        2: "clip-rn101",
        3: "clip-rn50x4",
        4: "clip-rn50x16",
        5: "clip-rn50x64",
        6: "clip-vit-b32",
        7: "clip-vit-b16",
        8: "clip-vit-l14",
        9: "clip-vit-l14-336",
        10: "vqa-vit-b16",
        11: "llava-7b",
        12: "align-vit-b16",
        13: "caption-vit-gpt2",
        14: "probe-vit-b16",
    }
    assert {m.task for m in catalog.models.values()} == set(catalog.tasks)
    assert len(catalog.tasks) == 5
    assert {b for m in catalog.models.values() for b in m.benchmarks} == set(catalog.benchmarks)
    assert len(catalog.benchmarks) == 10


def test_only_vision_towers_of_vit_b16_and_l14_at_336_serve_several_models():
    """The text towers of RN101, B/32 and B/16 have one architecture, and weights of their own."""
    shared = {name: module.users for name, module in load_catalog().modules().items() if len(module.users) > 1}
    assert shared == {
        VISION: ("clip-vit-b16", "vqa-vit-b16", "align-vit-b16", "probe-vit-b16"),
        TEXT: ("clip-vit-b16", "vqa-vit-b16", "align-vit-b16"),
        "clip-vit-l14-336-vision@clip-vit-l14-336": ("clip-vit-l14-336", "llava-7b"),
    }


def test_decoders_know_the_lengths_of_their_requests():
    catalog = load_catalog()
    assert catalog.module("vicuna-7b-decoder@llava-1.5-7b").answer_lengths == (64, 20)
    assert catalog.module("gpt2-decoder@vit-gpt2").answer_lengths == (1, 20)
    assert catalog.module("cosine-512@clip-vit-b16").answer_lengths is None
    assert catalog.module(VISION).answer_lengths is None


def test_inputs_arrive_in_the_senders_type():
    catalog = load_catalog()
    assert catalog.architectures["vicuna-7b-decoder"].dtype == "bfloat16"
    assert catalog.module("vicuna-7b-decoder@llava-1.5-7b").input_dtypes == {"vision": "float32"}
    assert catalog.module(VISION).input_dtypes == {"vision": "float32"}


@pytest.mark.parametrize(
    ("file", "change", "field", "hint"),
    [
        ("tasks", lambda c: c["benchmarks"][0].update(task="retrieval"), "benchmarks[0].task", "image-text-retrieval"),
        ("tasks", lambda c: c["tasks"].append(c["tasks"][0]), "tasks[5].name", "tasks[0]"),
        ("models", lambda c: c["models"][1].update(number=1), "models[1].number", "models[0]"),
        ("models", lambda c: c["models"][1].update(name="clip-rn50"), "models[1].name", "models[0]"),
        ("models", lambda c: c["models"][0].update(task="chess"), "models[0].task", "unknown task"),
        ("models", lambda c: c["models"][0].update(benchmark="food101"), "models[0].benchmark", "'food-101'"),
        ("models", lambda c: c["models"][0].update(benchmark="vqav2"), "models[0].benchmark", "judges"),
        (
            "models",
            lambda c: c["models"][9]["encoders"][1].update(items="classes"),
            "models[9].encoders[1].items",
            "no `classes`",
        ),
        (
            "models",
            lambda c: c["models"][0]["encoders"][0].update(architecture="clip-rn51-vision"),
            "models[0].encoders[0].architecture",
            "'clip-rn50-vision'",
        ),
        (
            "models",
            lambda c: c["models"][0]["encoders"][0].update(role="audio"),
            "models[0].encoders[0].architecture",
            "vision-encoder",
        ),
        (
            "models",
            lambda c: c["models"][0]["encoders"][1].update(role="vision"),
            "models[0].encoders[1].role",
            "encoders[0]",
        ),
        (
            "models",
            lambda c: c["models"][0]["head"].update(architecture="clip-rn50-vision"),
            "models[0].head.architecture",
            "head or a decoder",
        ),
        (
            "models",
            lambda c: c["models"][9].update(head=c["models"][6]["head"]),
            "models[9].head",
            "weights of its own",
        ),
        (
            "models",
            lambda c: c["models"][11].update(
                encoders=c["models"][10]["encoders"], head=c["models"][10]["head"] | {"new_tokens": 5}
            ),
            "models[11].head",
            "weights of its own",
        ),
        ("models", lambda c: c["models"][10]["head"].pop("new_tokens"), "models[10].head.new_tokens", "is missing"),
        (
            "models",
            lambda c: c["models"][0]["head"].update(prompt_tokens=5),
            "models[0].head.prompt_tokens",
            "for decoders",
        ),
        (
            "models",
            lambda c: c["models"][0].update(other_benchmarks=["cifar-10", "food-101"]),
            "models[0].other_benchmarks[1]",
            "already",
        ),
        (
            "models",
            lambda c: c["models"][0].update(other_benchmarks=["textvqa"]),
            "models[0].other_benchmarks[0]",
            "judges",
        ),
        ("models", lambda c: c["models"][0].update(benchmrak="x"), "models[0].benchmrak", "'benchmark'"),
        ("workloads", lambda c: c["workloads"][0].update(models=["clip-rn5"]), "workloads[0].models[0]", "clip-rn50"),
        (
            "workloads",
            lambda c: c["workloads"][0].update(models=["clip-rn50", "clip-rn50"]),
            "workloads[0].models[1]",
            "keep one",
        ),
        ("workloads", lambda c: c["workloads"][1].update(name="clip-rn50"), "workloads[1].name", "workloads[0]"),
    ],
)
def test_mistakes_are_told_with_file_and_field(tmp_path: Path, file: str, change: Any, field: str, hint: str):
    edit(copy_catalogue(tmp_path), file, change)
    with pytest.raises(InputError) as caught:
        load_catalog(tmp_path)
    assert caught.value.source == str(tmp_path / "catalogue" / f"{file}.yaml")
    assert caught.value.field == field
    assert hint in caught.value.problem


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"tasks\.yaml: no such file"):
        load_catalog(tmp_path)


def test_unknown_names_are_told_with_the_nearest():
    catalog = load_catalog()
    with pytest.raises(InputError, match="clip-vit-b16"):
        catalog.model("clip-vit-b17")
    with pytest.raises(InputError, match="retrieval-vqa"):
        catalog.workload("retrieval-vqq")
    with pytest.raises(InputError, match=TEXT):
        catalog.module(TEXT + "x")
