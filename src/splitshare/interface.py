"""What ``import splitshare`` gives: the library for notebooks and loops, in the running process.

Nothing here is a way around the contract: an algorithm is the same object as for the command line, answers are checked
and scored by the one evaluator of their problem. What is run here is trusted code; ``splitshare compare`` runs what
nobody has vetted, in processes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from splitshare.errors import InputError
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.objective import evaluate as evaluate_placement
from splitshare.placement.variants import apply_variant
from splitshare.placement.what_if import with_memory_for_all
from splitshare.places import DATA
from splitshare.problems import names, problem_and_algorithm, problem_named, problem_of_instance
from splitshare.problems.problem import Problem, Recorded
from splitshare.problems.standard import read_recorded
from splitshare.records import nearest
from splitshare.replay.generators import bursty_trace, poisson_trace, trace_at
from splitshare.replay.metrics import request_metrics
from splitshare.replay.plan import LinkModel
from splitshare.replay.result import ReplayResult
from splitshare.replay.serving.rules import AS_ALWAYS, Serving
from splitshare.replay.simulator import simulate as replay
from splitshare.replay.traces import RequestTrace, read_trace
from splitshare.results.recording import FEW_SEEDS, STOCHASTIC_SEEDS, seeds_of
from splitshare.results.verdict import Verdict, in_words, judge, summary_table
from splitshare.spelling import single, titled
from splitshare.stages.compare import with_reference

__all__ = [
    "Comparison",
    "algorithm",
    "bursty_trace",
    "compare",
    "evaluate",
    "instances",
    "known_problems",
    "poisson_trace",
    "read_instance",
    "read_trace",
    "request_metrics",
    "simulate",
    "solve",
    "trace_at",
]

Split = Literal["tuning", "test"]


def known_problems() -> dict[str, Problem[Any, Any]]:
    """All problems by name; each has its ``families`` and ``tuning_families``, and algorithms (``finder.names()``)."""
    return {name: problem_named(name) for name in names()}


def instances(family: str, *, data: Path = DATA) -> tuple[Any, ...]:
    """The recorded instances of a family, such as ``"s2m3"``, ``"random-tuning"`` or ``"j3o"``.

    Args:
        family: which.
        data: the data folder.

    Raises:
        InputError: there is no such family.
    """
    return _recorded(_problem_of_family(family).name, (family,), data).instances[family]


def read_instance(path: Path | str) -> Any:
    """Read an instance of any problem.

    Raises:
        InputError: names the file, the field and the mend.
    """
    path = Path(path)
    return problem_of_instance(path).instance.read(path)


def algorithm(spec: str, problem: str | None = None, /, **parameters: Any) -> Any:
    """Make the algorithm of a name, or of ``file.py:Class``.

    Args:
        spec: which.
        problem: the problem's name, where several have an algorithm of that name.
        parameters: its own parameters, as values.

    Raises:
        InputError: there is none, or it has no such parameter.
    """
    owner, made = problem_and_algorithm(spec, problem)
    return owner.finder.load(spec, **parameters) if parameters else made


def solve(instance: Any, by: Any, *, seed: int = 0, time_limit_s: float | None = None) -> Any:
    """Run an algorithm on an instance; its answer is checked, and scored by the evaluator.

    Args:
        instance: of any problem.
        by: an algorithm, or the name of one.
        seed: of what is random in it.
        time_limit_s: seconds that it is told to take at most.

    Returns:
        The answer's record: a ``Placement`` (``assignment``, ``objective`` in seconds) or an ``OnloadingDecision``.

    Raises:
        InputError: there is no algorithm of that name.
        WorkError: the algorithm changed the instance, or an exact method's objective does not hold.
    """
    problem = _problem_of(instance)
    made = problem.finder.load(by) if isinstance(by, str) else _object(by, problem)
    return problem.solve(instance, made, seed=seed, time_limit_s=time_limit_s)


def evaluate(instance: Any, answer: Any) -> Mapping[str, Any]:
    """What an answer is worth.

    Args:
        instance: of any problem.
        answer: its answer's record; for a placement, devices by module will do: a name each, or several.

    Returns:
        For a placement ``objective`` (seconds), ``latency_s`` by request class and ``memory_bytes`` by device.

    Raises:
        WorkError: the answer breaks a rule, which is named; or it decides nothing.
    """
    problem = _problem_of(instance)
    if isinstance(answer, Mapping):
        answer = problem.solve(instance, _Fixed(answer))
    if problem.decided(answer) is None:
        raise InputError("answer", problem.terms.decided, answer.reason or f"is null ({answer.status})")
    return problem.score(instance, answer)


def simulate(
    instance: PlacementInstance,
    placement: Placement,
    trace: RequestTrace,
    *,
    link_model: LinkModel = "serial",
    serving: Serving = AS_ALWAYS,
) -> ReplayResult:
    """Replay a trace on a placement; ``request_metrics(result.requests)`` sums it up.

    Args:
        instance: of the placement problem.
        placement: its answer.
        trace: requests, such as ``poisson_trace`` gives.
        link_model: how transfers share links.
        serving: other queues, routing among copies, memory that is short, deadlines; its ``hosts`` are the placement's.

    Returns:
        ``requests``, a row a request, and ``stages``, a row a stage of each; times in seconds.

    Raises:
        InputError: the placement is of another instance, or places nothing; or rules of serving do not go together.
    """
    if placement.instance_sha256 != instance.sha256():
        raise InputError("placement", "instance_sha256", f"is of another instance than {instance.name!r}")
    if placement.assignment is None:
        raise InputError("placement", "assignment", f"is null ({placement.status}): there is nothing to replay")
    solved = apply_variant(instance, placement.variant)
    judged = solved if serving.swapping is None else with_memory_for_all(solved)
    routes = evaluate_placement(judged, placement.assignment).routes
    placed = replace(serving, hosts=placement.assignment)
    return replay(solved, routes, trace, link_model=link_model, serving=placed)


@dataclass(frozen=True)
class Comparison:
    """An algorithm's runs over recorded instances, held against what is recorded."""

    method: str
    problem: Problem[Any, Any]
    results: pd.DataFrame
    """A row a run: ``family, instance, workload, seed, status, reason, objective, reference, gap, solve_s``."""
    recorded: pd.DataFrame
    held_out: frozenset[str] = frozenset()
    """Families whose reference is the best value known."""

    @property
    def mean_gap(self) -> float:
        """Mean relative gap to the reference over the runs that answered; NaN where none did."""
        return float(self.results["gap"].mean())

    @property
    def answered(self) -> float:
        """Share of runs with a feasible answer."""
        return float(self.results["objective"].notna().mean())

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One a family: summaries and duels with every recorded method; takes a second or two."""
        return tuple(
            judge(
                self.results,
                self.recorded,
                self.method,
                family=str(family),
                sense=self.problem.sense,
                best_known=family in self.held_out,
            )
            for family in self.results["family"].unique()
        )

    @property
    def summary(self) -> pd.DataFrame:
        """A row a family and method: placed, optimal, gaps, duels."""
        return pd.concat([summary_table(verdict) for verdict in self.verdicts], ignore_index=True)

    def __str__(self) -> str:
        terms = self.problem.terms
        told = {"does": terms.does, "reference": terms.reference, "unit": self.problem.unit}
        return "\n".join(in_words(verdict, **told) for verdict in self.verdicts)


def compare(
    by: Any, *, split: Split = "test", families: Sequence[str] = (), problem: str | None = None, data: Path = DATA
) -> Comparison:
    """Run an algorithm over recorded instances, in this process, and hold it against the recorded methods.

    ``split="tuning"`` is for loops: its instances are apart from those on which verdicts are given, so that tuning
    cannot leak. What an algorithm raises is raised.

    Args:
        by: an algorithm, or the name of one; ``name[parameter=value]`` with parameters.
        split: which families, where none are named: those that verdicts are given on, or those to tune on.
        families: names of families, in place of ``split``.
        problem: the problem's name, where it cannot be told from the algorithm.
        data: the data folder.

    Raises:
        InputError: there is no such algorithm or family, or the problem has nothing to tune on.
    """
    if split not in get_args(Split):
        raise InputError("split", str(split), f"is no split; {nearest(str(split), get_args(Split))}")
    owner, made = _owner(by, problem)
    chosen = tuple(families) or (owner.families if split == "test" else owner.tuning_families)
    if not chosen:
        raise InputError("split", split, f"the problem {owner.name!r} has no such families; name some")
    recorded = _recorded(owner.name, chosen, data)
    rows = []
    for family, instance in ((family, one) for family, part in recorded.instances.items() for one in part):
        seeds = FEW_SEEDS if family in recorded.held_out else STOCHASTIC_SEEDS
        for seed in seeds_of(getattr(made, "stochastic", False), seeds):
            answer = owner.solve(instance, made, seed=seed)
            rows.append(
                {
                    "instance": instance.name,
                    "seed": seed,
                    "status": answer.status,
                    "reason": answer.reason or "",
                    "objective": answer.objective,
                    "solve_s": answer.build_s + answer.solve_s,
                }
            )
    name = titled(made.name, single(by)[1]) if isinstance(by, str) else made.name
    others = recorded.results[recorded.results["method"] != name]
    return Comparison(name, owner, with_reference(pd.DataFrame(rows), owner, recorded), others, recorded.held_out)


@dataclass(frozen=True)
class _Fixed:
    """An algorithm that has its answer."""

    answer: Mapping[str, Any]
    name: str = "given"

    def place(self, instance: Any, *, seed: int, time_limit: float | None) -> Any:
        return self.answer

    def onload(self, instance: Any, *, seed: int, time_limit: float | None) -> Any:
        return self.answer


@cache
def _recorded(problem: str, families: tuple[str, ...], data: Path) -> Recorded[Any]:
    return read_recorded(problem_named(problem), data / "baselines", families)


def _object(by: Any, problem: Problem[Any, Any]) -> Any:
    """An algorithm that was given as an object.

    Raises:
        InputError: it is a class, or has no such method.
    """
    if isinstance(by, type):
        raise InputError("algorithm", by.__name__, f"is a class; give an object of it: {by.__name__}()")
    if not isinstance(by, problem.finder.contract):
        lacks = f"has no attribute `name` or no method `{problem.finder.method}`; see the contract"
        raise InputError("algorithm", type(by).__name__, lacks)
    return by


def _owner(by: Any, problem: str | None) -> tuple[Problem[Any, Any], Any]:
    if isinstance(by, str):
        return problem_and_algorithm(by, problem)
    candidates = [problem_named(name) for name in ([problem] if problem else names())]
    for candidate in candidates:
        if hasattr(by, candidate.finder.method):
            return candidate, _object(by, candidate)
    methods = ", ".join(f"`{candidate.finder.method}`" for candidate in candidates)
    raise InputError("algorithm", type(by).__name__, f"has none of the methods {methods}; see the contract")


def _problem_of(instance: Any) -> Problem[Any, Any]:
    for problem in known_problems().values():
        if isinstance(instance, problem.instance):
            return problem
    raise InputError("instance", "", f"is a {type(instance).__name__}, which no problem has; read it by read_instance")


def _problem_of_family(family: str) -> Problem[Any, Any]:
    known: dict[str, Problem[Any, Any]] = {}
    for problem in known_problems().values():
        known |= dict.fromkeys((*problem.families, *problem.tuning_families, *problem.held_out_families), problem)
    if family not in known:
        raise InputError("family", "", f"unknown family {family!r}; {nearest(family, list(known))}")
    return known[family]
