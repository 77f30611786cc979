"""Read the catalogue, check it across its files, and derive which modules its models share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from splitshare.catalog import paths
from splitshare.catalog.records import (
    Architecture,
    ArchitecturesFile,
    Benchmark,
    Dtype,
    EncoderRef,
    HeadRef,
    Model,
    ModelsFile,
    ModuleRef,
    Task,
    TasksFile,
    Workload,
    WorkloadsFile,
)
from splitshare.errors import InputError
from splitshare.records import nearest

BATCHES = (1, 2, 4, 8)
"""Batch sizes at which every module is described and profiled."""

T = TypeVar("T")

_KINDS_OF_ROLE = {
    "vision": ("vision-encoder",),
    "text": ("text-encoder",),
    "audio": ("audio-encoder",),
    "head": ("head", "decoder"),
}


@dataclass(frozen=True)
class SharedModule:
    """A module after sharing: its identity and the models that use it, in catalogue order."""

    ref: ModuleRef
    architecture: Architecture
    users: tuple[str, ...]

    @property
    def name(self) -> str:
        """The module's name, ``architecture@weights``."""
        return self.ref.module


@dataclass(frozen=True)
class Catalog:
    """The catalogue, by name and in file order."""

    root: Path
    tasks: Mapping[str, Task]
    benchmarks: Mapping[str, Benchmark]
    architectures: Mapping[str, Architecture]
    models: Mapping[str, Model]
    workloads: Mapping[str, Workload]

    def model(self, name: str) -> Model:
        """The model of that name.

        Raises:
            InputError: the catalogue has none.
        """
        return _lookup(self.models, name, "model", paths.models_file(self.root))

    def workload(self, name: str) -> Workload:
        """The workload of that name.

        Raises:
            InputError: the catalogue has none.
        """
        return _lookup(self.workloads, name, "workload", paths.workloads_file(self.root))

    def modules(self, models: Iterable[str] | None = None) -> dict[str, SharedModule]:
        """Modules of ``models`` (default: of all models) after sharing, by name.

        The order is that of first use, a model's encoders before its head; modules are shared where
        architecture and weights are both equal.

        Raises:
            InputError: a model is not in the catalogue.
        """
        refs: dict[str, ModuleRef] = {}
        users: dict[str, list[str]] = {}
        for model in self.models.values() if models is None else map(self.model, models):
            for ref in model.modules().values():
                refs.setdefault(ref.module, ref)
                names = users.setdefault(ref.module, [])
                if model.name not in names:
                    names.append(model.name)
        return {
            name: SharedModule(ref, self.architectures[ref.architecture], tuple(users[name]))
            for name, ref in refs.items()
        }

    def module(self, name: str) -> SharedModule:
        """The module of that name, with all the catalogue's models that use it.

        Raises:
            InputError: no model has it.
        """
        return _lookup(self.modules(), name, "module", paths.models_file(self.root))

    def items(self, model: Model, encoder: EncoderRef) -> int:
        """How many inputs ``encoder`` takes with one request of ``model``."""
        if encoder.items != "classes":
            return encoder.items
        classes = self.benchmarks[model.benchmark].classes
        assert classes is not None, "load_catalog refuses such a model"
        return classes

    def model_of_head(self, head: str) -> Model | None:
        """A model whose head ``head`` is; None if it is no head.

        Loading refuses models that share a head and feed it differently, so any of them speaks for all.
        """
        return next((model for model in self.models.values() if model.head.module == head), None)

    def head_items(self, head: str) -> dict[str, int]:
        """How many encoded items of each role ``head`` takes with one request; empty if it is no head."""
        model = self.model_of_head(head)
        return {encoder.role: self.items(model, encoder) for encoder in model.encoders} if model else {}

    def input_dtypes(self, module: str) -> dict[str, Dtype]:
        """Floating point type in which each input of ``module`` arrives, by role: its own, or the senders'."""
        model = self.model_of_head(module)
        if model is None:
            own = self.module(module)
            return {
                e.role: own.architecture.dtype for m in own.users for e in self.models[m].encoders if e.module == module
            }
        return {encoder.role: self.architectures[encoder.architecture].dtype for encoder in model.encoders}

    def answer_lengths(self, head: str) -> tuple[int, int] | None:
        """Prompt tokens and new tokens of a request to ``head``; None if it is no decoder."""
        model = self.model_of_head(head)
        if model is None or model.head.prompt_tokens is None or model.head.new_tokens is None:
            return None
        return model.head.prompt_tokens, model.head.new_tokens

    def with_layers(self, architecture: str, layers: int, dtype: Dtype | None = None) -> Catalog:
        """A catalogue in which ``architecture`` has so many layers (and another type, if one is given)."""
        full = self.architectures[architecture]
        cut = full.model_copy(
            update={"params": {**full.params, "layers": layers}, "dtype": full.dtype if dtype is None else dtype}
        )
        return replace(self, architectures={**self.architectures, architecture: cut})

    def asked_batches(self, module: str) -> frozenset[int]:
        """Batch sizes that a request of any model asks of ``module``; 1 for a head."""
        return frozenset(
            self.items(model, ref) if isinstance(ref, EncoderRef) else 1
            for model in self.models.values()
            for ref in model.modules().values()
            if ref.module == module
        )

    def batches(self, module: str, models: Iterable[str] | None = None) -> tuple[int, ...]:
        """Batch sizes at which ``module`` has to be known, ascending.

        An encoder's batch counts its inputs (images, prompts, clips), a head's batch counts requests. The
        sizes are ``BATCHES`` and, for an encoder, what one request of any of ``models`` (default: all) asks
        of it.
        """
        used = {
            self.items(model, encoder)
            for model in (self.models.values() if models is None else map(self.model, models))
            for encoder in model.encoders
            if encoder.module == module
        }
        return tuple(sorted({*BATCHES, *used}))


