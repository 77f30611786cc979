"""Run an algorithm that nobody has vetted: in a process of its own, with limits on time and memory.

The process answers run by run, so that a crash or a hang costs one run and the rest go on in a new process. It is a
guard against accidents, not a prison: the code runs with the user's rights.
"""

from __future__ import annotations

import importlib
import multiprocessing
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, Literal, TypeVar

from splitshare.errors import InputError, SplitshareError
from splitshare.records import Record

Failure = Literal["crashed", "overran", "broke the contract"]
START_S = 60.0
"""Seconds that a process may take to import the algorithm."""


Package = Literal["splitshare.placement", "splitshare.onloading"]
"""The problem's package: its ``contract`` loads algorithms, its ``run`` solves an instance with one."""
Instance = TypeVar("Instance", bound=Record)


@dataclass(frozen=True)
class Run(Generic[Instance]):
    """One run to do."""

    instance: Instance
    seed: int


@dataclass(frozen=True)
class Outcome(Generic[Instance]):
    """What became of a run: the record of an answer, or how it failed and what was said."""

    run: Run[Instance]
    answer: Any
    """A placement or an onloading decision; ``None`` where the run failed."""
    failure: Failure | None = None
    message: str = ""


@dataclass(frozen=True)
class Limits:
    """What one run may take."""

    time_s: float = 10.0
    """Told to the algorithm; its process is stopped at twice this and a second."""
    memory_bytes: int = 8 * 2**30
    """Address space of the process."""

    @property
    def deadline_s(self) -> float:
        """Seconds after which a run is stopped."""
        return 2 * self.time_s + 1


def run_limited(
    package: Package, algorithm: str, runs: Sequence[Run[Instance]], limits: Limits
) -> Iterator[Outcome[Instance]]:
    """Run ``algorithm`` (a name or ``file.py:Class``) and yield an outcome a run, in order, as they come.

    Raises:
        InputError: the algorithm cannot be loaded; the message is the one that loading gives.
    """
    todo = list(runs)
    while todo:
        done = 0
        for outcome in _one_process(package, algorithm, todo, limits):
            done += 1
            yield outcome
        todo = todo[done:]


def _one_process(
    package: Package, algorithm: str, runs: Sequence[Run[Instance]], limits: Limits
) -> Iterator[Outcome[Instance]]:
    """Outcomes from one process, up to and including the first that ends it."""
    context = multiprocessing.get_context("spawn")  # a fresh interpreter: nothing of this one can be touched
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, package, algorithm, list(runs), limits), daemon=True)
    process.start()
    theirs.close()
    try:
        loaded = _receive(ours, START_S)
        if isinstance(loaded, InputError):
            raise loaded
        if loaded is not None:
            raise InputError("--algorithm", algorithm, f"its process did not start: {loaded}")
        for run in runs:
            answer = _receive(ours, limits.deadline_s)
            if isinstance(answer, str):
                failure: Failure = "overran" if answer == _SILENT else "crashed"
                told = f"no answer in {limits.deadline_s:g} s" if answer == _SILENT else "its process died"
                yield Outcome(run, None, failure, told)
                return
            assert isinstance(answer, tuple)
            yield Outcome(run, *answer)
    finally:
        process.kill()
        process.join()


_SILENT, _GONE = "silent", "gone"


def _receive(connection: Connection, timeout_s: float) -> object:
    """What the process sent, or ``_SILENT`` or ``_GONE``."""
    try:
        return connection.recv() if connection.poll(timeout_s) else _SILENT
    except EOFError:
        return _GONE


def _serve(connection: Connection, package: Package, algorithm: str, runs: list[Run[Any]], limits: Limits) -> None:
    """The process's side: load, then answer run by run."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    try:
        made = importlib.import_module(f"{package}.contract").load(algorithm)
        solve = importlib.import_module(f"{package}.run").solve
    except SplitshareError as error:
        connection.send(error)
        return
    connection.send(None)
    for run in runs:
        try:
            own = run.instance.model_copy(deep=True)  # what one run does to its instance must not reach the next
            answer = solve(own, made, seed=run.seed, time_limit_s=limits.time_s)
            connection.send((answer, None, ""))
        except SplitshareError as error:
            connection.send((None, "broke the contract", str(error)))
        except Exception as error:  # whatever a user's algorithm raises is a result of the comparison
            connection.send((None, "crashed", f"{type(error).__name__}: {error}"))
