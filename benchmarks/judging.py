"""What judging saves by batches of prompts, by answers that end, and by embeddings that are kept; as ratios.

A LLaVA of true shape with a quarter of the width and 3 of its 32 layers answers 8 prompts of different lengths; the
image tower of ViT-B/16 embeds 32 pictures for three models that share it. Weights are random: times do not depend on
them. Times depend on the machine; read the ratios. Run: ``python benchmarks/judging.py``.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from splitshare.benchmarks.decoding import answer_ids, left_padded
from splitshare.catalog.loader import load_catalog
from splitshare.modules import llava_decoder
from splitshare.modules.build import build_module

PROMPT_TOKENS = (18, 22, 25, 27, 30, 31, 35, 41)
ANSWER_TOKENS, SHORT_ANSWER_TOKENS = 20, 4
NO_END = -1
PICTURES, MODELS = 32, 3
RUNS = 3


def seconds(run: Callable[[], object]) -> float:
    """Median of some runs after one that warms up."""
    taken = []
    with torch.inference_mode():
        run()
        for _ in range(RUNS):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def told(what: str, taken_s: float, beside_s: float) -> None:
    """Print a line."""
    sys.stdout.write(f"{what}: {taken_s:.3g} s, {beside_s / taken_s:.3g} times as fast\n")


def decoding() -> None:
    """Prompts one by one, in a batch, and in a batch whose answers end."""
    decoder = llava_decoder.build(
        width=1024,
        hidden=2752,
        layers=3,
        heads=8,
        context=2048,
        vocabulary=32064,
        image_tokens=576,
        image_width=1024,
        image_token=32000,
    ).eval()
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(len(PROMPT_TOKENS), 576, 1024, generator=generator)
    rows = [[32000, *torch.randint(1, 32000, (n - 1,), generator=generator).tolist()] for n in PROMPT_TOKENS]
    batch = {"vision": images} | left_padded(rows)

    def one_by_one() -> None:
        for image, row in zip(images, rows, strict=True):
            answer_ids(decoder, {"vision": image[None], "prompt": torch.tensor([row], dtype=torch.int32)}, NO_END)

    decoder.new_tokens = ANSWER_TOKENS
    alone_s = seconds(one_by_one)
    told(f"{len(rows)} prompts one by one, {ANSWER_TOKENS} tokens each", alone_s, alone_s)
    told("in a batch", seconds(partial(answer_ids, decoder, batch, NO_END)), alone_s)
    decoder.new_tokens = SHORT_ANSWER_TOKENS
    short_s = seconds(partial(answer_ids, decoder, batch, NO_END))
    told(f"in a batch, as many passes as answers of {SHORT_ANSWER_TOKENS} tokens need", short_s, alone_s)


def sharing() -> None:
    """A tower for each of three models, and once for all of them, its embeddings kept in a file."""
    tower = build_module(load_catalog().module("clip-vit-b16-vision@clip-vit-b16"))
    pictures = torch.randn(PICTURES, 3, 224, 224, generator=torch.Generator().manual_seed(0))

    def each() -> None:
        for _ in range(MODELS):
            tower({"vision": pictures})

    def once(path: Path) -> None:
        save_file({"embeddings": tower({"vision": pictures})}, path)
        for _ in range(MODELS - 1):
            load_file(path)

    each_s = seconds(each)
    told(f"{PICTURES} pictures embedded by a tower for each of {MODELS} models", each_s, each_s)
    with tempfile.TemporaryDirectory() as directory:
        told(
            "embedded once, and read by the others",
            seconds(partial(once, Path(directory) / "rows.safetensors")),
            each_s,
        )


if __name__ == "__main__":
    decoding()
    sharing()
