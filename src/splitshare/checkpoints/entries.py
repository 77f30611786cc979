"""Entries of a catalogue from models that were split and asked: no line of them is written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, get_args

from splitshare.catalog.records import Benchmark, EncoderOutput
from splitshare.checkpoints.cut import CutModule
from splitshare.checkpoints.digest import DigestCache
from splitshare.checkpoints.families import Family
from splitshare.checkpoints.observing import Seen, SeenEncoder
from splitshare.checkpoints.records import Call, CheckpointsFile, EncoderEntry, HeadEntry, identity
from splitshare.checkpoints.sharing import Shared
from splitshare.checkpoints.split_module import BUILDER, joint_digest, main_dtype

ALL = "all-models"
"""The workload of all models side by side."""

DIGITS = 12
"""Of a digest, in a weights' name."""

BYTES_A_VALUE = 4
"""Answers are float32 scores, or int32 tokens."""


@dataclass(frozen=True)
class Asked:
    """A model that is to be in the catalogue."""

    seen: Seen
    decodes: bool
    where: str
    """Its folder, or its name on the hub with the commit."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Of the program's that fit it."""

    @property
    def name(self) -> str:
        """As the catalogue calls it."""
        return model_name(self.seen.found.checkpoint.name)


@dataclass(frozen=True)
class Lengths:
    """What a request of a model brings, where the model leaves it open."""

    texts: int
    """That a picture or a sound is held against."""
    prompt_tokens: int
    new_tokens: int


@dataclass(frozen=True)
class Entries:
    """What a catalogue is written from."""

    files: Mapping[str, Any]
    """Plain data of files by name."""
    checkpoints: CheckpointsFile
    apart: tuple[str, ...]
    """Lines on encoders that are one and stand apart in the catalogue all the same."""
    whole_bytes: int
    """Of all models, each with encoders and a head of its own."""
    shared_bytes: int
    """Of the catalogue's modules."""


@dataclass(frozen=True)
class _Use:
    """An encoder in a model."""

    encoder: _Encoder
    seen: SeenEncoder
    items: int

    def entry(self, weights: str) -> dict[str, Any]:
        """As ``models.yaml`` has it."""
        made: dict[str, Any] = {"role": self.seen.role, "architecture": self.encoder.name, "weights": weights}
        made |= {"items": self.items} if self.items != 1 else {}
        output = self.encoder.output(self.seen.call)
        return made | ({"output": output} if output == "patches" else {})


@dataclass
class _Encoder:
    """An encoder that one or more models have, with what they take of it."""

    name: str
    digest: str
    first: SeenEncoder
    calls: list[Call]

    def output(self, call: Call) -> EncoderOutput | None:
        """The catalogue's name of what a model takes; ``None``: nothing that it gives so far."""
        outputs: tuple[EncoderOutput, ...] = get_args(EncoderOutput)
        same = ((known.path, known.shape) == (call.path, call.shape) for known in self.calls)
        return next((output for output, is_it in zip(outputs, same, strict=False) if is_it), None)

    def gives(self, seen: SeenEncoder) -> bool:
        """Whether a model can have this one; a second output is added for it, a third is not."""
        if self.first.input_shape != seen.input_shape:
            return False
        if self.output(seen.call) is None and len(self.calls) == 1:
            self.calls.append(seen.call)
        return self.output(seen.call) is not None

    def entry(self) -> EncoderEntry:
        """As ``checkpoints.yaml`` has it."""
        return EncoderEntry(
            model=model_name(self.first.module.model),
            module=self.first.module.name,
            place=self.first.place,
            digest=self.digest,
            input_shape=self.first.input_shape,
            vocabulary=self.first.vocabulary,
            rows=self.first.rows,
            pooled=self.calls[0],
            patches=self.calls[1] if len(self.calls) > 1 else None,
        )


