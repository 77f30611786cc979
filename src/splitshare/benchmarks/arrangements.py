"""A model in its three arrangements, behind one face: whole, split, and split with modules shared across tasks."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor

from splitshare.benchmarks.accuracy import Arrangement
from splitshare.benchmarks.answering import Answering, Inputs
from splitshare.benchmarks.decoding import PROMPT, PROMPT_MASK, answer_ids
from splitshare.benchmarks.own_models import OwnModel
from splitshare.benchmarks.weights import Weights
from splitshare.catalog.loader import Catalog
from splitshare.catalog.records import Model
from splitshare.checkpoints.split_module import CheckpointEncoder
from splitshare.choices import Dtype
from splitshare.errors import WorkError
from splitshare.modules.base import SplitModule
from splitshare.modules.build import encode
from splitshare.modules.decoder import Decoder
from splitshare.modules.equivalence import sent
from splitshare.modules.whole import build_whole
from splitshare.modules.whole_clip import WholeAlignment, WholeClip, WholeClipResNet
from splitshare.modules.whole_decoders import WholeDecoder
from splitshare.modules.whole_model import WholeModel


class OnFirstUse(Answering):
    """What is built when it is first asked: a run whose answers are all kept loads no weights."""

    def __init__(self, build: Callable[[], Answering]) -> None:
        self._build = build

    @cached_property
    def _built(self) -> Answering:
        return self._build()

    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """As what is built."""
        return self._built.scores(inputs, prompts)

    def words(self, inputs: Inputs, end: int) -> Tensor:
        """As what is built."""
        return self._built.words(inputs, end)

    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """As what is built."""
        return self._built.embed(role, tensor)

    @property
    def kept_roles(self) -> frozenset[str]:
        """Those of what is built."""
        return self._built.kept_roles


class OnDevice(Answering):
    """Answers on a device: each tensor goes there once, and what is answered comes back to the CPU.

    With a ``dtype``, floating point tensors go there in it.
    """

    def __init__(self, answering: Answering, device: torch.device, dtype: torch.dtype | None = None) -> None:
        self.answering = answering
        self.device = device
        self.dtype = dtype

    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """What is computed there, on the CPU."""
        return self.answering.scores(self._all(inputs), None if prompts is None else self._there(prompts)).cpu()

    def words(self, inputs: Inputs, end: int) -> Tensor:
        """What is answered there, on the CPU."""
        return self.answering.words(self._all(inputs), end).cpu()

    def _all(self, inputs: Inputs) -> dict[str, Tensor]:
        return {role: self._there(tensor) for role, tensor in inputs.items()}

    def _there(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """What is computed there, on the CPU."""
        return self.answering.embed(role, self._there(tensor)).cpu()

    @property
    def kept_roles(self) -> frozenset[str]:
        """Those of what answers there."""
        return self.answering.kept_roles


class WholeAnswering(Answering):
    """The model in one piece: transformers' own classes where there are any."""

    def __init__(self, whole: WholeModel) -> None:
        self.whole = whole

    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """As the class itself computes them; class prompts are not encoded again for each picture."""
        whole = self.whole
        if prompts is None:
            scores: Tensor = whole(inputs)
        elif isinstance(whole, WholeClip):
            image = whole.clip.get_image_features(pixel_values=inputs["vision"]).pooler_output
            scores = whole.clip.logit_scale.exp() * _cosine(image, prompts)
        elif isinstance(whole, WholeClipResNet):
            scores = whole.logit_scale.exp() * _cosine(whole.visual({"vision": inputs["vision"]}), prompts)
        elif isinstance(whole, WholeAlignment):
            sound = whole.joint["audio"](whole.audio(input_values=inputs["audio"]).pooler_output)
            scores = whole.logit_scale.exp() * _cosine(sound, whole.joint["text"](prompts))
        else:
            raise WorkError(f"{type(whole).__name__} compares with no class prompts")
        return scores

    def words(self, inputs: Inputs, end: int) -> Tensor:
        """By transformers' own ``generate``."""
        if not isinstance(self.whole, WholeDecoder):
            raise WorkError(f"{type(self.whole).__name__} answers in no words")
        return self.whole.answers(inputs, end)

    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """By the text tower inside; of pictures and sounds, the whole model gives none."""
        if role != "text":
            raise WorkError(f"{type(self.whole).__name__} is asked for no embeddings of {role}")
        if isinstance(self.whole, WholeClipResNet):
            embeddings: Tensor = self.whole.textual(input_ids=tensor).text_embeds
        elif isinstance(self.whole, WholeClip | WholeAlignment):
            embeddings = self.whole.clip.get_text_features(input_ids=tensor).pooler_output
        else:
            raise WorkError(f"{type(self.whole).__name__} compares with no class prompts")
        return embeddings


