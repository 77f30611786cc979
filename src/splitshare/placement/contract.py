"""What an algorithm is, and where algorithms are found."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, get_type_hints, runtime_checkable

from pydantic import PydanticUserError, TypeAdapter, ValidationError

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


def load(spec: str, texts: Sequence[str] = (), /, **parameters: Any) -> PlacementAlgorithm:
    """Make the algorithm that ``spec`` names: a shipped name, an entry point, or ``file.py:Class``.

    Args:
        spec: which algorithm.
        texts: parameters as ``name=value``, each read by the type of the dataclass field of that name.
        parameters: parameters as values; a text of the same name goes before.

    Raises:
        InputError: nothing of that name, a file that does not load, a class without the contract, or a parameter
            that the algorithm does not have or that its type refuses.
    """
    factory = _factory(spec)
    parameters |= _parsed(factory, spec, texts)
    try:
        algorithm = factory(**parameters)
    except TypeError as error:
        raise InputError("--algorithm", spec, f"cannot be made: {error}") from None
    if not isinstance(algorithm, PlacementAlgorithm):
        raise InputError("--algorithm", spec, "has no attribute `name` or no method `place`; see the contract")
    return algorithm


def _parsed(factory: Any, spec: str, texts: Sequence[str]) -> dict[str, Any]:
    fields = [f.name for f in dataclasses.fields(factory) if f.init] if dataclasses.is_dataclass(factory) else []
    parsed: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError("--parameter", text, "is not of the form name=value")
        if name not in fields:
            raise InputError("--parameter", name, f"is no field of {spec}; {nearest(name, fields)}")
        if name in parsed:
            raise InputError("--parameter", name, "is given twice; give it once")
        try:
            parsed[name] = TypeAdapter(get_type_hints(factory)[name]).validate_strings(value)
        except (NameError, PydanticUserError):
            raise InputError("--parameter", name, f"{spec} does not say in plain types what it is") from None
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"]
            raise InputError("--parameter", name, f"{problem[0].lower()}{problem[1:]}, not {value!r}") from None
    return parsed


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