def model_name(name: str) -> str:
    """A model's name as a catalogue may have it: other characters than letters, digits and ``. _ + -`` are ``-``."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-._+") or "model"


@dataclass
class CatalogueWriter:
    """Takes one model after the other, and knows again what an earlier one has.

    Args:
        shared: which of the models' modules are one.
        families: for the tasks.
        cache: of digests.
        lengths: of requests.
    """

    shared: Sequence[Shared]
    families: Mapping[str, Family]
    cache: DigestCache
    lengths: Lengths
    _encoders: dict[tuple[int, ...], list[_Encoder]] = field(default_factory=dict)
    _heads: dict[tuple[object, ...], str] = field(default_factory=dict)
    _head_entries: dict[str, HeadEntry] = field(default_factory=dict)
    _modules: dict[str, tuple[str, tuple[CutModule, ...]]] = field(default_factory=dict)
    """Kind and parts of each module, by its name."""
    _models: list[tuple[Asked, tuple[_Use, ...], str]] = field(default_factory=list)
    _apart: list[str] = field(default_factory=list)

    def add(self, asked: Asked) -> None:
        """Take a model; names of models have to differ."""
        uses = tuple(
            _Use(self._encoder(asked.name, seen), seen, self._items(asked, seen)) for seen in asked.seen.encoders
        )
        self._models.append((asked, uses, self._head(asked, uses)))

    def _group(self, modules: Sequence[CutModule]) -> tuple[int, ...]:
        """Which of the shared modules these are."""
        return tuple(
            next(i for i, each in enumerate(self.shared) if any(m is module for m in each.members))
            for module in modules
        )

    def _items(self, asked: Asked, seen: SeenEncoder) -> int:
        return self.lengths.texts if asked.seen.apart and seen.role == "text" else seen.items

    def _encoder(self, model: str, seen: SeenEncoder) -> _Encoder:
        known = self._encoders.setdefault(self._group(seen.modules), [])
        for encoder in known:
            if encoder.gives(seen):
                return encoder
        name = f"{model}.{seen.module.name}"
        if known:
            self._apart.append(f"{model} asks {known[0].name} for a third tensor, so it has one of its own: {name}")
        made = _Encoder(name, joint_digest(seen.modules, self.cache), seen, [seen.call])
        known.append(made)
        self._modules[name] = (seen.module.kind, seen.modules)
        return made

    def _head(self, asked: Asked, uses: Sequence[_Use]) -> str:
        """The head's name: that of an earlier model that computes the same of the same."""
        seen = asked.seen
        arrives = seen.arrives()
        key = (
            type(seen.found.checkpoint.skeleton),
            self._group(seen.head),
            tuple((role, arriving.to_json()) for role, arriving in arrives.items()),
            tuple((use.encoder.name, use.items) for use in uses),
        )
        name = self._heads.setdefault(key, f"{asked.name}.head")
        if name not in self._head_entries:
            self._head_entries[name] = HeadEntry(
                model=asked.name,
                digest=joint_digest(seen.head, self.cache),
                answer=seen.answer,
                apart=seen.apart,
                last=seen.last and not asked.decodes,
                decodes=asked.decodes,
                arrives=arrives,
            )
            self._modules[name] = ("decoder" if asked.decodes else "head", seen.head)
        return name

    def entries(self) -> Entries:
        """All that was taken."""
        encoders = {each.name: each.entry() for known in self._encoders.values() for each in known}
        checkpoints = CheckpointsFile(
            schema_="splitshare.checkpoints/1",
            models={asked.name: asked.where for asked, _, _ in self._models},
            encoders=encoders,
            heads=self._head_entries,
        )
        found: dict[str, EncoderEntry | HeadEntry] = {**encoders, **self._head_entries}
        weights = {name: entry.digest[:DIGITS] for name, entry in found.items()}
        sizes = {name: sum(part.bytes for part in parts) for name, (_, parts) in self._modules.items()}
        used = [name for _, uses, head in self._models for name in (*(use.encoder.name for use in uses), head)]
        return Entries(
            files={
                "tasks": self._tasks(),
                "architectures": {
                    "schema": "splitshare.architectures/1",
                    "architectures": {name: self._architecture(name, entry) for name, entry in found.items()},
                },
                "models": {
                    "schema": "splitshare.models/1",
                    "models": [self._model(i, *model, weights) for i, model in enumerate(self._models, start=1)],
                },
                "workloads": self._workloads(),
            },
            checkpoints=checkpoints,
            apart=tuple(self._apart),
            whole_bytes=sum(sizes[name] for name in used),
            shared_bytes=sum(sizes.values()),
        )

    def _architecture(self, name: str, entry: EncoderEntry | HeadEntry) -> dict[str, Any]:
        kind, parts = self._modules[name]
        params = {"entry": name, "identity": identity(entry)}
        dtype = str(main_dtype(parts)).removeprefix("torch.")
        return {"builder": BUILDER, "kind": kind, "dtype": dtype, "params": params}

    def _task(self, asked: Asked) -> str:
        return self.families[str(asked.seen.found.checkpoint.config.model_type)].task

    def _tasks(self) -> dict[str, Any]:
        tasks = {
            task: task.replace("-", " ").capitalize() for task in (self._task(asked) for asked, _, _ in self._models)
        }
        return {
            "schema": "splitshare.tasks/1",
            "tasks": [{"name": task, "title": title} for task, title in tasks.items()],
            "benchmarks": [
                *(
                    {"name": f"own-{task}", "title": f"{title}: own requests", "task": task}
                    for task, title in tasks.items()
                ),
                *(each.model_dump(mode="json", exclude_none=True) for each in self._benchmarks()),
            ],
        }

    def _benchmarks(self) -> list[Benchmark]:
        return list({each.name: each for asked, _, _ in self._models for each in asked.benchmarks}.values())

    def _model(
        self, number: int, asked: Asked, uses: Sequence[_Use], head: str, weights: Mapping[str, str]
    ) -> dict[str, Any]:
        task, lengths, seen = self._task(asked), self.lengths, asked.seen
        made: dict[str, Any] = {"architecture": head, "weights": weights[head]}
        if asked.decodes:
            start_only = seen.found.checkpoint.config.is_encoder_decoder
            made |= {"prompt_tokens": 1 if start_only else lengths.prompt_tokens, "new_tokens": lengths.new_tokens}
        texts = prod(use.items for use in uses if use.seen.role == "text") if seen.apart else 1
        return {
            "number": number,
            "name": asked.name,
            "title": seen.found.checkpoint.name,
            "task": task,
            "benchmark": f"own-{task}",
            **({"other_benchmarks": [each.name for each in asked.benchmarks]} if asked.benchmarks else {}),
            "encoders": [use.entry(weights[use.encoder.name]) for use in uses],
            "head": made,
            "result_bytes": BYTES_A_VALUE * (lengths.new_tokens if asked.decodes else texts * prod(seen.answer_shape)),
        }

    def _workloads(self) -> dict[str, Any]:
        names = [asked.name for asked, _, _ in self._models]
        alone = [{"name": name, "title": f"{name} alone", "models": [name]} for name in names]
        together = [{"name": ALL, "title": "All models", "models": names}] if len(names) > 1 else []
        return {"schema": "splitshare.workloads/1", "workloads": [*alone, *together]}
