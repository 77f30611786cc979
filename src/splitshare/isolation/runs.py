"""AlgorithmRun an algorithm that nobody has vetted: in processes of its own, with limits on time and memory.

Its file is imported there only, checked there, and run there; what it prints is dropped. A process answers piece by
piece, so that a crash or a hang costs one run and the rest go on in a new process. It is a guard against accidents,
not a prison: the code runs with the user's rights.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic, Literal, TypeVar

from splitshare.conformance import PATIENCE_S, CheckResult, run_checks
from splitshare.errors import InputError, SplitshareError, one_line
from splitshare.isolation.child import SILENT, Answers, Child, RunLimits, how
from splitshare.plugins import warm_up
from splitshare.problems import problem_and_algorithm, problem_named
from splitshare.records import Instance
from splitshare.spelling import single, titled

Failure = Literal["crashed", "overran", "broke the contract", "not run"]
START_S = 120.0
"""Seconds that a process may take to import the algorithm and to warm up."""
GIVE_UP = 3
"""Runs in a row of one group that overrun (or fail after their limit) or end their process, after which the rest of
the group is not run."""
CHECKS_S = 40.0
"""Seconds that all checks of the contract may take together."""
NAME_CHARACTERS = 60
"""Longest name that an algorithm may have."""
MESSAGE_CHARACTERS = 200
"""What an algorithm says when it fails is cut to this length."""

Kind = TypeVar("Kind", bound=Instance)


@dataclass(frozen=True)
class Described:
    """What an algorithm says of itself, read in a process of its own."""

    problem: str
    """Name of the problem that it solves."""
    name: str
    stochastic: bool


@dataclass(frozen=True)
class AlgorithmRun(Generic[Kind]):
    """One run to do; ``group`` is what is given up together when run after run overruns (a family)."""

    instance: Kind
    seed: int
    group: str = ""


@dataclass(frozen=True)
class Outcome(Generic[Kind]):
    """What became of a run: the record of an answer, or how it failed and what was said."""

    run: AlgorithmRun[Kind]
    answer: Any
    """A placement or an onloading decision; ``None`` where the run failed."""
    failure: Failure | None = None
    message: str = ""


def describe(algorithm: str, problem: str | None = None, limits: RunLimits | None = None) -> Described:
    """What ``algorithm`` (a name or ``file.py:Class``) is, and which problem's, where ``problem`` does not say it.

    Raises:
        InputError: it cannot be loaded, or its name cannot be a method's: empty, longer than ``NAME_CHARACTERS``, or
            with ``/``, a backslash or characters that do not print.
    """
    with Child(_describe, (algorithm, problem), limits or RunLimits()) as child:
        said = child.receive(START_S)
    if isinstance(said, InputError):
        raise said
    if not isinstance(said, Described):
        raise InputError("--algorithm", algorithm, f"cannot be loaded: {how(said, START_S)}")
    check_name(said.name, "--algorithm", algorithm)
    return said


def check_name(name: str, source: str, field: str) -> None:
    """Refuse a name that cannot stand in tables and names of files.

    Raises:
        InputError: names the mend.
    """
    if not name.strip() or len(name) > NAME_CHARACTERS or not name.isprintable() or set(name) & set("/\\"):
        what = repr(name) if len(name) <= NAME_CHARACTERS else f"{name[:20]!r}... ({len(name)} characters)"
        problem = (
            f"the name {what} cannot be a method's; give 1 to {NAME_CHARACTERS} printing characters without / or \\"
        )
        raise InputError(source, field, problem)


def check_contract(problem: str, algorithm: str, limits: RunLimits | None = None) -> list[CheckResult]:
    """Put an algorithm through the checks of its problem's contract; a result a check, whatever the algorithm does.

    A check that ends its process, or that comes after ``CHECKS_S`` are used up, has failed.
    """
    names = [check.name for check in problem_named(problem).checks]
    results: list[CheckResult] = []
    left_s = CHECKS_S
    while len(results) < len(names) and left_s > 0:
        with Child(_check, (problem, algorithm, tuple(names[len(results) :])), limits or RunLimits()) as child:
            if child.receive(START_S) is not None:
                break
            while len(results) < len(names) and left_s > 0:
                waited = min(left_s, 2 * PATIENCE_S)
                said, took_s = child.timed(waited)
                left_s -= took_s
                if isinstance(said, CheckResult):
                    results.append(said)
                    continue
                results.append(CheckResult(names[len(results)], False, how(said, waited)))
                break
    late = f"not tried: the checks before it took over {CHECKS_S:g} s, or ended every process"
    return [*results, *(CheckResult(name, False, late) for name in names[len(results) :])]


def run_limited(
    problem: str, algorithm: str, runs: Sequence[AlgorithmRun[Kind]], limits: RunLimits, *, hash_seed: int = 0
) -> Iterator[Outcome[Kind]]:
    """AlgorithmRun ``algorithm`` (a name or ``file.py:Class``) and yield an outcome a run, in order, as they come.

    After ``GIVE_UP`` runs in a row of one group that overran, failed after their limit or ended their process, the rest
    of that group is told to be ``not run``.

    Args:
        problem: its name.
        algorithm: what is run.
        runs: what is to be done.
        limits: of each run.
        hash_seed: ``PYTHONHASHSEED`` of the processes: sets are in another order with another one.

    Raises:
        InputError: the algorithm cannot be loaded; the message is the one that loading gives.
    """
    todo = list(runs)
    strikes: dict[str, int] = {}

    def lost(run: AlgorithmRun[Kind]) -> bool:
        return strikes.get(run.group, 0) >= GIVE_UP

    while todo:
        if lost(todo[0]):
            yield Outcome(todo.pop(0), None, "not run", f"given up: the last {GIVE_UP} runs overran or died")
            continue
        done = 0
        batch = list(takewhile(lambda run: not lost(run), todo))
        with closing(_one_process(problem, algorithm, batch, limits, hash_seed)) as outcomes:
            for outcome, struck in outcomes:
                done += 1
                strikes[outcome.run.group] = strikes.get(outcome.run.group, 0) + 1 if struck else 0
                yield outcome
                if lost(outcome.run):
                    break
        todo = todo[done:]


def within(outcomes: Sequence[Outcome[Kind]], budget_s: float) -> list[Outcome[Kind]]:
    """Outcomes with an answer, from the first on, that took no longer than the budget together."""
    chosen: list[Outcome[Kind]] = []
    spent = 0.0
    for outcome in outcomes:
        if outcome.answer is None:
            continue
        spent += outcome.answer.build_s + outcome.answer.solve_s
        if spent > budget_s:
            break
        chosen.append(outcome)
    return chosen


def _one_process(
    problem: str, algorithm: str, runs: Sequence[AlgorithmRun[Kind]], limits: RunLimits, hash_seed: int
) -> Generator[tuple[Outcome[Kind], bool], None, None]:
    """Outcomes from one process, up to and including the first that ends it; ``True``: it died or took too long."""
    with Child(_serve, (problem, algorithm, list(runs), limits), limits, hash_seed) as child:
        loaded = child.receive(START_S)
        if isinstance(loaded, InputError):
            raise loaded
        if loaded is not None:
            raise InputError("--algorithm", algorithm, f"its process did not start: {how(loaded, START_S)}")
        for run in runs:
            answer, took_s = child.timed(limits.deadline_s)
            if not isinstance(answer, tuple):
                failure: Failure = "overran" if answer == SILENT else "crashed"
                yield Outcome(run, None, failure, how(answer, limits.deadline_s)), True
                return
            outcome = Outcome(run, *answer)
            yield outcome, outcome.failure is not None and took_s > limits.time_s


class _Original:
    """An algorithm whose calls come back in the process that made them only, not in copies that they have forked."""

    def __init__(self, algorithm: Any, method: str) -> None:
        self._algorithm, self._method, self._pid = algorithm, method, os.getpid()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._algorithm, name)
        return self._once(attribute) if name == self._method else attribute

    def _once(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            try:
                return method(*arguments, **named)
            finally:
                if os.getpid() != self._pid:
                    os._exit(0)

        return called


def _in_one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - an exception of the algorithm's own that cannot even be shown
        text = "?"
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__, MESSAGE_CHARACTERS)


def _describe(connection: Answers, algorithm: str, problem: str | None) -> None:
    try:
        chosen, loaded = problem_and_algorithm(algorithm, problem)
        own = loaded.name
        if not isinstance(own, str):
            raise InputError("--algorithm", algorithm, "its `name` is no text; give it one")
        name = titled(str(own), single(algorithm)[1])
        said: Described | InputError = Described(chosen.name, name, bool(getattr(loaded, "stochastic", False)))
    except InputError as error:
        said = error
    except BaseException as error:  # noqa: BLE001 - importing or making it may do anything
        said = InputError("--algorithm", algorithm, f"cannot be loaded: {_in_one_line(error)}")
    connection.send(said)


def _check(connection: Answers, problem: str, algorithm: str, names: Sequence[str]) -> None:
    asked = problem_named(problem)
    original: Any = _Original(asked.finder.load(algorithm), asked.finder.method)
    with suppress(Exception):  # which every check tells
        warm_up(original)
    connection.send(None)
    for check in asked.checks:
        if check.name in names:
            try:
                (seen,) = run_checks(original, [check])
                result = CheckResult(seen.check, seen.passed, one_line(seen.message, MESSAGE_CHARACTERS))
            except BaseException as error:  # noqa: BLE001 - whatever passes the check's own guard
                result = CheckResult(check.name, False, _in_one_line(error))
            connection.send(result)


def _serve(connection: Answers, problem: str, algorithm: str, runs: list[AlgorithmRun[Any]], limits: RunLimits) -> None:
    """Load, then answer run by run."""
    try:
        asked = problem_named(problem)
        original = _Original(asked.finder.load(algorithm), asked.finder.method)
        warm_up(original)  # outside the time of a run
    except SplitshareError as error:
        connection.send(error)
        return
    except BaseException as error:  # noqa: BLE001 - warming up may do anything
        connection.send(InputError("--algorithm", algorithm, f"cannot be warmed up: {_in_one_line(error)}"))
        return
    connection.send(None)
    for run in runs:
        try:
            own = run.instance.model_copy(deep=True)  # what one run does to its instance must not reach the next
            answer = asked.solve(own, original, seed=run.seed, time_limit_s=limits.time_s)
            connection.send((answer, None, ""))
        except SplitshareError as error:
            connection.send((None, "broke the contract", _in_one_line(error).partition(": ")[2]))
        except BaseException as error:  # noqa: BLE001 - whatever a user's algorithm raises is a result of the comparison
            connection.send((None, "crashed", _in_one_line(error)))
