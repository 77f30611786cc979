"""Run an algorithm that nobody has vetted: in processes of its own, with limits on time and memory.

Its file is imported there only, checked there, and run there; what it prints is dropped. A process answers piece by
piece, so that a crash or a hang costs one run and the rest go on in a new process. It is a guard against accidents,
not a prison: the code runs with the user's rights.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import resource
import signal
import struct
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from splitshare.errors import InputError, SplitshareError, one_line
from splitshare.records import Record

if TYPE_CHECKING:
    from splitshare.placement.conformance import CheckResult

Failure = Literal["crashed", "overran", "broke the contract", "not run"]
START_S = 60.0
"""Seconds that a process may take to import the algorithm."""
GIVE_UP = 3
"""Runs in a row of one group that overrun (or fail after their limit) or end their process, after which the rest of
the group is not run."""
CHECKS_S = 40.0
"""Seconds that all checks of the contract may take together."""
NAME_CHARACTERS = 60
"""Longest name that an algorithm may have."""
MESSAGE_CHARACTERS = 200
"""What an algorithm says when it fails is cut to this length."""
MESSAGE_BYTES = 2**28
"""Longest answer that is read from a process; whatever announces a longer one is no answer."""
MARK = "SPLITSHARE_SANDBOX"
"""Environment variable by which a process and all that it starts are found again."""


Package = Literal["splitshare.placement", "splitshare.onloading"]
"""The problem's package: its ``contract`` loads algorithms, its ``run`` solves an instance with one."""
Instance = TypeVar("Instance", bound=Record)


@dataclass(frozen=True)
class Described:
    """What an algorithm says of itself, read in a process of its own."""

    package: Package
    name: str
    stochastic: bool


@dataclass(frozen=True)
class Run(Generic[Instance]):
    """One run to do; ``group`` is what is given up together when run after run overruns (a family)."""

    instance: Instance
    seed: int
    group: str = ""


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


def describe(algorithm: str, package: Package | None = None, limits: Limits | None = None) -> Described:
    """What ``algorithm`` (a name or ``file.py:Class``) is, and which problem's, where ``package`` does not say it.

    Raises:
        InputError: it cannot be loaded, or its name cannot be a method's: empty, longer than ``NAME_CHARACTERS``, or
            with ``/``, a backslash or characters that do not print.
    """
    with _Child(_describe, (algorithm, package), limits or Limits()) as child:
        said = child.receive(START_S)
    if isinstance(said, InputError):
        raise said
    if not isinstance(said, Described):
        raise InputError("--algorithm", algorithm, f"cannot be loaded: {_how(said, START_S)}")
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


def check_contract(algorithm: str, limits: Limits | None = None) -> list[CheckResult]:
    """Put a placement algorithm through the contract's checks; a result a check, whatever the algorithm does.

    A check that ends its process, or that comes after ``CHECKS_S`` are used up, has failed.
    """
    from splitshare.placement.conformance import CHECKS, PATIENCE_S, CheckResult

    names = [check.name for check in CHECKS]
    results: list[CheckResult] = []
    left_s = CHECKS_S
    while len(results) < len(names) and left_s > 0:
        with _Child(_check, (algorithm, tuple(names[len(results) :])), limits or Limits()) as child:
            if child.receive(START_S) is not None:
                break
            while len(results) < len(names) and left_s > 0:
                waited = min(left_s, 2 * PATIENCE_S)
                said, took_s = child.timed(waited)
                left_s -= took_s
                if isinstance(said, CheckResult):
                    results.append(said)
                    continue
                results.append(CheckResult(names[len(results)], False, _how(said, waited)))
                break
    late = f"not tried: the checks before it took over {CHECKS_S:g} s, or ended every process"
    return [*results, *(CheckResult(name, False, late) for name in names[len(results) :])]


