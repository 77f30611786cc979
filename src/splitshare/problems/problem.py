"""What a problem is: everything that commands, verdicts and rules need to know of it, in one record (ours)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from splitshare.choices import Sense
from splitshare.conformance import Check
from splitshare.errors import InputError
from splitshare.plugins import Finder
from splitshare.records import Instance

if TYPE_CHECKING:
    import pandas as pd


class Answer(Protocol):
    """A record of what an algorithm answered, checked and scored."""

    @property
    def instance_sha256(self) -> str:
        """Digest of the instance that it belongs to."""
        ...

    @property
    def algorithm(self) -> str:
        """What answered."""
        ...

    @property
    def status(self) -> str:
        """How it ended."""
        ...

    @property
    def objective(self) -> float | None:
        """The evaluator's."""
        ...

    @property
    def build_s(self) -> float:
        """Seconds of writing a program down."""
        ...

    @property
    def solve_s(self) -> float:
        """Seconds of everything else."""
        ...


InstanceKind = TypeVar("InstanceKind", bound=Instance)
AnswerKind = TypeVar("AnswerKind", bound=Answer)


@dataclass(frozen=True)
class Terms:
    """How people speak of the problem."""

    does: str
    """What an algorithm does with an instance: "places"."""
    answer: str
    """What it answers: "placement"."""
    decided: str
    """Field of the answer that is null where there is none: "assignment"."""
    reference: str = "the proved optimum"
    """What gaps are held against."""


@dataclass(frozen=True)
class Recorded(Generic[InstanceKind]):
    """Recorded instances and what known methods made of them."""

    instances: dict[str, tuple[InstanceKind, ...]]
    """By family."""
    results: pd.DataFrame
    """A row a family, instance, method and seed: ``family``, ``instance``, ``instance_sha256``, ``workload`` (what is
    drawn together), ``method``, ``seed``, ``objective``, ``reference`` (the proved optimum, or the best proved
    bound)."""
    held_out: frozenset[str] = frozenset()
    """Those of the families whose reference is the best value known; ``results`` has then the columns that
    ``splitshare.results.new_best`` speaks of, and methods that are random were run with ``FEW_SEEDS``."""


@dataclass(frozen=True)
class Problem(Generic[InstanceKind, AnswerKind]):
    """A problem: what is to be decided, how answers are found and what they are worth.

    A module of ``splitshare.problems``, or one that an entry point of the group ``splitshare.problems`` names, holds
    one as ``PROBLEM``. Its instances' files say ``<who>.<name>-instance/<version>`` as their ``schema``.
    """

    name: str
    instance: type[Any]
    """The record of an instance, an ``InstanceKind``."""
    answer: type[Any]
    """The record of an answer, an ``AnswerKind``."""
    finder: Finder[Any]
    """Where its algorithms are found."""
    solve: Callable[..., AnswerKind]
    """``solve(instance, algorithm, *, seed=0, time_limit_s=None)`` runs an algorithm, times it, checks and scores what
    it answers; raises ``WorkError`` where that does not hold."""
    score: Callable[[InstanceKind, AnswerKind], Mapping[str, Any]]
    """What an answer that decides something is worth, as plain data; raises ``WorkError`` where it breaks a rule."""
    worth: Callable[[AnswerKind], str]
    """What an answer is worth, in a few words."""
    decided: Callable[[AnswerKind], Any]
    """What the answer decides, to be compared with another run's; ``None`` where nothing."""
    sense: Sense
    """Whether less or more is better."""
    unit: str
    """Of the objective, as names of columns have it: "s", or nothing."""
    terms: Terms
    checks: tuple[Check, ...]
    """What the contract asks of an algorithm."""
    families: tuple[str, ...]
    """Families that a new algorithm is judged on."""
    timed_baseline: str
    """Algorithm that is timed again beside a new one, so that times recorded elsewhere can be scaled."""
    recorded: Callable[[Path, Sequence[str]], Recorded[InstanceKind]] | None = None
    """Read families of recorded instances and results below a directory; raises ``InputError``. ``None``: as
    ``splitshare.problems.standard`` does."""
    tuning_families: tuple[str, ...] = ()
    """Recorded families to try an algorithm on while it is made; a verdict on them is asked for by name."""
    held_out_families: tuple[str, ...] = ()
    """Harder families to judge on, which are asked for: their optima are not all proved, so that an algorithm can be
    the best known on an instance."""
    record: Callable[..., None] | None = None
    """``record(instances, *, methods, family, time_limit_s, output)`` solves instances by several methods and writes
    down below a directory what ``recorded`` reads; ``None``: as ``splitshare.problems.standard`` does."""

    @property
    def objective_column(self) -> str:
        """Name of the objective's column in tables: with the unit."""
        return f"objective_{self.unit}" if self.unit else "objective"

    @property
    def reference_column(self) -> str:
        """Name of the column of what gaps are held against."""
        return f"optimum_{self.unit}" if self.unit else "reference"

    @property
    def best_known_column(self) -> str:
        """Name of the column of what gaps are held against where that is the best value known."""
        return f"best_known_{self.unit}" if self.unit else "best_known"

    def read_answer(self, instance: Path, answer: Path) -> tuple[InstanceKind, AnswerKind]:
        """Read an instance and an answer to it that decides something.

        Raises:
            InputError: a file is wrong, the answer belongs to another instance, or it decides nothing.
        """
        asked, given = self.instance.read(instance), self.answer.read(answer)
        if given.instance_sha256 != asked.sha256():
            raise InputError(answer, "instance_sha256", f"belongs to another instance than {instance}; solve it again")
        if self.decided(given) is None:
            problem = f"is null ({given.status}): there is nothing to evaluate or replay"
            raise InputError(answer, self.terms.decided, problem)
        return asked, given
