"""Answers in words in batches: each is what the model answers to its prompt alone, in one piece or split."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from splitshare.benchmarks.arrangements import SplitAnswering, WholeAnswering
from splitshare.benchmarks.decoding import left_padded
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import build_module, example_inputs
from splitshare.modules.decoder import Decoder
from splitshare.modules.whole import build_whole
from tests.modules.small import small_catalogue

IMAGE, WORDS = 64, 64
"""The placeholder of the small LLaVA; words have smaller numbers."""
NO_END = 69
"""A token that ends no answer here."""


@dataclass
class Pair:
    """A model with scrambled weights, whole and split."""

    model: Model
    modules: dict[str, SplitModule]
    whole: WholeAnswering
    split: SplitAnswering

    @property
    def head(self) -> Decoder:
        head = self.modules["head"]
        assert isinstance(head, Decoder)
        return head


def pair(catalog: Catalog, name: str) -> Pair:
    model = catalog.model(name)
    modules = {role: build_module(catalog.module(ref.module)) for role, ref in model.modules().items()}
    generator = torch.Generator().manual_seed(11)
    for module in modules.values():
        for key, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                # Large biases, and a large token embedding that is also the output layer, give one token for ever.
                scale = 0.02 if key.endswith(("wte.weight", "lm_head.weight", "bias")) else 0.4
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)
    whole = build_whole(catalog, model, {role: module.state_dict() for role, module in modules.items()})
    return Pair(model, modules, WholeAnswering(whole), SplitAnswering(model, modules))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return small_catalogue(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def llava(catalog):
    return pair(catalog, "llava-7b")


def prompts(lengths: list[int]) -> list[list[int]]:
    """Prompts of so many tokens, the picture's placeholder somewhere behind the first of them."""
    generator = torch.Generator().manual_seed(5)
    rows = []
    for length in lengths:
        row = torch.randint(WORDS, (length,), generator=generator)
        row[torch.randint(1, length, (1,), generator=generator)] = IMAGE
        rows.append(row.tolist())
    return rows


def pictures(catalog: Catalog, of: Pair, batch: int) -> Tensor:
    (encoder,) = of.model.encoders
    return example_inputs(catalog.module(encoder.module), of.modules["vision"], batch)["vision"]


def alone(answering, images: Tensor, rows: list[list[int]], end: int) -> list[list[int]]:
    """Each prompt by itself, unpadded."""
    return [
        answering.words({"vision": image[None], "prompt": torch.tensor([row], dtype=torch.int32)}, end)[0].tolist()
        for image, row in zip(images, rows, strict=True)
    ]


def cut(answer: list[int], end: int) -> list[int]:
    return answer[: answer.index(end)] if end in answer else answer


@pytest.mark.parametrize("arrangement", ["whole", "split"])
def test_prompts_of_different_lengths_are_answered_as_one_by_one(catalog, llava, arrangement):
    rows = prompts([3, 12, 7, 7, 20, 2])
    images = pictures(catalog, llava, len(rows))
    with torch.inference_mode():
        single = alone(llava.split, images, rows, NO_END)
        batch = getattr(llava, arrangement).words({"vision": images} | left_padded(rows), NO_END)
    assert batch.tolist() == single
    assert len({tuple(answer) for answer in single}) > 3, "answers that are all the same would show nothing"
    assert {len(answer) for answer in single} == {llava.head.new_tokens}


def test_what_fills_a_prompt_up_is_seen_by_nothing(catalog, llava):
    rows = prompts([3, 9])
    images = pictures(catalog, llava, 2)
    padded = left_padded(rows)
    assert padded["prompt_mask"].tolist() == [[False] * 6 + [True] * 3, [True] * 9]
    other = padded["prompt"].masked_fill(~padded["prompt_mask"], 17)
    with torch.inference_mode():
        found = [
            llava.split.words({"vision": images} | padded | {"prompt": p}, NO_END) for p in (padded["prompt"], other)
        ]
    assert torch.equal(*found)


@pytest.mark.parametrize("name", ["llava-7b", "caption-vit-gpt2"])
@pytest.mark.parametrize("arrangement", ["whole", "split"])
def test_answers_end_where_they_end_and_no_pass_is_made_for_nothing(catalog, name, arrangement):
    of = pair(catalog, name)
    images = pictures(catalog, of, 4)
    prompt = {"prompt": torch.full((4, 1), 59, dtype=torch.int32)}
    if name == "llava-7b":
        prompt = left_padded(prompts([4, 9, 6, 5]))
    passes: list[int] = []
    whole: Any = of.whole.whole
    decoder: Any = of.head.language_model if arrangement == "split" else getattr(whole, "llava", whole)
    decoder = decoder if name == "llava-7b" or arrangement == "split" else whole.model.decoder
    decoder.register_forward_hook(lambda *_: passes.append(1))
    answering = getattr(of, arrangement)
    with torch.inference_mode():
        full = answering.words({"vision": images} | prompt, NO_END if name == "llava-7b" else 58).tolist()
        most = len(passes)
        # The end is a token that every answer comes to, so that all end before the longest could.
        common = set.intersection(*({*row} for row in full))
        ends = {end: max(row.index(end) for row in full) for end in common}
        end = min(ends, key=lambda token: ends[token]) if ends else full[0][0]
        passes.clear()
        short = answering.words({"vision": images} | prompt, end).tolist()
    assert most == of.head.new_tokens
    assert [cut(row, end) for row in short] == [cut(row, end) for row in full]
    last = max(len(cut(row, end)) for row in full)
    assert len(passes) == min(last + 1, of.head.new_tokens)
    for row in short:
        kept = cut(row, end)
        assert set(row[len(kept) :]) <= {end}


def test_a_model_that_answers_in_no_words_says_so(catalog):
    of = pair(catalog, "clip-vit-b16")
    for answering in (of.whole, of.split):
        with pytest.raises(WorkError, match="answers in no words"):
            answering.words({}, 0)
