"""Contract checks that any algorithm can be put through, shipped or somebody's own; what is the same for all problems.

Each check brings its own small instances and answers with a result instead of raising. The algorithm runs in this
process; a call that does not come back is interrupted where the platform allows it (Unix, main thread, Python code).
Code that nobody has vetted belongs in a process of its own, see ``splitshare.isolation``. What differs from process to
process only, such as the order of a set, cannot be seen from inside one.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from splitshare.errors import SplitshareError
from splitshare.plugins import warm_up
from splitshare.records import Instance

TIME_LIMIT_S = 1.0
"""Limit that the check of time limits sets."""
SLACK_S = 2.0
"""Seconds over its limit that an algorithm may take: machines are busy and solvers finish what they began."""
PATIENCE_S = 10.0
"""Seconds that a call on a small instance may take without a limit."""

Kind = TypeVar("Kind", bound=Instance)


@dataclass(frozen=True)
class CheckResult:
    """What a check found."""

    check: str
    passed: bool
    message: str
    """What was seen, or what is wrong and on which instance."""


@dataclass(frozen=True)
class Check:
    """A named check of the contract."""

    name: str
    demands: str
    """What the check asks of an algorithm, in a sentence."""
    run: Callable[[Any], str]
    """Returns what was seen; raises ``BrokenError`` with what is wrong."""


class BrokenError(Exception):
    """The contract is broken; says how."""


class Contract(Protocol[Kind]):
    """What the checks need to know of a problem."""

    def prepared(self, algorithm: Any, base: Kind) -> Kind:
        """The instance, never ``base`` itself, as ``algorithm`` is to get it."""
        ...

    def ask(self, algorithm: Any, instance: Kind, *, seed: int, time_limit: float | None) -> Any:
        """Call the algorithm, without any guard."""
        ...

    def decided(self, answer: Any) -> Any:
        """What was decided, in one form that can be compared, or ``None``.

        Raises:
            BrokenError: the answer is not of the form that the contract asks for.
        """
        ...

    def hold(self, instance: Kind, decided: Any) -> None:
        """Check a decision by the evaluator.

        Raises:
            BrokenError: it breaks a rule; says which.
        """
        ...


@dataclass(frozen=True)
class Call(Generic[Kind]):
    """A call that came back with an answer of the right form."""

    instance: Kind
    """The instance that was to be solved, as the algorithm got it."""
    decided: Any
    """What was decided, or ``None``."""
    elapsed_s: float


def run_checks(algorithm: Any, checks: Sequence[Check]) -> list[CheckResult]:
    """Put ``algorithm`` through ``checks``; a result a check, in order, whatever the algorithm does."""
    results: list[CheckResult] = []
    for check in checks:
        try:
            results.append(CheckResult(check.name, True, check.run(algorithm)))
        except BrokenError as broken:
            results.append(CheckResult(check.name, False, str(broken)))
    return results


def call(
    contract: Contract[Kind],
    algorithm: Any,
    base: Kind,
    *,
    seed: int = 0,
    time_limit: float | None = None,
    patience_s: float = PATIENCE_S,
) -> Call[Kind]:
    """Call the algorithm and look at the form of its answer.

    Raises:
        BrokenError: it raises, does not come back, or answers something of another form.
    """
    instance = contract.prepared(algorithm, base)
    try:
        warm_up(algorithm)
    except SplitshareError as error:
        raise BrokenError(str(error)) from error
    started = time.perf_counter()
    try:
        with _interrupted_after(patience_s):
            answer = contract.ask(algorithm, instance, seed=seed, time_limit=time_limit)
    except _Overran:
        limit = "no time limit" if time_limit is None else f"a time limit of {time_limit:g} s"
        raise BrokenError(f"{base.name}: no answer after {patience_s:g} s, with {limit}") from None
    except (Exception, SystemExit) as error:  # an algorithm may raise anything; that is what is reported
        raise BrokenError(f"{base.name}: raised {type(error).__name__}: {error}") from error
    elapsed_s = time.perf_counter() - started
    try:
        return Call(instance, contract.decided(answer), elapsed_s)
    except BrokenError as error:
        raise BrokenError(f"{base.name}: {error}") from None


def deterministic(
    contract: Contract[Kind], algorithm: Any, instances: Sequence[Kind], *, differs: str, same: str
) -> str:
    """Every instance twice with two seeds, in another order the second time, so that what a call leaves behind shows.

    Args:
        contract: of the problem.
        algorithm: that is checked.
        instances: small ones.
        differs: what two runs do that should do the same, such as "place modules differently".
        same: what was the same, such as "placements".

    Raises:
        BrokenError: two answers with the same seed differ.
    """
    runs = [(instance, seed) for instance in instances for seed in (0, 1)]
    order = [0, 0, *range(1, len(runs)), *reversed(range(len(runs)))]
    first: dict[int, Any] = {}
    for k in order:
        instance, seed = runs[k]
        decided = call(contract, algorithm, instance, seed=seed).decided
        if first.setdefault(k, decided) != decided:
            raise BrokenError(f"{instance.name}: two runs with seed {seed} {differs}")
    varied = "agree" if all(first[k] == first[k + 1] for k in range(0, len(runs), 2)) else "differ"
    return f"the same {same} twice with the same seed; those of two seeds {varied}"


def leaves_alone(contract: Contract[Kind], algorithm: Any, instances: Sequence[Kind]) -> str:
    """No instance is another one after the call.

    Raises:
        BrokenError: one was changed.
    """
    for base in instances:
        digest = contract.prepared(algorithm, base).sha256()
        if call(contract, algorithm, base).instance.sha256() != digest:
            raise BrokenError(f"{base.name}: the instance is not what it was before the call")
    return f"{len(instances)} instances are as they were"


def keeps_time_limit(contract: Contract[Kind], algorithm: Any, small: Kind, large: Kind, size: str) -> str:
    """A large instance is answered within the limit and the slack; a small one before it brings imports about.

    Args:
        contract: of the problem.
        algorithm: that is checked.
        small: what is solved first, untimed.
        large: what is timed.
        size: the large one's, in words.

    Raises:
        BrokenError: it took longer, or the answer does not hold.
    """
    allowed_s = TIME_LIMIT_S + SLACK_S
    call(contract, algorithm, small, time_limit=TIME_LIMIT_S)
    timed = call(contract, algorithm, large, time_limit=TIME_LIMIT_S, patience_s=allowed_s)
    if timed.elapsed_s > allowed_s:
        raise BrokenError(f"{large.name}: took {timed.elapsed_s:.2f} s with a time limit of {TIME_LIMIT_S:g} s")
    if timed.decided is not None:
        contract.hold(timed.instance, timed.decided)
    return f"{timed.elapsed_s:.2f} s for {size}, of {TIME_LIMIT_S:g} s + {SLACK_S:g} s"


def standard_checks(contract: Contract[Kind], small: Sequence[Kind], large: Kind, size: str) -> tuple[Check, ...]:
    """Checks that need nothing of a problem but instances.

    Args:
        contract: of the problem.
        small: instances that any algorithm solves at once; at least one.
        large: an instance that a slow algorithm cannot finish within ``TIME_LIMIT_S``.
        size: the large one's, in words.
    """

    def feasible(algorithm: Any) -> str:
        answered = [call(contract, algorithm, base) for base in small]
        for one in answered:
            if one.decided is not None:
                contract.hold(one.instance, one.decided)
        return f"{sum(one.decided is not None for one in answered)} of {len(small)} instances answered"

    def repeats(algorithm: Any) -> str:
        return deterministic(contract, algorithm, small, differs="answer differently", same="answers")

    return (
        Check("feasible", "answers with what holds, or honestly with nothing", feasible),
        Check("deterministic", "answers the same for the same seed", repeats),
        Check("leaves-the-instance", "leaves the instance alone", lambda a: leaves_alone(contract, a, small)),
        Check(
            "time-limit",
            f"keeps its time limit, {SLACK_S:g} s aside",
            lambda a: keeps_time_limit(contract, a, small[0], large, size),
        ),
    )


def in_short(value: Any) -> str:
    """A value in at most 80 characters, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain data with names replaced wherever they stand, as keys too."""
    match value:
        case dict():
            return {names.get(key, key): renamed(inner, names) for key, inner in value.items()}
        case list():
            return [renamed(inner, names) for inner in value]
        case str():
            return names.get(value, value)
    return value


class _Overran(BaseException):
    """Interrupts a call; not an ``Exception``, so that algorithms which catch those are interrupted too."""


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raise ``_Overran`` in the block after ``seconds``, where signals can do that; otherwise wait for its end."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise _Overran

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
