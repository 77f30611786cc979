"""Words as token ids for the embedded benchmark's text encoder, and the prompts of its 24 classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from splitshare.benchmarks.embedded.easy_vqa import CLASSES, EasyVqa, words_of
from splitshare.catalog.loader import Catalog
from splitshare.errors import WorkError

PROMPT = "a picture of a {colour} {shape}"
"""Prompt of a class (ours, after CLIP's templates)."""


class Vocabulary:
    """Token ids as CLIP's text tower wants them: 0 pads, the last but one starts a text, the last ends it."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(sorted(set(words)))
        self._ids = {word: i for i, word in enumerate(self.words, start=1)}

    @classmethod
    def of(cls, data: EasyVqa) -> Vocabulary:
        """The words of the training questions and of the class prompts."""
        questions = {question.text for question in data.train.questions}
        return cls(word for text in (*questions, *class_prompts()) for word in words_of(text))

    @property
    def size(self) -> int:
        """Token ids that there are."""
        return len(self.words) + 3

    def encode(self, texts: Sequence[str], context: int) -> Tensor:
        """Token ids, int32, shape (texts, context).

        Raises:
            WorkError: a word is unknown, or a text is longer than the context.
        """
        tokens = torch.zeros(len(texts), context, dtype=torch.int32)
        for row, text in zip(tokens, texts, strict=True):
            words = words_of(text)
            if unknown := [word for word in words if word not in self._ids]:
                raise WorkError(f"{text!r}: {unknown[0]!r} is no word of the training questions")
            if len(words) + 2 > context:
                raise WorkError(f"{text!r}: has {len(words)} words; the text encoder takes {context - 2}")
            ids = [self.size - 2, *(self._ids[word] for word in words), self.size - 1]
            row[: len(ids)] = torch.tensor(ids, dtype=torch.int32)
        return tokens


def class_prompts() -> tuple[str, ...]:
    """One prompt a class, in the order of ``CLASSES``."""
    return tuple(PROMPT.format(colour=colour, shape=shape) for colour, shape in CLASSES)


def context_of(catalog: Catalog) -> int:
    """Tokens that the catalogue's text encoders take; they all take as many.

    Raises:
        WorkError: they do not, or there is none.
    """
    towers = [entry for entry in catalog.architectures.values() if entry.kind == "text-encoder"]
    contexts = {tower.params["context"] for tower in towers}
    if len(contexts) != 1:
        raise WorkError(f"the text encoders take {sorted(map(str, contexts))} tokens; one length is wanted")
    (context,) = contexts
    return int(str(context))
