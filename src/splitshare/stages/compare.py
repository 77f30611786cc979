"""Hold a new algorithm, or results that were computed elsewhere, against the recorded baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer

from splitshare.commands.compare import Options
from splitshare.errors import InputError
from splitshare.files import sha256_file
from splitshare.isolation.child import RunLimits
from splitshare.isolation.runs import (
    AlgorithmRun,
    Described,
    Outcome,
    check_contract,
    check_name,
    describe,
    run_limited,
    within,
)
from splitshare.methods import Method, check_labels
from splitshare.problems import DEFAULT, names, problem_named
from splitshare.problems.problem import Problem, Recorded
from splitshare.problems.standard import read_recorded
from splitshare.progress import track
from splitshare.results.recording import FEW_SEEDS, seeds_of
from splitshare.results.reported import columns_of, read_reported, taken_name
from splitshare.results.verdict import Verdict, gaps, judge, summary_table
from splitshare.results.verdict_file import Judged
from splitshare.stages.findings import Findings, write_findings, write_summary

ALONE = ("family", "method", "instances", "placed", "optimal", "mean_gap", "mean_gap_low", "mean_gap_high", "worst_gap")
"""Columns of a summary that say something of a method without another beside it."""
REPEAT_S = 10.0
"""Seconds of runs that are done a second time, in another process, to see whether answers repeat."""


def run(options: Options) -> list[Verdict]:
    """Judge methods over families of recorded instances and write what was found into ``output``.

    Writes ``results.csv`` (every run), ``summary.csv``, ``summary.md``, ``summary.tex``, ``by_family.csv`` and ``.md``,
    ``performance_profile.pdf`` and ``.png``, ``verdict.json`` and ``verdict.txt``, and where asked ``verdict.html``; of
    several algorithms into a folder each, and beside the folders a summary of all of them.

    Raises:
        InputError: neither or both of ``algorithms`` and ``results``; an algorithm cannot be loaded; the results, a
            family or the baselines are wrong or of other instances.
    """
    if (not options.algorithms) == (options.results is None):
        raise InputError("compare", "--algorithm", "give --algorithm FILE:Class or --results FILE, one of the two")
    if options.results is not None:
        asked = problem_named(options.problem or _problem_of_results(options.results))
        recorded = read_recorded(asked, options.baselines, _families(options, asked))
        found = _reported(options.results, asked, recorded)
        return _judged(found, asked, recorded, options.output, options)
    methods = [method for text in options.algorithms for method in Method.specs(text)]
    check_labels([method.label for method in methods])
    described = [_described(method, options) for method in methods]  # all are loaded before one is run
    verdicts: list[Verdict] = []
    rows: list[pd.DataFrame] = []
    for method, (own, asked, recorded) in zip(methods, described, strict=True):
        found = _tried(method.spec, own, asked, recorded, options.time_limit_s)
        output = options.output / method.folder if len(methods) > 1 else options.output
        judged = _judged(found, asked, recorded, output, options)
        rows += [summary_table(verdict).head(1).assign(method=method.label)[list(ALONE)] for verdict in judged]
        verdicts += judged
    if len(methods) > 1:
        typer.echo(write_summary(pd.concat(rows, ignore_index=True), options.output))
    return verdicts


def _families(options: Options, problem: Problem[Any, Any]) -> Sequence[str]:
    if not options.held_out:
        return options.families or problem.families
    if options.families:
        raise InputError("--held-out", "", "is all held-out families; leave it out, or leave --family out")
    if not problem.held_out_families:
        raise InputError("--held-out", "", f"the problem {problem.name!r} has no held-out families; give --family")
    return problem.held_out_families


def _described(method: Method, options: Options) -> tuple[Described, Problem[Any, Any], Recorded[Any]]:
    own = describe(method.spec, options.problem)
    asked = problem_named(own.problem)
    recorded = read_recorded(asked, options.baselines, _families(options, asked))
    if method.spec != own.name and own.name in set(recorded.results["method"]):
        raise InputError("--algorithm", method.spec, taken_name(own.name))  # their rows could not be told apart
    return own, asked, recorded


def _judged(
    findings: Findings, asked: Problem[Any, Any], recorded: Recorded[Any], output: Path, options: Options
) -> list[Verdict]:
    covered = [family for family in recorded.instances if (findings.results["family"] == family).any()]
    verdicts = [
        judge(
            findings.results,
            recorded.results,
            findings.method,
            family=family,
            sense=asked.sense,
            seed=options.seed,
            best_known=family in recorded.held_out,
        )
        for family in covered
    ]
    write_findings(asked, findings, verdicts, recorded, output, html=options.html)
    table = "by_family.md" if recorded.held_out else "summary.md"
    typer.echo((output / table).read_text(encoding="utf-8"))
    typer.echo((output / "verdict.txt").read_text(encoding="utf-8"))
    return verdicts


def _problem_of_results(path: Path) -> str:
    """The problem whose objective's column a table has; the default where none has it, or several the same."""
    columns = columns_of(path)
    fitting = [name for name in names() if problem_named(name).objective_column in columns]
    return fitting[0] if fitting else DEFAULT