class SplitAnswering(Answering):
    """The model's modules one after the other, every tensor between them written to bytes and read back."""

    def __init__(self, model: Model, modules: Mapping[str, SplitModule]) -> None:
        self.model = model
        self.modules = modules

    def scores(self, inputs: Inputs, prompts: Tensor | None = None) -> Tensor:
        """The head's scores of what the encoders send."""
        arrived = self.encoded(inputs) | ({PROMPT: sent(inputs[PROMPT])} if PROMPT in inputs else {})
        if prompts is not None:
            batch = len(next(iter(arrived.values())))
            arrived["text"] = sent(prompts).repeat(batch, 1)
            if "audio" in arrived and any(encoder.role == "vision" for encoder in self.model.encoders):
                # A sound is compared with the prompts alone: there is no picture, and its scores are left out.
                arrived["vision"] = torch.zeros(batch, prompts.shape[1], device=prompts.device, dtype=prompts.dtype)
                return sent(self.modules["head"].scores(arrived))[:, : len(prompts)]
        return sent(self.modules["head"].scores(arrived))

    def words(self, inputs: Inputs, end: int) -> Tensor:
        """The head's answers to what the encoders send."""
        head = self.modules["head"]
        if not isinstance(head, Decoder):
            raise WorkError(f"{type(head).__name__} answers in no words")
        prompts = {role: sent(inputs[role]) for role in (PROMPT, PROMPT_MASK) if role in inputs}
        return sent(answer_ids(head, self.encoded(inputs) | prompts, end))

    def encoded(self, inputs: Inputs) -> dict[str, Tensor]:
        """What the encoders send, by role."""
        return {
            encoder.role: sent(encode(self.modules[encoder.role], {encoder.role: sent(tensor)}, encoder.output))
            for encoder in self.model.encoders
            if (tensor := inputs.get(encoder.role)) is not None
        }

    def embed(self, role: str, tensor: Tensor) -> Tensor:
        """By the module of ``role``."""
        return sent(self.modules[role]({role: sent(tensor)}))


class SharedAnswering(SplitAnswering):
    """Split, with the towers' pooled embeddings of a file of samples computed once and kept for all models.

    Inputs of a role whose embeddings were kept are these embeddings.
    """

    @property
    def kept_roles(self) -> frozenset[str]:
        """Towers whose pooled output is sent; patch states are too large to keep."""
        return frozenset(e.role for e in self.model.encoders if e.output == "pooled" and self._vector(e.role))

    def _vector(self, role: str) -> bool:
        """Whether an encoder's output is one vector an item; what a checkpoint's sends may be states."""
        module = self.modules[role]
        return not isinstance(module, CheckpointEncoder) or len(module.entry.pooled.shape) == 1

    def encoded(self, inputs: Inputs) -> dict[str, Tensor]:
        """What the encoders send; of the kept roles, what has been sent before."""
        kept = {role: sent(tensor) for role, tensor in inputs.items() if role in self.kept_roles}
        rest = {role: tensor for role, tensor in inputs.items() if role not in self.kept_roles}
        return kept | super().encoded(rest)


class Arranger:
    """Builds the arrangements of a run's models; modules that models share are built once for all of them.

    Attributes:
        catalog: the catalogue.
        weights: where modules get theirs.
        device: where they compute.
        precision: type in which they are held and compute, from the same weights; ``None``: each its own.
    """

    def __init__(
        self, catalog: Catalog, weights: Weights, device: torch.device, precision: Dtype | None = None
    ) -> None:
        self.catalog = catalog
        self.weights = weights
        self.device = device
        self.precision = precision
        self._dtype: torch.dtype | None = None if precision is None else getattr(torch, precision)
        self._shared: dict[str, SplitModule] = {}

    def arrange(self, model: Model, arrangement: Arrangement) -> Answering:
        """``model`` in ``arrangement``, its weights the same in all of them.

        Raises:
            InputError: its weights are not published or not pinned.
            WorkError: they cannot be had, or there is no whole model of this kind.
        """
        refs = {role: ref.module for role, ref in model.modules().items()}
        return OnDevice(self._arranged(model, refs, arrangement), self.device, self._dtype)

    def keep(self, names: Container[str]) -> None:
        """Let go of shared modules of other names: no model that is still to come has them."""
        self._shared = {name: module for name, module in self._shared.items() if name in names}

    def _arranged(self, model: Model, refs: Mapping[str, str], arrangement: Arrangement) -> Answering:
        if arrangement == "shared":
            for name in refs.values():
                if name not in self._shared:
                    self._shared[name] = self.weights.module(name).to(self.device, self._dtype)
            return SharedAnswering(model, {role: self._shared[name] for role, name in refs.items()})
        own = OwnModel.of(self.catalog, model) if arrangement == "whole" else None
        if own is not None:
            return own.whole().to(self.device, self._dtype)
        modules = {role: self.weights.module(name) for role, name in refs.items()}
        if arrangement == "split":
            there = {role: module.to(self.device, self._dtype) for role, module in modules.items()}
            return SplitAnswering(model, there)
        whole = build_whole(self.catalog, model, {role: module.state_dict() for role, module in modules.items()})
        return WholeAnswering(whole.to(self.device, self._dtype))


def _cosine(rows: Tensor, prompts: Tensor) -> Tensor:
    """Cosine similarity of each of (batch, width) with each of (classes, width)."""
    return F.cosine_similarity(rows.unsqueeze(1), prompts.unsqueeze(0), dim=-1)