def load_catalog(root: Path = paths.DATA) -> Catalog:
    """Read ``root/catalogue/*.yaml``.

    Args:
        root: the data folder.

    Raises:
        InputError: a file is missing or malformed, or a name in one file is not defined in another; names the
            file and the field.
    """
    tasks_path, models_path = paths.tasks_file(root), paths.models_file(root)
    tasks_file = TasksFile.read(tasks_path)
    architectures = ArchitecturesFile.read(paths.architectures_file(root)).architectures
    models_file = ModelsFile.read(models_path)
    workloads_file = WorkloadsFile.read(paths.workloads_file(root))

    tasks = {task.name: task for task in tasks_file.tasks}
    benchmarks = {benchmark.name: benchmark for benchmark in tasks_file.benchmarks}
    models = {model.name: model for model in models_file.models}
    _unique(tasks_path, "tasks", "name", [task.name for task in tasks_file.tasks])
    _unique(tasks_path, "benchmarks", "name", [benchmark.name for benchmark in tasks_file.benchmarks])
    for i, benchmark in enumerate(tasks_file.benchmarks):
        _known(tasks_path, f"benchmarks[{i}].task", benchmark.task, tasks, "task")

    _unique(models_path, "models", "name", [model.name for model in models_file.models])
    _unique(models_path, "models", "number", [model.number for model in models_file.models])
    for i, model in enumerate(models_file.models):
        _check_model(models_path, f"models[{i}]", model, tasks, benchmarks, architectures)

    workloads_path = paths.workloads_file(root)
    _unique(workloads_path, "workloads", "name", [workload.name for workload in workloads_file.workloads])
    for i, workload in enumerate(workloads_file.workloads):
        _unique(workloads_path, f"workloads[{i}].models", "", list(workload.models))
        for j, name in enumerate(workload.models):
            _known(workloads_path, f"workloads[{i}].models[{j}]", name, models, "model")

    catalog = Catalog(
        root=root,
        tasks=tasks,
        benchmarks=benchmarks,
        architectures=architectures,
        models=models,
        workloads={workload.name: workload for workload in workloads_file.workloads},
    )
    _check_heads(catalog, models_path)
    return catalog