def _reported(path: Path, problem: Problem[Any, Any], recorded: Recorded[Any]) -> Findings:
    method, table = read_reported(
        path,
        recorded.results,
        objective=problem.objective_column,
        ignored=(problem.reference_column, problem.best_known_column),
        sense=problem.sense,
    )
    check_name(method, str(path), "method")
    asked = {i.name for part in recorded.instances.values() for i in part}
    table = table[table["instance"].isin(asked)]
    if table.empty:
        families = ", ".join(recorded.instances)
        raise InputError(path, "instance", f"no row is of the families {families}; give --family")
    judged = Judged(name=path.name, file_sha256=sha256_file(path), ran_here=False)
    return Findings(method, judged, with_reference(table.assign(reason=""), problem, recorded))


def _tried(
    algorithm: str, own: Described, problem: Problem[Any, Any], recorded: Recorded[Any], time_limit_s: float
) -> Findings:
    name, seeds = own.name, seeds_of(own.stochastic)
    checks = tuple(check_contract(problem.name, algorithm))
    runs = [
        AlgorithmRun(i, seed, family)
        for seed in seeds
        for family, part in recorded.instances.items()
        if seed in FEW_SEEDS or family not in recorded.held_out
        for i in part
    ]
    limits = RunLimits(time_s=time_limit_s)
    first = run_limited(problem.name, algorithm, runs, limits)
    outcomes = list(track(first, f"running {name}", total=len(runs)))
    repeated = within(outcomes, REPEAT_S)
    second = run_limited(problem.name, algorithm, [o.run for o in repeated], limits, hash_seed=1)
    again = list(track(second, f"repeating {name}", total=len(repeated)))

    def decided(outcome: Outcome[Any]) -> Any:
        return None if outcome.answer is None else problem.decided(outcome.answer)

    changed = [b.run.instance.name for a, b in zip(repeated, again, strict=True) if decided(a) != decided(b)]
    table = with_reference(pd.DataFrame([_row(outcome) for outcome in outcomes]), problem, recorded)
    return Findings(
        name,
        _ran(algorithm),
        table,
        checks,
        len(repeated),
        tuple(dict.fromkeys(changed)),
        _time_ratio(table, problem, [run.instance for run in runs if run.seed == seeds[0]]),
    )


def _ran(spec: str) -> Judged:
    """An algorithm that was run here, by its spec: a name with parameters or without, or ``file.py:Class``."""
    path, colon, rest = spec.partition(":")
    file = Path(path)
    if not (colon and file.suffix == ".py"):
        return Judged(name=spec, file_sha256=None, ran_here=True)
    return Judged(name=f"{file.name}:{rest}", file_sha256=sha256_file(file), ran_here=True)


def _row(outcome: Outcome[Any]) -> dict[str, object]:
    answer = outcome.answer
    return {
        "instance": outcome.run.instance.name,
        "seed": outcome.run.seed,
        "status": answer.status if answer is not None else outcome.failure,
        "reason": outcome.message or (answer.reason if answer is not None and answer.reason else ""),
        "objective": answer.objective if answer is not None else None,
        "solve_s": np.nan if answer is None else answer.build_s + answer.solve_s,
    }


def with_reference(table: pd.DataFrame, problem: Problem[Any, Any], recorded: Recorded[Any]) -> pd.DataFrame:
    """``table`` with what the baselines know of each instance: family, workload, reference; and the gap to it."""
    known = recorded.results.drop_duplicates("instance").set_index("instance")
    table = table.assign(
        objective=table["objective"].astype(float),
        **{name: table["instance"].map(known[name]) for name in ("family", "workload", "reference")},
    )
    columns = ["family", "instance", "workload", "seed", "status", "reason", "objective", "reference", "gap", "solve_s"]
    return table.assign(gap=gaps(table["objective"], table["reference"], problem.sense))[columns]


def _time_ratio(table: pd.DataFrame, problem: Problem[Any, Any], instances: Sequence[Any]) -> float | None:
    """Median run time as a multiple of the timed baseline's, taken again here; ``None`` where no run ended."""
    if table["solve_s"].isna().all():
        return None
    baseline = problem.finder.load(problem.timed_baseline)
    answers = [problem.solve(instance, baseline) for instance in instances]
    return float(table["solve_s"].median() / np.median([answer.build_s + answer.solve_s for answer in answers]))
