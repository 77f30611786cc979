"""How each task is asked and judged: from samples to predictions, from predictions to scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from splitshare.benchmarks.accuracy import Metric
from splitshare.benchmarks.arrangements import Answering, Inputs
from splitshare.benchmarks.metrics.cider import caption_tokens, cider
from splitshare.benchmarks.metrics.classification import ranked, top_k
from splitshare.benchmarks.metrics.vqa import vqa_accuracy
from splitshare.benchmarks.preprocess import Preprocess, preprocessor, stacked
from splitshare.benchmarks.samples import Sample
from splitshare.benchmarks.words import Words
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.errors import WorkError

TOP = 5
LLAVA_PROMPT = "USER: <image>\n{question}\nAnswer the question using a single word or phrase. ASSISTANT:"
"""LLaVA-1.5's own prompt for short answers (Liu et al. 2023, arXiv 2310.03744, table 7)."""

_FILE_OF_ROLE = {"vision": "image", "audio": "audio"}


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

    @property
    def decodes(self) -> bool:
        """Whether the model answers in words."""
        return self.catalog.architectures[self.model.head.architecture].kind == "decoder"

    @property
    def one_by_one(self) -> bool:
        """Whether requests have prompts of different lengths, which no batch can hold."""
        return self.decodes and self.model.task == "visual-question-answering"

    def inputs(self, samples: Sequence[Sample]) -> Inputs:
        """The tensors of a batch."""
        ways: dict[str, Preprocess] = {}
        files: dict[str, list[bytes]] = {}
        for encoder in self.model.encoders:
            file = _FILE_OF_ROLE.get(encoder.role)
            if file is not None and getattr(samples[0], file) is not None:
                ways[encoder.role] = preprocessor(self.catalog.architectures[encoder.architecture])
                files[encoder.role] = [getattr(sample, file) for sample in samples]
        inputs = stacked(files, ways)
        if self.one_by_one:
            assert self.words is not None
            inputs["prompt"] = self.words.ids(LLAVA_PROMPT.format(question=samples[0].question))
        elif self.decodes:
            assert self.words is not None
            inputs["prompt"] = self.words.start().repeat(len(samples), 1)
        elif samples[0].question is not None:
            assert self.words is not None
            inputs["text"] = self.words.padded([str(s.question) for s in samples], self._context())
        return inputs

    def predictions(self, answering: Answering, inputs: Inputs) -> list[Prediction]:
        """What the model answers to a batch."""
        with torch.inference_mode():
            scores = answering.scores(inputs, self.prompts)
        if self.decodes:
            assert self.words is not None
            return [Prediction(self.words.text(ids)) for ids in scores.argmax(-1)]
        if self.answers:
            best = scores[:, : len(self.answers)].argmax(-1).tolist()
            return [Prediction(self.answers[number]) for number in best]
        ranking = ranked(scores.double().numpy())[:, :TOP]
        return [Prediction(str(row[0]), tuple(int(c) for c in row)) for row in ranking]

    def _context(self) -> int:
        (text,) = (e for e in self.model.encoders if e.role == "text")
        return int(str(self.catalog.architectures[text.architecture].params["context"]))


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
