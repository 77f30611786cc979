"""A method: an algorithm, with the solver that it uses and the parameters that are not its own defaults."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

from splitshare.choices import ExactSolver
from splitshare.errors import InputError
from splitshare.plugins import Finder
from splitshare.spelling import expand, titled


@dataclass(frozen=True)
class Method:
    """What answers came from; its label stands in tables, and in configurations where no file is named."""

    algorithm: str
    """Name, or ``file.py:Class``."""
    solver: ExactSolver | None = None
    """Of an exact algorithm; ``None``: the algorithm's default."""
    parameters: tuple[str, ...] = ()
    """As ``name=value``."""

    @property
    def label(self) -> str:
        """``optimum-highs``, ``s2m3-greedy[order=file]``, ``mine.py:Mine``; a file without its folder."""
        name = Path(self.algorithm).name if self.file is not None else self.algorithm
        return titled(f"{name}-{self.solver}" if self.solver else name, self.parameters)

    @property
    def spec(self) -> str:
        """What ``--algorithm`` takes for it."""
        return titled(self.algorithm, self.parameters)

    @property
    def folder(self) -> str:
        """The label as a folder's name, of characters that mean nothing to a shell."""
        return folder_of(self.label)

    @property
    def file(self) -> Path | None:
        """The file that the algorithm is a class of; ``None`` where it has a name."""
        return Path(self.algorithm.rpartition(":")[0]) if ":" in self.algorithm else None

    @classmethod
    def all_of(cls, text: str) -> tuple[Self, ...]:
        """The methods that ``text`` names: one, or several by a grid of parameters.

        Raises:
            InputError: its brackets are wrong.
        """
        return tuple(cls._of(name, parameters) for name, parameters in expand(text))

    @classmethod
    def specs(cls, text: str) -> tuple[Self, ...]:
        """The same of an option ``--algorithm``, where the solver is no part of the text."""
        return tuple(cls(name, None, parameters) for name, parameters in expand(text))

    @classmethod
    def parse(cls, label: str) -> Self:
        """The first method of a text."""
        return cls.all_of(label)[0]

    @classmethod
    def _of(cls, name: str, parameters: tuple[str, ...]) -> Self:
        algorithm, _, last = name.rpartition("-")
        for solver in get_args(ExactSolver):
            if last == solver and algorithm:
                return cls(algorithm, solver, parameters)
        return cls(name, None, parameters)

    def load(self, finder: Finder[Any]) -> Any:
        """Make the algorithm.

        Raises:
            InputError: there is none of that name, or it has no such solver or parameter.
        """
        if self.solver is None:
            return finder.load(self.algorithm, self.parameters)
        if "solver" not in inspect.signature(finder.factory(self.algorithm)).parameters:
            raise InputError("--solver", self.solver, f"has no meaning for {self.algorithm}; leave it out")
        return finder.load(self.algorithm, self.parameters, solver=self.solver)


def folder_of(label: str) -> str:
    """A method's label as a folder's name."""
    return label.replace("[", "+").replace("]", "")


def check_labels(labels: Sequence[str]) -> None:
    """Refuse two methods of one label: their answers could not be told apart.

    Raises:
        InputError: names the label.
    """
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise InputError("--algorithm", label, "is there twice; keep one, or give one of the files another name")
