"""What a whole model looks like, whatever its kind: one ``nn.Module`` with names for its modules' weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

Params = Mapping[str, Mapping[str, Any]]
"""Parameters of the architectures by role; the head's under ``head``."""


class WholeModel(nn.Module, ABC):
    """A task model in one piece.

    ``prefixes`` maps, for each role (and ``head``), prefixes of the split module's weight names to the
    prefixes that the same weights have here.
    """

    prefixes: ClassVar[Mapping[str, Mapping[str, str]]]
    public: ClassVar[Mapping[str, str]] = {}
    """Roles whose published weights a transformers class holds, and the attribute that it is in."""
    new_tokens: int = 1
    """Tokens of an answer in words."""

    @abstractmethod
    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Answer a batch of requests.

        Args:
            inputs: the encoders' inputs by role, request by request: ``B * n`` rows for a role with ``n``
                items; and the ``prompt`` of a model that answers in words.

        Returns:
            The scores of the split model's head (``SplitModule.scores``) for the batch.
        """
