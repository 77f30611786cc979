import json
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from splitshare.modules.clip_resnet import AttentionPool, Bottleneck, ClipResNet
from tests.data.formula import formula_images, formula_weights

REFERENCE = json.loads(Path("tests/data/clip_resnet_reference.json").read_text(encoding="utf-8"))


def test_the_tower_gives_what_an_independent_public_implementation_gave():
    tower = ClipResNet(**REFERENCE["configuration"]).eval()
    assert sum(p.numel() for p in tower.parameters()) == REFERENCE["parameters"]
    shapes = {name: t.shape for name, t in tower.state_dict().items() if not name.endswith("num_batches_tracked")}
    weights = {name: torch.from_numpy(values) for name, values in formula_weights(shapes).items()}
    tower.load_state_dict(tower.state_dict() | weights)
    expected = torch.tensor([[float(value) for value in row.split()] for row in REFERENCE["outputs"]])
    images = torch.from_numpy(formula_images(len(expected), REFERENCE["configuration"]["image_size"]))
    with torch.inference_mode():
        found = tower({"vision": images})
    assert torch.pdist(expected).min() > 0.1, "the images are told apart"
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=5e-6)


def test_attention_pool_equals_torchs_multi_head_attention():
    torch.manual_seed(0)
    pool = AttentionPool(side=3, channels=64, heads=4, embedding=10).eval()
    x = torch.randn(2, 64, 3, 3)
    attention = nn.MultiheadAttention(64, 4, batch_first=True).eval()
    projections = (pool.q_proj, pool.k_proj, pool.v_proj)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([p.weight for p in projections]))
        attention.in_proj_bias.copy_(torch.cat([p.bias for p in projections]))
        attention.out_proj.load_state_dict({"weight": torch.eye(64), "bias": torch.zeros(64)})
        places = x.flatten(2).permute(0, 2, 1)
        tokens = torch.cat([places.mean(1, keepdim=True), places], 1) + pool.positional_embedding
        pooled, _ = attention(tokens, tokens, tokens, need_weights=False)
        expected = pool.c_proj(pooled[:, 0])
        torch.testing.assert_close(pool(x), expected)


def test_a_strided_block_pools_instead_of_striding():
    """Anti-aliasing: shifting the image by one pixel inside a pooled pair must not lose it, as a stride would."""
    torch.manual_seed(0)
    block = Bottleneck(8, 4, stride=2).eval()
    assert all(m.stride == (1, 1) for m in block.modules() if isinstance(m, nn.Conv2d))
    x = torch.randn(1, 8, 6, 6)
    assert block.downsample is not None
    with torch.no_grad():
        shortcut = block.downsample[1:](F.avg_pool2d(x, 2))
        inner = F.relu(block.bn2(block.conv2(F.relu(block.bn1(block.conv1(x))))))
        expected = F.relu(block.bn3(block.conv3(F.avg_pool2d(inner, 2))) + shortcut)
        torch.testing.assert_close(block(x), expected)
    assert expected.shape == (1, 16, 3, 3)


def test_a_block_of_equal_shapes_has_a_plain_shortcut():
    block = Bottleneck(16, 4, stride=1).eval()
    nn.init.zeros_(block.bn3.weight)
    x = torch.randn(1, 16, 5, 5)
    with torch.no_grad():
        torch.testing.assert_close(block(x), F.relu(x))


def test_weights_have_the_published_names():
    with torch.device("meta"):
        keys = set(ClipResNet((1, 1, 1, 1), 64, 32, 64).state_dict())
    # A sample of the names in OpenAI's state dicts, without their prefix "visual.".
    assert {
        "conv1.weight",
        "bn3.running_var",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.bias",
        "layer4.0.conv3.weight",
        "attnpool.positional_embedding",
        "attnpool.c_proj.bias",
    } <= keys
    assert not any(".-1." in key for key in keys)
