"""Operations as counted, against what can be counted by hand."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from splitshare.catalog.loader import load_catalog
from splitshare.modules.build import build_module, example_inputs
from splitshare.modules.decoder import Decoder
from splitshare.profiling.describe import describe_module
from splitshare.profiling.operations import OperationCounter


def counted(function, *inputs, device="meta"):
    with torch.no_grad(), OperationCounter() as counter:
        function(*(tensor.to(device) for tensor in inputs))
    return counter.operations


X = torch.ones(2, 4, 8, device="meta")


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (lambda x: x, 0),
        (lambda x: x.reshape(8, 8).T.unsqueeze(0)[..., 1:], 0),
        (torch.empty_like, 0),
        (lambda x: x + x, 1),
        (lambda x: (x * 2).exp(), 2),
        (lambda x: x.transpose(0, 1).contiguous(), 1),
        (lambda x: functional.layer_norm(x, (8,)), 1),
        (lambda x: x @ x.transpose(1, 2), 1),
        (lambda x: functional.scaled_dot_product_attention(x, x, x), 1),
        (lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True) + 1, 2),
        (lambda x: functional.normalize(x, dim=-1), 3),  # a norm, its floor, a quotient
    ],
)
def test_operations_of_small_functions(function, operations):
    assert counted(function, X) == operations


def test_layers_add_up():
    with torch.device("meta"):
        perceptron = nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 8))
    assert counted(perceptron, X) == 3
    assert counted(nn.Sequential(perceptron, perceptron), X) == 6


def test_what_runs_after_the_counter_is_left_is_not_counted():
    with OperationCounter() as counter:
        X + 1
    functional.scaled_dot_product_attention(X, X, X)
    assert counter.operations == 1


def test_the_profiler_agrees_on_real_tensors():
    """Torch's own profiler, over a run with real numbers, of operations that are called from nowhere else."""
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 5), nn.Softmax(1)
    )
    image = torch.ones(2, 3, 8, 8)
    with torch.no_grad(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        module(image)
    ran = [event.key for event in profile.key_averages()]
    kernels = {"aten::mkldnn_convolution", "aten::clamp_min", "aten::avg_pool2d", "aten::addmm", "aten::_softmax"}
    assert kernels <= set(ran)
    assert counted(module, image, device="cpu") == len(kernels)  # flattening starts nothing


def test_a_head_by_hand():
    """Two normalisations of three operations, an exponential, a product and a scaling."""
    work = describe_module(load_catalog().module("cosine-512@clip-vit-b16")).work
    assert {w.operations for w in work} == {9}


def test_a_batch_is_handed_over_at_once():
    shared = load_catalog().module("clip-vit-b32-vision@clip-vit-b32")
    with torch.device("meta"):
        module = build_module(shared)
    by_batch = {batch: counted(partial(module, meta(shared, module, batch))) for batch in (1, 4)}
    assert by_batch[1] == by_batch[4] == describe_module(shared, [4]).at(4).operations
    assert by_batch[1] > 12 * 10  # a block has projections, attention, a perceptron, norms and sums


def meta(shared, module, batch):
    return {role: tensor.to("meta") for role, tensor in example_inputs(shared, module, batch).items()}


def test_a_decoder_hands_over_every_pass_again():
    shared = load_catalog().module("gpt2-decoder@vit-gpt2")
    with torch.device("meta"):
        decoder = build_module(shared)
    assert isinstance(decoder, Decoder)
    inputs = meta(shared, decoder, 1)
    with torch.no_grad():
        with OperationCounter() as prefill:
            latest = decoder.prefill(inputs)
        steps = []
        for _ in range(4):
            with OperationCounter() as step:
                latest = decoder.step(latest.logits.argmax(-1), latest.cache)
            steps.append(step.operations)
    assert len(set(steps)) == 1, "a step is handed over like the one before it"
    work = describe_module(shared, [1, 2])
    assert work.at(1).operations == work.at(2).operations == prefill.operations + (decoder.new_tokens - 1) * steps[0]
    assert work.at(1).convolution_flops == 0


def test_convolutions_are_told_apart():
    catalog = load_catalog()
    resnet, vit = (catalog.module(f"{name}-vision@{name}") for name in ("clip-rn50", "clip-vit-b32"))
    one = describe_module(resnet, [1]).at(1)
    assert 0.9 * one.flops < one.convolution_flops < one.flops
    patches = 2 * 3 * 32**2 * 768 * 49  # one product of a patch with each of the 768 filters
    assert describe_module(vit, [2]).at(2).convolution_flops == 2 * patches
