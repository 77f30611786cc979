"""Six tasks on easy-VQA for the trained zoo, and the bytes of their queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor

from splitshare.benchmarks.embedded.easy_vqa import SHAPES, EasyVqa, Split
from splitshare.benchmarks.embedded.requests import CLASSIFICATION, RETRIEVAL, VQA, Requests, requests_of
from splitshare.onloading.zoo import ZooTask

YES_NO, OPEN, SHAPE, COLOUR, CLASS, MATCH = "yes-no", "open-question", "shape", "colour", "class", "caption-match"
QUESTIONS = (YES_NO, OPEN)
"""Tasks whose queries bring a question beside the image."""
TEXT_TASKS = (*QUESTIONS, MATCH)
"""Tasks whose models have a text encoder."""
TASKS = {
    YES_NO: "yes-no questions about the image",
    OPEN: "questions for its shape or colour",
    SHAPE: "its shape, of 3",
    COLOUR: "its colour, of 8",
    CLASS: "its class, of 24",
    MATCH: "the right one of 24 captions",
}
"""What is asked, by task."""


def zoo_requests(split: Split, data: EasyVqa, context: int) -> dict[str, Requests]:
    """Requests of every task on a split, made of the embedded benchmark's own.

    Args:
        split: ``data.train`` or ``data.test``.
        data: the data set that it is of.
        context: tokens of the text encoders.
    """
    base = requests_of(split, data, context)
    yes_no = torch.tensor([question.answer in ("yes", "no") for question in split.questions])
    classes = base[CLASSIFICATION]
    return {
        YES_NO: _part(base[VQA], YES_NO, yes_no),
        OPEN: _part(base[VQA], OPEN, ~yes_no),
        SHAPE: replace(classes, task=SHAPE, labels=classes.labels % len(SHAPES)),
        COLOUR: replace(classes, task=COLOUR, labels=classes.labels // len(SHAPES)),
        CLASS: replace(classes, task=CLASS),
        MATCH: replace(base[RETRIEVAL], task=MATCH),
    }


def at_side(requests: dict[str, Requests], side: int) -> dict[str, Requests]:
    """The same requests with images averaged down to ``side`` pixels."""
    images = next(iter(requests.values())).images
    factor = images.shape[-1] // side
    smaller = images if factor == 1 else F.avg_pool2d(images.float(), factor).round().to(torch.uint8)
    return {task: replace(asked, images=smaller) for task, asked in requests.items()}


def zoo_tasks(data: EasyVqa, folder: Path, requests: dict[str, Requests]) -> tuple[ZooTask, ...]:
    """The tasks, with the mean bytes of their test queries as stored: a PNG image, and UTF-8 where there is a question.

    Args:
        data: the data set.
        folder: its files.
        requests: the test requests.
    """
    image_bytes = [(folder / "test" / "images" / f"{i}.png").stat().st_size for i in range(len(data.test.images))]
    text_bytes = {
        YES_NO: [len(q.text.encode()) for q in data.test.questions if q.answer in ("yes", "no")],
        OPEN: [len(q.text.encode()) for q in data.test.questions if q.answer not in ("yes", "no")],
    }
    return tuple(
        ZooTask(
            name=task,
            metric="top-1 accuracy",
            test_set=f"easy-VQA, test images: {asked}",
            queries=len(requests[task]),
            query_bytes=_mean(image_bytes) + (_mean(text_bytes[task]) if task in text_bytes else 0.0),
            query_bytes_provenance="measured",
            query_bytes_source="mean over the test images, PNG as stored"
            + (", and over the questions, UTF-8" if task in text_bytes else ""),
        )
        for task, asked in TASKS.items()
    )


def _part(requests: Requests, task: str, chosen: Tensor) -> Requests:
    return replace(
        requests,
        task=task,
        image=requests.image[chosen],
        text=requests.text[chosen],
        labels=requests.labels[chosen],
    )


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)
