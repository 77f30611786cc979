"""Read the catalogue, check it across its files, and derive which modules its models share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from splitshare.catalog import paths
from splitshare.catalog.records import (
    Architecture,
    ArchitecturesFile,
    Benchmark,
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
from splitshare.choices import Dtype
from splitshare.errors import InputError
from splitshare.places import DATA
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
    source: Path
    """The file that its architecture stands in."""
    asked_batches: frozenset[int]
    """Batch sizes that a request of any model asks of it; 1 for a head."""
    input_dtypes: Mapping[str, Dtype]
    """Floating point type in which each input arrives, by role: its own, or for a head the senders'."""
    head_items: Mapping[str, int]
    """How many encoded items of each role it takes with one request; empty if it is no head."""
    answer_lengths: tuple[int, int] | None
    """Prompt tokens and new tokens of a request; ``None`` if it is no decoder."""

    @property
    def name(self) -> str:
        """The module's name, ``architecture@weights``."""
        return self.ref.module

    @property
    def batches(self) -> tuple[int, ...]:
        """Batch sizes at which it has to be known, ascending: ``BATCHES`` and what one request asks of it.

        An encoder's batch counts its inputs (images, prompts, clips), a head's batch counts requests.
        """
        return tuple(sorted({*BATCHES, *self.asked_batches}))

    def with_layers(self, layers: int, dtype: Dtype | None = None) -> SharedModule:
        """The module with so many layers (and another type, if one is given)."""
        return replace(self, architecture=_with_layers(self.architecture, layers, dtype))


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
        return {name: self._shared(ref, tuple(users[name])) for name, ref in refs.items()}

    @cached_property
    def _modules(self) -> Mapping[str, SharedModule]:
        return self.modules()

    def _shared(self, ref: ModuleRef, users: tuple[str, ...]) -> SharedModule:
        architecture = self.architectures[ref.architecture]
        uses = [(model, encoder) for model in self.models.values() for encoder in model.encoders]
        # Loading refuses models that share a head and feed it differently, so any of them speaks for all.
        model = next((model for model in self.models.values() if model.head.module == ref.module), None)
        if model is None:
            return SharedModule(
                ref=ref,
                architecture=architecture,
                users=users,
                source=paths.architectures_file(self.root),
                asked_batches=frozenset(self.items(m, e) for m, e in uses if e.module == ref.module),
                input_dtypes={e.role: architecture.dtype for _, e in uses if e.module == ref.module},
                head_items={},
                answer_lengths=None,
            )
        prompt, new = model.head.prompt_tokens, model.head.new_tokens
        return SharedModule(
            ref=ref,
            architecture=architecture,
            users=users,
            source=paths.architectures_file(self.root),
            asked_batches=frozenset({1}),
            input_dtypes={e.role: self.architectures[e.architecture].dtype for e in model.encoders},
            head_items={e.role: self.items(model, e) for e in model.encoders},
            answer_lengths=None if prompt is None or new is None else (prompt, new),
        )

    def module(self, name: str) -> SharedModule:
        """The module of that name, with all the catalogue's models that use it.

        Raises:
            InputError: no model has it.
        """
        return _lookup(self._modules, name, "module", paths.models_file(self.root))

    def items(self, model: Model, encoder: EncoderRef) -> int:
        """How many inputs ``encoder`` takes with one request of ``model``."""
        if encoder.items != "classes":
            return encoder.items
        classes = self.benchmarks[model.benchmark].classes
        assert classes is not None, "load_catalog refuses such a model"
        return classes

    def at_precision(self, precision: Dtype | None) -> Catalog:
        """The catalogue with every module held and computed in one floating point type; ``None``: as it is."""
        if precision is None:
            return self
        architectures = {
            name: entry.model_copy(update={"dtype": precision}) for name, entry in self.architectures.items()
        }
        return replace(self, architectures=architectures)

    def with_layers(self, architecture: str, layers: int, dtype: Dtype | None = None) -> Catalog:
        """A catalogue in which ``architecture`` has so many layers (and another type, if one is given)."""
        cut = _with_layers(self.architectures[architecture], layers, dtype)
        return replace(self, architectures={**self.architectures, architecture: cut})


def _with_layers(full: Architecture, layers: int, dtype: Dtype | None) -> Architecture:
    update = {"params": {**full.params, "layers": layers}, "dtype": full.dtype if dtype is None else dtype}
    return full.model_copy(update=update)


def load_catalog(root: Path = DATA) -> Catalog:
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
    firsts: dict[str, Model] = {}
    for i, model in enumerate(catalog.models.values()):
        first = firsts.setdefault(model.head.module, model)
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
