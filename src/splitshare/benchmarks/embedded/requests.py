"""The embedded benchmark's data as requests of the catalogue's tasks: an image, texts, the right answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from splitshare.benchmarks.embedded.easy_vqa import UNKNOWN_CLASS, EasyVqa, Split
from splitshare.benchmarks.embedded.prompts import Vocabulary, class_prompts

RETRIEVAL, VQA, CLASSIFICATION = "image-text-retrieval", "visual-question-answering", "image-classification"
TASKS = (RETRIEVAL, VQA, CLASSIFICATION)
"""The tasks, named as in the catalogue."""

MEAN, DEVIATION = 0.5, 0.25
"""Pixels, as shares of white, are normalised by these (ours)."""


@dataclass(frozen=True)
class Requests:
    """Requests of one task: what each shows, what each asks, what is right.

    Texts are kept once: the questions of a data set are few, and all requests of retrieval bring the same prompts.
    """

    task: str
    images: Tensor
    """All images of the split, uint8 (images, 3, side, side)."""
    image: Tensor
    """Index of each request's image, shape (requests,)."""
    texts: Tensor
    """Token ids of every different text, int32 (texts, context)."""
    text: Tensor
    """Indices of each request's texts, shape (requests, texts a request)."""
    labels: Tensor
    """The right answer or class, shape (requests,)."""
    dtype: torch.dtype = torch.float32
    """Floating point type in which images are given to encoders."""

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, chosen: Tensor) -> dict[str, Tensor]:
        """What the encoders take for some of the requests, by role, request by request."""
        inputs = {"vision": normalised(self.images[self.image[chosen]]).to(self.dtype)}
        if self.text.shape[1]:
            inputs["text"] = self.texts[self.text[chosen].flatten()]
        return inputs


def on_device(requests: Mapping[str, Requests], device: torch.device) -> dict[str, Requests]:
    """The requests of every task with their tensors on a device; one that several tasks hold is moved once."""
    moved: dict[int, Tensor] = {}

    def there(tensor: Tensor) -> Tensor:
        return moved.setdefault(id(tensor), tensor.to(device))

    return {
        task: replace(
            asked,
            images=there(asked.images),
            image=there(asked.image),
            texts=there(asked.texts),
            text=there(asked.text),
            labels=there(asked.labels),
        )
        for task, asked in requests.items()
    }


def normalised(images: Tensor) -> Tensor:
    """Float images from bytes, same shape."""
    return (images.float() / 255 - MEAN) / DEVIATION


def requests_of(split: Split, data: EasyVqa, context: int) -> dict[str, Requests]:
    """The requests of every task on a split.

    Images whose class the questions leave open are not among those of retrieval and classification.

    Args:
        split: ``data.train`` or ``data.test``.
        data: the data set that it is of.
        context: tokens of the text encoder.

    Raises:
        WorkError: a question has an unknown word, or too many.
    """
    vocabulary = Vocabulary.of(data)
    images = torch.from_numpy(split.images).permute(0, 3, 1, 2).contiguous()
    known = torch.from_numpy(np.flatnonzero(split.classes != UNKNOWN_CLASS))
    classes = torch.from_numpy(split.classes)[known]
    prompts = vocabulary.encode(class_prompts(), context)
    texts = sorted({question.text for question in split.questions})
    place = {text: i for i, text in enumerate(texts)}
    answer = {text: i for i, text in enumerate(data.answers)}
    asked = split.questions
    return {
        RETRIEVAL: Requests(
            RETRIEVAL, images, known, prompts, torch.arange(len(prompts)).expand(len(known), -1), classes
        ),
        VQA: Requests(
            VQA,
            images,
            torch.tensor([question.image for question in asked]),
            vocabulary.encode(texts, context),
            torch.tensor([[place[question.text]] for question in asked]),
            torch.tensor([answer[question.answer] for question in asked]),
        ),
        CLASSIFICATION: Requests(
            CLASSIFICATION, images, known, prompts[:0], torch.empty(len(known), 0, dtype=torch.long), classes
        ),
    }
