"""A method: an algorithm, with the solver that it uses and the parameters that are not its own defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

from splitshare.choices import Solver
from splitshare.plugins import Finder


@dataclass(frozen=True)
class Method:
    """What answers came from; its label stands in tables, in configurations and in names of folders."""

    algorithm: str
    """Name, or ``file.py:Class``."""
    solver: Solver | None = None
    """Of an exact algorithm; ``None``: the algorithm's default."""
    parameters: tuple[str, ...] = ()
    """As ``name=value``."""

    @property
    def label(self) -> str:
        """``optimum-highs``, ``s2m3-greedy[order=file]``."""
        return titled(f"{self.algorithm}-{self.solver}" if self.solver else self.algorithm, self.parameters)

    @classmethod
    def parse(cls, label: str) -> Self:
        """The method of a label, where it has no parameters."""
        algorithm, _, last = label.rpartition("-")
        for solver in get_args(Solver):
            if last == solver and algorithm:
                return cls(algorithm, solver)
        return cls(label)

    def load(self, finder: Finder[Any]) -> Any:
        """Make the algorithm.

        Raises:
            InputError: there is none of that name, or it has no such solver or parameter.
        """
        options = {} if self.solver is None else {"solver": self.solver}
        return finder.load(self.algorithm, self.parameters, **options)


def titled(name: str, parameters: Sequence[str]) -> str:
    """What answers call an algorithm of this name: other parameters than its own are said too."""
    return f"{name}[{','.join(parameters)}]" if parameters else name