def _check_model(
    path: Path,
    where: str,
    model: Model,
    tasks: Mapping[str, Task],
    benchmarks: Mapping[str, Benchmark],
    architectures: Mapping[str, Architecture],
) -> None:
    _known(path, f"{where}.task", model.task, tasks, "task")
    for i, name in enumerate(model.benchmarks):
        field = f"{where}.other_benchmarks[{i - 1}]" if i else f"{where}.benchmark"
        _known(path, field, name, benchmarks, "benchmark")
        if benchmarks[name].task != model.task:
            raise InputError(
                path, field, f"{name!r} judges {benchmarks[name].task!r}, not {model.task!r}; choose another"
            )
        if name in model.benchmarks[:i]:
            raise InputError(path, field, f"{name!r} is there already; leave it out")
    benchmark = benchmarks[model.benchmark]
    _unique(path, f"{where}.encoders", "role", [encoder.role for encoder in model.encoders])
    for j, encoder in enumerate(model.encoders):
        field = f"{where}.encoders[{j}]"
        _check_kind(path, f"{field}.architecture", encoder.role, encoder.architecture, architectures)
        if encoder.items == "classes" and benchmark.classes is None:
            raise InputError(
                path,
                f"{field}.items",
                f"benchmark {benchmark.name!r} has no `classes`; give it them or write a number",
            )
    _check_kind(path, f"{where}.head.architecture", "head", model.head.architecture, architectures)
    _check_lengths(path, f"{where}.head", model.head, architectures[model.head.architecture].kind == "decoder")


def _check_lengths(path: Path, where: str, head: HeadRef, decoder: bool) -> None:
    for field in ("prompt_tokens", "new_tokens"):
        if (getattr(head, field) is not None) != decoder:
            problem = "is missing; a decoder's requests need it" if decoder else "is for decoders; leave it out"
            raise InputError(path, f"{where}.{field}", problem)


def _check_kind(path: Path, field: str, role: str, name: str, architectures: Mapping[str, Architecture]) -> None:
    _known(path, field, name, architectures, "architecture")
    kind, allowed = architectures[name].kind, _KINDS_OF_ROLE[role]
    if kind not in allowed:
        raise InputError(path, field, f"{name!r} is a {kind}; the {role} must be a {' or a '.join(allowed)}")


def _check_heads(catalog: Catalog, path: Path) -> None:
    """Refuse a head shared by models that feed it differently: its times and sizes would be two modules'."""
    for i, model in enumerate(catalog.models.values()):
        first = catalog.model_of_head(model.head.module)
        assert first is not None, "this model's own head"
        if _feed(catalog, model) != _feed(catalog, first):
            raise InputError(
                path,
                f"models[{i}].head",
                f"another model feeds {model.head.module!r} otherwise; give this head weights of its own",
            )


def _feed(catalog: Catalog, model: Model) -> tuple[object, ...]:
    """What a request of ``model`` brings to its head."""
    encoders = [
        (e.role, catalog.items(model, e), e.output, catalog.architectures[e.architecture].dtype) for e in model.encoders
    ]
    return (*encoders, model.head.prompt_tokens, model.head.new_tokens)


def _lookup(known: Mapping[str, T], name: str, what: str, path: Path) -> T:
    if name not in known:
        raise InputError(path, "", f"no {what} {name!r}; {nearest(name, list(known))}")
    return known[name]


def _known(path: Path, field: str, name: str, known: Mapping[str, object], what: str) -> None:
    if name not in known:
        raise InputError(path, field, f"unknown {what} {name!r}; {nearest(name, list(known))}")


def _unique(path: Path, field: str, key: str, values: Sequence[str | int]) -> None:
    seen: dict[str | int, int] = {}
    for i, value in enumerate(values):
        if value in seen:
            end = f".{key}" if key else ""
            raise InputError(path, f"{field}[{i}]{end}", f"{value!r} stands in {field}[{seen[value]}] too; keep one")
        seen[value] = i
