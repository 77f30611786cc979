"""What an algorithm is, and where algorithms are found."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from splitshare.errors import InputError
from splitshare.placement import algorithms
from splitshare.placement.instance import Assignment, PlacementInstance, Status
from splitshare.records import nearest

GROUP = "splitshare.placement"
"""Entry point group of algorithms that live in other packages."""


@dataclass(frozen=True)
class Answer:
    """A placement with what an exact method knows about it; heuristics return the plain assignment."""

    assignment: Assignment | None
    status: Status
    bound: float | None = None
    objective: float | None = None
    """The method's own objective, held against the evaluator's; never used as the score."""
    build_s: float = 0.0
    solve_s: float = 0.0
    solver: str | None = None


Placed = Mapping[str, str | Sequence[str]]


@runtime_checkable
class PlacementAlgorithm(Protocol):
    """A placement algorithm.

    ``variant`` (optional) names the transform of the instance that it works on, see ``placement.variants``.
    """

    @property
    def name(self) -> str:
        """The name in tables and on the command line."""
        ...

    def place(self, instance: PlacementInstance, *, seed: int, time_limit: float | None) -> Placed | Answer | None:
        """Place every module of ``instance``; ``None`` where the algorithm finds no feasible placement.

        Args:
            instance: the instance, not to be changed.
            seed: of whatever is random.
            time_limit: seconds to keep to, or ``None``.
        """
        ...


def shipped() -> list[str]:
    """Names of the algorithms in the package, sorted."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(algorithms.__path__))


def load(spec: str, **parameters: Any) -> PlacementAlgorithm:
    """Make the algorithm that ``spec`` names: a shipped name, an entry point, or ``file.py:Class``.

    Raises:
        InputError: nothing of that name, a file that does not load, a class without the contract, or a parameter
            that the algorithm does not have.
    """
    factory = _factory(spec)
    try:
        algorithm = factory(**parameters)
    except TypeError as error:
        raise InputError("--algorithm", spec, f"cannot be made: {error}") from None
    if not isinstance(algorithm, PlacementAlgorithm):
        raise InputError("--algorithm", spec, "has no attribute `name` or no method `place`; see the contract")
    return algorithm


def _factory(spec: str) -> Any:
    if ":" in spec:
        path, _, name = spec.rpartition(":")
        return _from_file(Path(path), name)
    if spec in shipped():
        module = importlib.import_module(f"{algorithms.__name__}.{spec.replace('-', '_')}")
        return next(c for c in vars(module).values() if isinstance(c, type) and getattr(c, "name", None) == spec)
    outside = {point.name: point for point in entry_points(group=GROUP)}
    if spec in outside:
        return outside[spec].load()
    raise InputError("--algorithm", "", f"unknown algorithm {spec!r}; {nearest(spec, [*shipped(), *outside])}")


def _from_file(path: Path, name: str) -> Any:
    if not path.is_file():
        raise InputError(path, "", "no such file; give --algorithm path/to/file.py:Class")
    spec = importlib.util.spec_from_file_location(f"splitshare_algorithm_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(path, "", "is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises is told in one line
        del sys.modules[spec.name]
        raise InputError(path, "", f"does not load: {type(error).__name__}: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, type):
        classes = [n for n, c in vars(module).items() if isinstance(c, type) and c.__module__ == module.__name__]
        raise InputError(path, name, f"no such class; {nearest(name, classes)}")
    return found
