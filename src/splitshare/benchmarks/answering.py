"""What answers requests to a model, in whatever arrangement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor

Inputs = Mapping[str, Tensor]
"""Inputs of the encoders by role, and the ``prompt`` (and its mask) of a model that answers in words."""


class Answering(ABC):
    """Answers batches of requests to one model."""

    @abstractmethod
    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """Scores of the choices, shape (batch, classes), or (batch, tokens, vocabulary) along an answer in words.

        Args:
            inputs: by role; a model with class prompts gets none for ``text``.
            prompts: embedding of each class (classes, width), for a model that compares with them.
        """

    @abstractmethod
    def words(self, inputs: Inputs, end: int) -> Tensor:
        """Tokens of the answers of a model that answers in words, (batch, at most its answers' length), int32.

        Args:
            inputs: by role, with ``prompt`` and, where prompts differ in length, ``prompt_mask``.
            end: the end-of-text token, after which comes nothing but that.
        """

    @abstractmethod
    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """Embeddings (batch, width) by the model's tower of ``role``."""

    @property
    def kept_roles(self) -> frozenset[str]:
        """Roles whose embeddings are computed once for all models, and stand in for the inputs of ``scores``."""
        return frozenset()
