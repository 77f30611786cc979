"""Texts to token ids and back, with the tokeniser that belongs to a module's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from splitshare.catalog import paths
from splitshare.catalog.hub import HubFile
from splitshare.errors import InputError, WorkError
from splitshare.modules.hub_pins import HUB_ERRORS, Pins


class Words:
    """A tokeniser. No program of a repository is run, and no pickle read."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def padded(self, texts: Sequence[str], context: int) -> Tensor:
        """Ids (texts, context), int32: start, words, end of text, padding; long texts are cut, their end kept."""
        ends = {"truncation": True, "max_length": context, "padding": "max_length"}
        return torch.tensor(self.tokenizer(list(texts), **ends)["input_ids"], dtype=torch.int32)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, with what the tokeniser puts around a text."""
        found: list[list[int]] = self.tokenizer(list(texts))["input_ids"]
        return found

    @property
    def end(self) -> int:
        """The end-of-text token."""
        return int(self.tokenizer.eos_token_id)

    def start(self) -> Tensor:
        """The token that starts a text, shape (1, 1), int32."""
        return torch.tensor([[self.tokenizer.bos_token_id]], dtype=torch.int32)

    def text(self, ids: Tensor) -> str:
        """The words of ids (tokens,) up to the end of text."""
        token_ids = ids.tolist()
        kept = token_ids[: token_ids.index(self.end)] if self.end in token_ids else token_ids
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()


def load_words(weights: str, *, root: Path, directory: Path | None, pins: Pins | None = None) -> Words:
    """The tokeniser of ``weights``.

    Args:
        weights: name of the weights in the catalogue.
        root: the data folder, whose ``catalogue/hub.yaml`` says where they are published.
        pins: commits that were found at the first use; without, the catalogue must name it.
        directory: where ``<weights>/tokenizer.json`` and ``tokenizer_config.json`` are read instead; None for the hub.

    Raises:
        InputError: there is none, or its commit is not known.
        WorkError: it cannot be fetched.
    """
    if directory is not None:
        path = directory / weights / "tokenizer.json"
        if not path.is_file():
            raise InputError(path, "", "no such tokeniser; put it there, or take --weights hub")
        return Words(AutoTokenizer.from_pretrained(path.parent, local_files_only=True, trust_remote_code=False))
    source = paths.hub_file(root)
    entries = HubFile.read(source).weights
    entry = entries.get(weights)
    if entry is not None and entry.tokenizer is not None:
        entry = entries[entry.tokenizer]
    if entry is None or (entry.revision is None and pins is None):
        raise InputError(source, f"weights.{weights}", "its tokeniser is not pinned; write repository and revision")
    try:
        revision = entry.revision if pins is None else pins.revision("model", entry.repository, entry.revision)
        return Words(AutoTokenizer.from_pretrained(entry.repository, revision=revision, trust_remote_code=False))
    except (*HUB_ERRORS, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise WorkError(f"the tokeniser of {entry.repository}: {reason}") from None