def run_limited(
    package: Package, algorithm: str, runs: Sequence[Run[Instance]], limits: Limits, *, hash_seed: int = 0
) -> Iterator[Outcome[Instance]]:
    """Run ``algorithm`` (a name or ``file.py:Class``) and yield an outcome a run, in order, as they come.

    After ``GIVE_UP`` runs in a row of one group that overran, failed after their limit or ended their process, the rest
    of that group is told to be ``not run``.

    Args:
        package: of the problem.
        algorithm: what is run.
        runs: what is to be done.
        limits: of each run.
        hash_seed: ``PYTHONHASHSEED`` of the processes: sets are in another order with another one.

    Raises:
        InputError: the algorithm cannot be loaded; the message is the one that loading gives.
    """
    todo = list(runs)
    strikes: dict[str, int] = {}

    def lost(run: Run[Instance]) -> bool:
        return strikes.get(run.group, 0) >= GIVE_UP

    while todo:
        if lost(todo[0]):
            yield Outcome(todo.pop(0), None, "not run", f"given up: the last {GIVE_UP} runs overran or died")
            continue
        done = 0
        batch = list(takewhile(lambda run: not lost(run), todo))
        with closing(_one_process(package, algorithm, batch, limits, hash_seed)) as outcomes:
            for outcome, struck in outcomes:
                done += 1
                strikes[outcome.run.group] = strikes.get(outcome.run.group, 0) + 1 if struck else 0
                yield outcome
                if lost(outcome.run):
                    break
        todo = todo[done:]


def within(outcomes: Sequence[Outcome[Instance]], budget_s: float) -> list[Outcome[Instance]]:
    """Outcomes with an answer, from the first on, that took no longer than the budget together."""
    chosen: list[Outcome[Instance]] = []
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
    package: Package, algorithm: str, runs: Sequence[Run[Instance]], limits: Limits, hash_seed: int
) -> Generator[tuple[Outcome[Instance], bool], None, None]:
    """Outcomes from one process, up to and including the first that ends it; ``True``: it died or took too long."""
    with _Child(_serve, (package, algorithm, list(runs), limits), limits, hash_seed) as child:
        loaded = child.receive(START_S)
        if isinstance(loaded, InputError):
            raise loaded
        if loaded is not None:
            raise InputError("--algorithm", algorithm, f"its process did not start: {_how(loaded, START_S)}")
        for run in runs:
            answer, took_s = child.timed(limits.deadline_s)
            if not isinstance(answer, tuple):
                failure: Failure = "overran" if answer == _SILENT else "crashed"
                yield Outcome(run, None, failure, _how(answer, limits.deadline_s)), True
                return
            outcome = Outcome(run, *answer)
            yield outcome, outcome.failure is not None and took_s > limits.time_s


_SILENT, _GONE = "silent", "gone"


def _how(said: object, waited_s: float) -> str:
    return f"no answer in {waited_s:g} s" if said == _SILENT else "its process died"


class _Child:
    """A fresh interpreter: nothing of this one can be touched, nothing of it or of what it has started stays.

    Processes that it started are found by a mark in their environment, in whatever session they are (Linux).
    """

    def __init__(
        self, serve: Callable[..., None], arguments: tuple[Any, ...], limits: Limits, hash_seed: int = 0
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_quiet, args=(theirs, serve, arguments, limits.memory_bytes), daemon=True
        )
        self._mark, self._read = uuid.uuid4().hex, bytearray()
        resource_tracker.ensure_running()  # it is ours: started now, it does not bear the mark
        with _environment({"PYTHONHASHSEED": str(hash_seed), MARK: self._mark}):
            self._process.start()
        theirs.close()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        pid = self._process.pid
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # with whatever it has started; ours is another group
        self._process.kill()
        self._process.join()
        _end_marked(self._mark)
        self._ours.close()

    def receive(self, timeout_s: float) -> object:
        """What the process sent, or ``_SILENT`` or ``_GONE`` (also where what it sent is no answer)."""
        until_s = time.monotonic() + timeout_s
        try:
            (size,) = _SIZE.unpack(self._bytes(_SIZE.size, until_s))
            return pickle.loads(self._bytes(size, until_s)) if size <= MESSAGE_BYTES else _GONE
        except TimeoutError:
            return _SILENT
        except Exception:  # the other side may write anything, an unfinished message among it
            return _GONE

    def _bytes(self, count: int, until_s: float) -> bytes:
        """The next ``count`` bytes.

        Raises:
            TimeoutError: they do not come in time.
            EOFError: the process ended, though something that it started may hold the pipe open.
        """
        while len(self._read) < count:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            alive = self._process.is_alive()  # asked first: what it sent before it died is still read
            if self._ours.poll(min(left_s, 0.1) if alive else 0):
                more = os.read(self._ours.fileno(), 2**16)
                if not more:
                    raise EOFError
                self._read += more
            elif not alive:
                raise EOFError
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def timed(self, timeout_s: float) -> tuple[object, float]:
        """What the process sent, and the seconds that it took."""
        started = time.monotonic()
        said = self.receive(timeout_s)
        return said, time.monotonic() - started


