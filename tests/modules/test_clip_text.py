from pathlib import Path

import torch

from splitshare.modules.build import build_module, example_inputs
from tests.modules.small import small_catalogue

TEXT = "clip-text-512-to-512@clip-vit-b16"


def test_example_prompts_start_end_and_are_padded(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    module = build_module(catalog.module(TEXT))
    tokens = example_inputs(catalog.module(TEXT), module, batch=40)["text"]
    assert tokens.dtype == torch.int32
    assert tokens.shape == (40, 12)
    for row in tokens.tolist():
        end = row.index(49)
        assert row[0] == 48
        assert 7 <= end < 12
        assert all(1 <= word < 48 for word in row[1:end])
        assert set(row[end + 1 :]) <= {0}
    assert len({row.index(49) for row in tokens.tolist()}) > 1, "prompts differ in length"


def test_text_is_pooled_at_its_end(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    module = build_module(catalog.module(TEXT))
    tokens = torch.tensor([[48, 5, 6, 7, 49, 0, 0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    behind, before = tokens.clone(), tokens.clone()
    behind[0, 6] = 9
    before[0, 2] = 9
    with torch.inference_mode():
        expected = module({"text": tokens})
        torch.testing.assert_close(module({"text": behind}), expected)
        assert not torch.allclose(module({"text": before}), expected)
