from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.errors import WorkError
from splitshare.modules.build import build_module, encode, example_inputs
from splitshare.modules.decoder import Decoder
from splitshare.modules.equivalence import compare
from splitshare.modules.whole import build_whole, join_state, split_state
from tests.modules.small import edit, small_catalogue

MODELS = list(load_catalog().models)
KINDS = ["clip-rn50", "clip-vit-b16", "vqa-vit-b16", "llava-7b", "align-vit-b16", "caption-vit-gpt2", "probe-vit-b16"]
"""A model of every kind of whole model."""


def sent(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What arrives of ``tensors`` at the other end of a connection."""
    return load(save({role: tensor.clone().contiguous() for role, tensor in tensors.items()}))


def answers(catalog: Catalog, name: str, requests: int, scramble: bool) -> tuple[Tensor, Tensor]:
    """The whole model's and the split model's answers, the split ones computed from serialised tensors.

    With ``scramble`` every weight is random, so that none that initialisation leaves at 0 or 1 can be mistaken.
    """
    model = catalog.model(name)
    whole = build_whole(catalog, model)
    if scramble:
        generator = torch.Generator().manual_seed(7)
        for key, tensor in whole.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.5 + ("var" in key))
    parts = split_state(whole)
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}
    with torch.inference_mode():
        for encoder in model.encoders:
            module = build_module(catalog.module(encoder.module))
            if scramble:
                module.load_state_dict(sent(parts[encoder.role]))
            batch = requests * catalog.items(model, encoder)
            inputs |= example_inputs(catalog.module(encoder.module), module, batch)
            arrived = sent({encoder.role: inputs[encoder.role]})
            outputs |= sent({encoder.role: encode(module, arrived, encoder.output)})
        head = build_module(catalog.module(model.head.module))
        if isinstance(head, Decoder):
            inputs["prompt"] = example_inputs(catalog.module(model.head.module), head, requests)["prompt"]
            outputs |= sent({"prompt": inputs["prompt"]})
        if scramble:
            head.load_state_dict(sent(parts["head"]))
        return whole(inputs), sent({"answer": head.scores(outputs)})["answer"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("scramble", [True, False], ids=["random-weights", "initial-weights"])
def test_split_model_answers_as_the_whole_one(tmp_path: Path, name: str, scramble: bool):
    whole, split = answers(small_catalogue(tmp_path), name, requests=3, scramble=scramble)
    assert whole.shape == split.shape
    assert whole.std() > 0
    torch.testing.assert_close(split, whole, rtol=1e-5, atol=1e-5)
    if name == "vqa-vit-b16":  # the same operations in the same order; the others' similarities are computed otherwise
        assert torch.equal(split, whole)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_split_model_answers_as_the_whole_one_at_true_size(name: str):
    """All at true width; the 7B decoder with two of its 32 layers, since two copies of it do not fit."""
    catalog = load_catalog()
    found = compare(catalog, catalog.model(name))
    assert found.agrees
    assert found.largest_answer > 0
    expected = "vicuna-7b-decoder with 2 of 32 layers, in float32" if name == "llava-7b" else ""
    assert found.reduced == expected


@pytest.mark.parametrize("name", KINDS)
def test_weights_survive_splitting_and_joining(tmp_path: Path, name: str):
    catalog = small_catalogue(tmp_path)
    model = catalog.model(name)
    whole = build_whole(catalog, model)
    parts = split_state(whole)
    joined = join_state(whole, parts)
    assert joined.keys() == whole.state_dict().keys()
    assert all(torch.equal(joined[key], tensor) for key, tensor in whole.state_dict().items())
    for role, ref in [*((e.role, e) for e in model.encoders), ("head", model.head)]:
        expected = build_module(catalog.module(ref.module)).state_dict()
        assert parts[role].keys() == expected.keys()
        assert all(torch.equal(parts[role][key], tensor) for key, tensor in expected.items())


def test_a_model_of_two_types_is_one_in_one_piece_too(tmp_path: Path):
    """As LLaVA: its tower in float32, its language model in bfloat16; the same answers, and no second copy."""
    small_catalogue(tmp_path)

    def halved(content):
        content["architectures"]["vicuna-7b-decoder"]["dtype"] = "bfloat16"

    edit(tmp_path, "architectures", halved)
    catalog = load_catalog(tmp_path)
    model = catalog.model("llava-7b")
    parts = {role: build_module(catalog.module(ref.module)) for role, ref in model.modules().items()}
    whole = build_whole(catalog, model, {role: module.state_dict() for role, module in parts.items()})
    pointers = {tensor.data_ptr() for module in parts.values() for tensor in module.state_dict().values()}
    assert {tensor.data_ptr() for tensor in whole.state_dict().values()} <= pointers
    assert {str(tensor.dtype) for tensor in whole.state_dict().values()} == {"torch.float32", "torch.bfloat16"}
    with torch.inference_mode():
        (encoder,) = model.encoders
        inputs = example_inputs(catalog.module(encoder.module), parts["vision"], 3)
        prompt = example_inputs(catalog.module(model.head.module), parts["head"], 3)["prompt"]
        sent_states = encode(parts["vision"], inputs, encoder.output)
        split = parts["head"].scores({"vision": sent_states, "prompt": prompt})
        assert torch.equal(whole(inputs | {"prompt": prompt}), split)


def test_a_weight_without_an_owner_is_refused(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    whole = build_whole(catalog, catalog.model("vqa-vit-b16"))
    parts = split_state(whole)
    parts["head"]["stray"] = torch.zeros(1)
    with pytest.raises(WorkError, match="stray of the head"):
        join_state(whole, parts)
    whole.register_parameter("orphan", torch.nn.Parameter(torch.zeros(1)))
    with pytest.raises(WorkError, match="orphan of WholeVqa belongs to 0 modules"):
        split_state(whole)


def test_a_pair_without_a_whole_model_is_told(tmp_path: Path):
    small_catalogue(tmp_path)
    head = {"architecture": "alignment-512", "weights": "x"}
    edit(tmp_path, "models", lambda c: c["models"][0].update(head=head))
    catalog = load_catalog(tmp_path)
    with pytest.raises(WorkError, match="clip-resnet and alignment-head"):
        build_whole(catalog, catalog.model("clip-rn50"))
