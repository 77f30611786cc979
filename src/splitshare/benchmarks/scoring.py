"""How each task is asked and judged: from samples to predictions, from predictions to scores."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from splitshare.benchmarks.accuracy import Metric
from splitshare.benchmarks.answering import Answering, Inputs
from splitshare.benchmarks.decoding import PROMPT, left_padded
from splitshare.benchmarks.metrics.cider import caption_tokens, cider
from splitshare.benchmarks.metrics.classification import ranked, top_k
from splitshare.benchmarks.metrics.vqa import vqa_accuracy
from splitshare.benchmarks.preprocess import Preprocess, preprocessor
from splitshare.benchmarks.samples import Sample
from splitshare.benchmarks.words import Words
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Architecture, EncoderRef, Model
from splitshare.errors import WorkError

TOP = 5
LLAVA_PROMPT = "USER: <image>\n{question}\nAnswer the question using a single word or phrase. ASSISTANT:"
"""LLaVA-1.5's own prompt for short answers (Liu et al. 2023, arXiv 2310.03744, table 7).

Its authors fill pictures up to a square; here the centre is cut out, as the processor of this checkpoint in
transformers does, since the tower is CLIP's and shared.
"""


@dataclass(frozen=True)
class Prediction:
    """What a model answers to a sample."""

    answer: str
    """A class's number, an answer or a caption: what must be equal in all arrangements."""
    top: tuple[int, ...] = ()
    """The five best classes, best first."""


@dataclass(frozen=True)
class Asking:
    """How samples become requests of one model on one benchmark."""

    catalog: Catalog
    model: Model
    prompts: Tensor | None = None
    """Embedding of each class, for a model that compares with them."""
    words: Words | None = None
    """The tokeniser of the text tower or the decoder."""
    answers: tuple[str, ...] = ()
    """What a VQA classifier's outputs mean."""
    processors: Mapping[str, Preprocess] = field(default_factory=dict)
    """What prepares files for encoders, by role, where the model has its own."""
    templates: int = 1
    """Rows of ``prompts`` for each class, whose scores are averaged."""
    order: tuple[int, ...] = ()
    """The output of each class, where the head has them in another order, or others beside."""

    @property
    def decodes(self) -> bool:
        """Whether the model answers in words."""
        return self.catalog.architectures[self.model.head.architecture].kind == "decoder"

    def inputs(self, samples: Sequence[Sample], roles: Container[str] | None = None) -> dict[str, Tensor]:
        """The tensors of a batch.

        Args:
            samples: of the batch.
            roles: of the encoders whose inputs are wanted; all by default.

        Raises:
            WorkError: a file cannot be read, or the tokeniser does not know the picture's place.
        """
        inputs: dict[str, Tensor] = {}
        for encoder in self.model.encoders:
            if roles is None or encoder.role in roles:
                found = encoder_input(self.catalog, encoder, samples, self.words, self.processors.get(encoder.role))
                if found is not None:
                    inputs[encoder.role] = found
        return inputs | (self._prompts(samples) if self.decodes else {})

    def _prompts(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        assert self.words is not None
        if self.model.task != "visual-question-answering":
            return {PROMPT: self.words.start().repeat(len(samples), 1)}
        rows = self.words.ids([LLAVA_PROMPT.format(question=sample.question) for sample in samples])
        image = self.catalog.architectures[self.model.head.architecture].params["image_token"]
        if any(row.count(int(str(image))) != 1 for row in rows):
            raise WorkError(f"the tokeniser of {self.model.head.weights} has no <image> with the number {image}")
        return left_padded(rows)

    def predictions(self, answering: Answering, inputs: Inputs) -> list[Prediction]:
        """What the model answers to a batch."""
        with torch.inference_mode():
            if self.decodes:
                assert self.words is not None
                return [Prediction(self.words.text(ids)) for ids in answering.words(inputs, self.words.end)]
            scores = answering.scores(inputs, self.prompts)
            if self.templates > 1:
                scores = scores.reshape(len(scores), -1, self.templates).mean(-1)
            scores = scores[:, list(self.order)] if self.order else scores
        if self.answers:
            best = scores[:, : len(self.answers)].argmax(-1).tolist()
            return [Prediction(self.answers[number]) for number in best]
        ranking = ranked(scores.double().numpy())[:, :TOP]
        return [Prediction(str(row[0]), tuple(int(c) for c in row)) for row in ranking]


def encoder_input(
    catalog: Catalog,
    encoder: EncoderRef,
    samples: Sequence[Sample],
    words: Words | None,
    processor: Preprocess | None = None,
) -> Tensor | None:
    """What an encoder is given of a batch, first dimension over the samples; ``None``: they have nothing for it.

    Args:
        catalog: the catalogue.
        encoder: a model's.
        samples: of the batch.
        words: the tokeniser of a text encoder.
        processor: what prepares a file; that of the architecture by default.

    Raises:
        WorkError: a picture or sound cannot be read.
    """
    architecture = catalog.architectures[encoder.architecture]
    if encoder.role == "text":
        if words is None or samples[0].question is None:
            return None
        return words.padded([str(sample.question) for sample in samples], context_of(architecture))
    files = [sample.image if encoder.role == "vision" else sample.audio for sample in samples]
    way = preprocessor(architecture) if processor is None else processor
    found = [way(file) for file in files if file is not None]
    return torch.stack(found) if found else None


def context_of(architecture: Architecture) -> int:
    """Tokens that a text tower takes."""
    return int(str(architecture.params["context"]))


def judged(samples: Sequence[Sample], predictions: Sequence[Prediction], metric: str) -> dict[Metric, list[float]]:
    """A score for each sample, by metric; of a whole benchmark, since CIDEr weighs words by all its captions.

    Args:
        samples: what is right.
        predictions: what was answered, in the same order.
        metric: the benchmark's.

    Raises:
        WorkError: a sample has nothing to be judged by.
    """
    if metric == "vqa-accuracy":
        return {"vqa-accuracy": [vqa_accuracy(p.answer, s.answers) for s, p in zip(samples, predictions, strict=True)]}
    if metric == "cider":
        captions = [caption_tokens(p.answer) for p in predictions]
        references = [[caption_tokens(text) for text in s.captions] for s in samples]
        return {"cider": cider(captions, references).tolist()}
    labels = [sample.label for sample in samples if sample.label is not None]
    if len(labels) < len(samples):
        raise WorkError("a sample has no label")
    ranking = np.array([prediction.top for prediction in predictions], dtype=np.intp)
    metrics: dict[Metric, list[float]] = {"top-1": top_k(ranking, labels, 1).tolist()}
    if ranking.shape[1] >= TOP:
        metrics["top-5"] = top_k(ranking, labels, TOP).tolist()
    return metrics