def _quiet(connection: Connection, serve: Callable[..., None], arguments: tuple[Any, ...], memory_bytes: int) -> None:
    """The process's side: a group of its own, no output, bounded memory."""
    from splitshare.replay.emulator.processes import end_with_parent

    end_with_parent()
    os.setpgid(0, 0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    serve(_Answers(connection), *arguments)


_SIZE = struct.Struct(">Q")


class _Answers:
    """Where a process answers; a copy of it that the algorithm has forked does not, and ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._pid = connection, os.getpid()

    def send(self, value: object) -> None:
        """Send ``value``, its length first."""
        if os.getpid() != self._pid:
            os._exit(0)
        pickled = pickle.dumps(value)
        left = memoryview(_SIZE.pack(len(pickled)) + pickled)
        while left:
            left = left[os.write(self._connection.fileno(), left) :]


class _Original:
    """An algorithm whose calls come back in the process that made them only, not in copies that they have forked."""

    def __init__(self, made: Any) -> None:
        self._made, self._pid = made, os.getpid()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        return self._once(found) if name in {"place", "onload"} else found

    def _once(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            try:
                return call(*arguments, **named)
            finally:
                if os.getpid() != self._pid:
                    os._exit(0)

        return called


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the block, which starts a process."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end_marked(mark: str) -> None:
    """Kill the processes that bear the mark, and those that they start meanwhile."""
    wanted = f"{MARK}={mark}".encode()
    found = True
    while found:
        found = False
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):  # ended meanwhile, or another user's
                if wanted in path.read_bytes().split(b"\0"):
                    os.kill(int(path.parent.name), signal.SIGKILL)
                    found = True


def _in_one_line(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # an exception of the algorithm's own that cannot even be shown
        text = "?"
    return one_line(f"{type(error).__name__}: {text}" if text else type(error).__name__, MESSAGE_CHARACTERS)


def _describe(connection: _Answers, algorithm: str, package: Package | None) -> None:
    from splitshare.problem import problem_of_algorithm

    try:
        if package is None:
            chosen = problem_of_algorithm(algorithm)
            package = "splitshare.onloading" if chosen == "onloading" else "splitshare.placement"
        made = importlib.import_module(f"{package}.contract").load(algorithm)
        name = made.name
        if not isinstance(name, str):
            raise InputError("--algorithm", algorithm, "its `name` is no text; give it one")
        said: Described | InputError = Described(package, str(name), bool(getattr(made, "stochastic", False)))
    except InputError as error:
        said = error
    except BaseException as error:  # importing or making it may do anything
        said = InputError("--algorithm", algorithm, f"cannot be loaded: {_in_one_line(error)}")
    connection.send(said)


def _check(connection: _Answers, algorithm: str, names: Sequence[str]) -> None:
    from splitshare.placement.conformance import CHECKS, CheckResult, run_checks
    from splitshare.placement.contract import load

    made: Any = _Original(load(algorithm))
    connection.send(None)
    for check in CHECKS:
        if check.name in names:
            try:
                (found,) = run_checks(made, [check])
                result = CheckResult(found.check, found.passed, one_line(found.message, MESSAGE_CHARACTERS))
            except BaseException as error:  # whatever passes the check's own guard
                result = CheckResult(check.name, False, _in_one_line(error))
            connection.send(result)


def _serve(connection: _Answers, package: Package, algorithm: str, runs: list[Run[Any]], limits: Limits) -> None:
    """Load, then answer run by run."""
    try:
        made = _Original(importlib.import_module(f"{package}.contract").load(algorithm))
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
            connection.send((None, "broke the contract", _in_one_line(error).partition(": ")[2]))
        except BaseException as error:  # whatever a user's algorithm raises is a result of the comparison
            connection.send((None, "crashed", _in_one_line(error)))
