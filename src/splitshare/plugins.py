"""Finding algorithms: those in a package of ours, those of other packages, and those in a user's file.

Each problem has its own contract (what an algorithm is asked and answers); how one is named, loaded and given
parameters is the same for all.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from splitshare.errors import InputError, SplitshareError, one_line
from splitshare.extras import missing
from splitshare.records import nearest
from splitshare.spelling import single, titled

Algorithm = TypeVar("Algorithm")


def warm_up(algorithm: object) -> None:
    """Let an algorithm compile or load what it needs, before anything is timed: its ``warm_up()``, if it has one.

    Raises:
        InputError: it cannot be called, or raises, or ends the process; errors of ours pass as they are.
    """
    own = getattr(algorithm, "warm_up", None)
    if own is None:
        return
    try:
        own()
    except SplitshareError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and missing(error, ""):
            raise  # told with the extra that brings it
        name = str(getattr(algorithm, "name", type(algorithm).__name__))
        told = one_line(f"{type(error).__name__}: {error}")
        raise InputError("--algorithm", name, f"cannot be warmed up: {told}") from error


@dataclass(frozen=True)
class Finder(Generic[Algorithm]):
    """Where the algorithms of one problem are found.

    ``package`` holds ours, a file each; ``group`` is the entry point group of others; ``method`` is what every one has
    beside its ``name``, and ``contract`` the runtime-checkable protocol that says so.
    """

    package: ModuleType
    group: str
    contract: type[Algorithm]
    method: str

    def shipped(self) -> list[str]:
        """Names of the algorithms in the package, sorted."""
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(self.package.__path__))

    def names(self) -> list[str]:
        """Names of all algorithms that are installed: ours, then those of other packages."""
        return [*self.shipped(), *sorted(point.name for point in entry_points(group=self.group))]

    def source(self, name: str) -> Path | None:
        """The file of another package's algorithm, without importing it; ``None`` where it is none of theirs."""
        for point in entry_points(group=self.group):
            if point.name == name and name not in self.shipped():
                spec = importlib.util.find_spec(point.module)
                return Path(spec.origin) if spec is not None and spec.origin is not None else None
        return None

    def load(self, spec: str, texts: Sequence[str] = (), /, **parameters: Any) -> Algorithm:
        """Make the algorithm that ``spec`` names: a shipped name, an entry point, or ``file.py:Class``.

        Args:
            spec: which algorithm, with parameters in brackets behind it or without (``splitshare.spelling``).
            texts: more parameters as ``name=value``, each read by the type of the dataclass field of that name.
            parameters: parameters as values; a text of the same name goes before.

        Raises:
            InputError: nothing of that name, a file that does not load, a class without the contract, or a parameter
                that the algorithm does not have or that its type or its range refuses.
        """
        name, own = single(spec)
        return self.make(self.factory(name), name, [*own, *texts], **parameters)

    def make(self, factory: Any, spec: str, texts: Sequence[str] = (), /, **parameters: Any) -> Algorithm:
        """Make the algorithm of ``factory``, which ``spec`` named; otherwise as ``load``.

        A ``ValueError`` of the factory's is a parameter out of its range.
        """
        parameters |= _parsed(factory, spec, texts)
        try:
            algorithm = factory(**parameters)
        except TypeError as error:
            raise InputError("--algorithm", spec, f"cannot be made: {error}") from None
        except ValueError as error:
            raise InputError("--algorithm", titled(spec, list(texts)), f"cannot be made: {error}") from None
        if not isinstance(algorithm, self.contract):
            problem = f"has no attribute `name` or no method `{self.method}`; see the contract"
            raise InputError("--algorithm", spec, problem)
        return algorithm

    def factory(self, spec: str) -> Any:
        """The class, or whatever else makes the algorithm, that ``spec`` names.

        Raises:
            InputError: nothing of that name, or a file that does not load.
        """
        if ":" in spec:
            return from_file(spec)
        if spec in self.shipped():
            module = importlib.import_module(f"{self.package.__name__}.{spec.replace('-', '_')}")
            return next(c for c in vars(module).values() if isinstance(c, type) and getattr(c, "name", None) == spec)
        if spec.endswith(".py"):
            raise InputError("--algorithm", spec, "says no class; write the class of that file behind it: mine.py:Mine")
        outside = {point.name: point for point in entry_points(group=self.group)}
        if spec in outside:
            return outside[spec].load()
        raise InputError("--algorithm", "", f"unknown algorithm {spec!r}; {nearest(spec, [*self.shipped(), *outside])}")


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


def from_file(spec: str) -> Any:
    """The class that ``spec``, as ``file.py:Class``, names.

    Raises:
        InputError: the file does not load, or has no such class.
    """
    text, _, name = spec.rpartition(":")
    path = Path(text)
    if not path.is_file():
        raise InputError(path, "", "no such file; give --algorithm path/to/file.py:Class")
    location = importlib.util.spec_from_file_location(f"splitshare_algorithm_{path.stem}", path)
    if location is None or location.loader is None:
        raise InputError(path, "", "is not a Python file")
    module = importlib.util.module_from_spec(location)
    sys.modules[location.name] = module  # dataclasses look their own module up
    try:
        location.loader.exec_module(module)
    except Exception as error:
        del sys.modules[location.name]
        raise InputError(path, "", f"does not load: {type(error).__name__}: {error}") from error
    chosen = getattr(module, name, None)
    if not isinstance(chosen, type):
        classes = [n for n, c in vars(module).items() if isinstance(c, type) and c.__module__ == module.__name__]
        raise InputError(path, name, f"no such class; {nearest(name, classes)}")
    return chosen
