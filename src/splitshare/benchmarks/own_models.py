"""Checkpoints of one's own as benchmarks ask them: prepared by their own processors, whole by transformers' own class.

A model that compares a picture with texts is given every class in every template, and a class's score is the mean over
its templates: what it compares lies behind a projection that belongs to its head, so that embeddings cannot be averaged
before. A classifier's outputs are the benchmark's classes where both name the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, GenerationMixin, PreTrainedModel

from splitshare.benchmarks.answering import Answering, Inputs
from splitshare.benchmarks.decoding import PROMPT
from splitshare.benchmarks.preprocess import Preprocess, opened
from splitshare.benchmarks.prompts import prompt_texts
from splitshare.benchmarks.words import Words
from splitshare.catalog.loader import Catalog
from splitshare.catalog.published_accuracy import plain
from splitshare.catalog.records import Model
from splitshare.checkpoints.chain import whole
from splitshare.checkpoints.processing import picture_processor, tokenizer
from splitshare.checkpoints.records import EncoderEntry, HeadEntry
from splitshare.checkpoints.source import Checkpoint
from splitshare.checkpoints.split_module import BUILDER, entry_of
from splitshare.errors import WorkError

TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class OwnModel:
    """A model whose head is of a checkpoint."""

    catalog: Catalog
    model: Model

    @staticmethod
    def of(catalog: Catalog, model: Model) -> OwnModel | None:
        """The model, if it is one."""
        head = catalog.architectures[model.head.architecture]
        return OwnModel(catalog, model) if head.builder == BUILDER else None

    @cached_property
    def _head(self) -> tuple[Checkpoint, HeadEntry]:
        found, entry = self._entry(self.model.head.architecture)
        assert isinstance(entry, HeadEntry)
        return found, entry

    def _entry(self, architecture: str) -> tuple[Checkpoint, EncoderEntry | HeadEntry]:
        params = self.catalog.architectures[architecture].params
        source = self.catalog.module(self.model.head.module).source
        found, entry = entry_of(source, str(params["entry"]), str(params["identity"]))
        return found.checkpoint, entry

    def processors(self) -> dict[str, Preprocess]:
        """What prepares files for encoders, by role.

        Raises:
            InputError: the checkpoint has no processor.
            WorkError: the model takes sounds.
        """
        roles = {encoder.role for encoder in self.model.encoders} - {"text"}
        if roles != {"vision"}:
            raise WorkError(
                f"{self.model.name} takes {', '.join(sorted(roles))}; only pictures are judged of one's own models"
            )
        prepare = picture_processor(self._head[0].folder)
        return {"vision": lambda file: prepare(opened(file))}

    def words(self) -> Words:
        """The checkpoint's tokeniser, an answer beginning as its decoder begins.

        Raises:
            InputError: it has none.
        """
        return CheckpointWords(tokenizer(self._head[0].folder), self._head[0].config)

    def text_tokens(self) -> int:
        """Tokens of a text that its text encoder is given."""
        (text,) = (encoder for encoder in self.model.encoders if encoder.role == "text")
        _, entry = self._entry(text.architecture)
        assert isinstance(entry, EncoderEntry)
        return entry.input_shape[0]

    def order(self, class_names: Sequence[str]) -> tuple[int, ...]:
        """The head's output of each class.

        Raises:
            WorkError: its outputs are other classes.
        """
        named = {plain(str(name)): int(i) for i, name in self._head[0].config.id2label.items()}
        missing = [name for name in class_names if plain(name) not in named]
        if missing or not class_names:
            told = f"such as {missing[0]!r}" if missing else "and the benchmark names none"
            raise WorkError(f"{self.model.name} has no output for {len(missing)} of {len(class_names)} classes, {told}")
        return tuple(named[plain(name)] for name in class_names)

    def whole(self) -> CheckpointWhole:
        """The model in one piece."""
        checkpoint, entry = self._head
        return CheckpointWhole(whole(checkpoint), entry, self.model.head.new_tokens or 1)


class CheckpointWords(Words):
    """The tokeniser of a checkpoint whose decoder may begin with another token than a text."""

    def __init__(self, found: Any, config: Any) -> None:
        super().__init__(found)
        self._config = config

    def start(self) -> Tensor:
        """The token that starts an answer, shape (1, 1), int32."""
        token = getattr(self._config, "decoder_start_token_id", None)
        return super().start() if token is None else torch.tensor([[token]], dtype=torch.int32)


class CheckpointWhole(nn.Module, Answering):
    """Transformers' own class; class prompts are token ids, which it encodes with every batch."""

    def __init__(self, model: PreTrainedModel, entry: HeadEntry, new_tokens: int) -> None:
        super().__init__()
        self.model, self.entry, self.new_tokens = model, entry, new_tokens
        self._arguments: Mapping[str, str] = {str(role): str(each.argument) for role, each in entry.arrives.items()}

    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """As the class computes them."""
        given = {self._arguments[role]: tensor for role, tensor in inputs.items()}
        if prompts is not None:
            given[self._arguments["text"]] = prompts
        answer: Tensor = self.model(**given)[self.entry.answer]
        return answer

    def words(self, inputs: Inputs, end: int) -> Tensor:
        """By transformers' own ``generate``."""
        given = {self._arguments[role]: tensor for role, tensor in inputs.items() if role != PROMPT}
        greedy = GenerationConfig(
            max_new_tokens=self.new_tokens, do_sample=False, eos_token_id=end, pad_token_id=end, bos_token_id=None
        )
        prompt = inputs[PROMPT].long()
        found = GenerationMixin.generate(
            self.model,
            **given,
            decoder_input_ids=prompt,
            generation_config=greedy,
        )
        tokens: Tensor = found[:, prompt.shape[1] :].to(torch.int32)
        return tokens.masked_fill((tokens == end).cumsum(1) > 0, end)

    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """Texts as they are: the class encodes them itself.

        Raises:
            WorkError: it is asked for something else.
        """
        if role != "text":
            raise WorkError(f"{type(self.model).__name__} is asked for no embeddings of {role}")
        return tensor


def class_rows(
    class_names: Sequence[str], templates: Sequence[str], words: Words, text_tokens: int, answering: Answering
) -> Tensor:
    """What an arrangement compares pictures with, a row for each class and template, templates changing fastest."""
    texts = [text for of_class in prompt_texts(class_names, templates) for text in of_class]
    tokens = words.padded(texts, text_tokens)
    with torch.inference_mode():
        return torch.cat([answering.embed("text", some) for some in torch.split(tokens, TEXTS_AT_ONCE)])
