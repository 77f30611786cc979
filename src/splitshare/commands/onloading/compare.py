"""``splitshare compare`` for onloading algorithms: a new one against recorded results over the suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.commands.compare import REPEAT_S, given_up_words, refuse_recorded, repetition_words
from splitshare.commands.onloading.record import STOCHASTIC_SEEDS
from splitshare.commands.onloading.suite import INSTANCES
from splitshare.errors import InputError
from splitshare.figures.comparison import PROFILE, profile_figure
from splitshare.figures.style import paper_style, save_figure
from splitshare.files import canonical_json, write_text
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.record_set import read_set
from splitshare.results.onloading import FAMILY, RECORD, UNMEASURED, read_record, references, size_of
from splitshare.results.verdict import Verdict, in_words, judge, shown, summary_table
from splitshare.results.write import write_csv
from splitshare.sandbox import Limits, Outcome, Run, describe, run_limited, within

SCALE = "density-greedy"
"""Recorded method that is timed again on this machine, so that times recorded elsewhere can be scaled."""


def run(*, algorithm: str, baselines: Path, time_limit_s: float, seed: int, output: Path) -> Verdict:
    """Judge ``algorithm`` and write the verdict into ``output``.

    Writes ``results.csv`` (every run), ``summary.csv``, ``summary.md``, ``summary.tex``, ``performance_profile.pdf``
    and ``.png`` (of the reciprocal of the accuracy), ``verdict.json`` and ``verdict.txt``.

    Args:
        algorithm: name or ``file.py:Class``.
        baselines: directory of the recorded results and the suite.
        time_limit_s: seconds for a run.
        seed: of the statistics.
        output: directory.

    Raises:
        InputError: the algorithm cannot be loaded, or the record is missing or of other instances.
    """
    recorded = read_record(baselines / RECORD)
    instances = read_set(OnloadingInstance, baselines / INSTANCES)
    _check_digests(recorded, instances, baselines / INSTANCES)
    own = describe(algorithm, package="splitshare.onloading")
    if algorithm != own.name:
        refuse_recorded(own.name, recorded, "--algorithm", algorithm)
    seeds = STOCHASTIC_SEEDS if own.stochastic else (0,)
    runs = [Run(instance, s, FAMILY) for s in seeds for instance in instances]
    limits = Limits(time_s=time_limit_s)
    first = run_limited(own.package, algorithm, runs, limits)
    outcomes = list(track(first, f"running {own.name}", total=len(runs)))
    repeated = within(outcomes, REPEAT_S)
    second = run_limited(own.package, algorithm, [o.run for o in repeated], limits, hash_seed=1)
    again = list(track(second, f"repeating {own.name}", total=len(repeated)))
    reference = references(recorded)
    table = outcomes_table(outcomes, reference)
    baseline = comparable(recorded, reference)
    verdict = judge(table, baseline, own.name, family=FAMILY, seed=seed)
    changed = tuple(
        a.run.instance.name
        for a, b in zip(repeated, again, strict=True)
        if b.answer is None or a.answer.onloading != b.answer.onloading
    )
    _write(
        verdict, table, baseline, len(repeated), tuple(dict.fromkeys(changed)), _time_ratio(table, instances), output
    )
    return verdict


def comparable(recorded: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Recorded results in the verdict's terms, where less is better: the reciprocal of the accuracy."""
    measured = recorded[recorded["status"] != UNMEASURED]
    return _in_verdict_terms(measured.assign(method=measured["method"]), reference)


def outcomes_table(outcomes: Sequence[Outcome[OnloadingInstance]], reference: pd.DataFrame) -> pd.DataFrame:
    """Results of the new algorithm in the verdict's terms, and how runs failed."""
    rows = []
    for outcome in outcomes:
        decided = outcome.answer
        rows.append(
            {
                "instance": outcome.run.instance.name,
                "seed": outcome.run.seed,
                "status": decided.status if decided is not None else outcome.failure,
                "reason": outcome.message or (decided.reason or "" if decided is not None else ""),
                "objective": decided.objective if decided is not None else None,
                "unserved": decided.unserved if decided is not None else None,
                "solve_s": np.nan if decided is None else decided.build_s + decided.solve_s,
            }
        )
    return _in_verdict_terms(pd.DataFrame(rows).astype({"objective": float, "unserved": float}), reference)


def _in_verdict_terms(table: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    known = table["instance"].map(reference["reference"]).astype(float)
    objective = table["objective"].fillna(0.0)
    with np.errstate(divide="ignore"):
        cost = (1.0 / objective).replace(np.inf, np.nan)
    return table.assign(
        family=FAMILY,
        workload=table["instance"],
        size=table["instance"].map(size_of),
        objective_s=cost,
        optimum_s=1.0 / known,
        ratio=objective / known,
    )


def _check_digests(recorded: pd.DataFrame, instances: Sequence[OnloadingInstance], path: Path) -> None:
    digests = dict(zip(recorded["instance"], recorded["instance_sha256"], strict=True))
    for instance in instances:
        if digests.get(instance.name) != instance.sha256():
            raise InputError(path, instance.name, "is not the instance of the recorded results: not comparable")


def _time_ratio(table: pd.DataFrame, instances: Sequence[OnloadingInstance]) -> float | None:
    """Median run time as a multiple of the method ``SCALE``, timed again here; ``None`` where no run ended."""
    if table["solve_s"].isna().all():
        return None
    greedy = load(SCALE)
    seconds = []
    for instance in instances:
        decision = solve(instance, greedy)
        seconds.append(decision.build_s + decision.solve_s)
    return float(table["solve_s"].median() / np.median(seconds))


def _write(
    verdict: Verdict,
    table: pd.DataFrame,
    baseline: pd.DataFrame,
    repeated: int,
    changed: Sequence[str],
    time_ratio: float | None,
    output: Path,
) -> None:
    summary = summary_table(verdict)
    failures = table.loc[~table["status"].isin(["optimal", "feasible", "time_limit"])]
    failures = failures[["instance", "seed", "status", "reason"]]
    words = in_words(
        verdict,
        does="decides",
        reference="the optimum (to the best proved bound where no optimum is proved)",
    )
    own = table["ratio"]
    words += f" It reaches {own.mean():.2%} of that accuracy on average and {own.min():.2%} at worst."
    if time_ratio is not None:
        words += f" Its median run time is {time_ratio:.3g} times that of {SCALE} on this machine."
    words = " ".join([words, *repetition_words(repeated, changed, "decision")])
    if len(failures):
        first = failures.iloc[0]
        words += (
            f" {len(failures)} of {len(table)} runs gave no feasible decision; the first: {first['instance']}: "
            f"{first['status']}{': ' + first['reason'] if first['reason'] else ''}."
        )
    words = " ".join([words, *given_up_words(failures)])
    write_csv(table, output / "results.csv")
    write_csv(summary, output / "summary.csv")
    readable = summary.map(shown)
    write_text(output / "summary.md", readable.to_markdown(index=False) + "\n")
    write_text(output / "summary.tex", readable.to_latex(index=False, escape=True))
    with paper_style():
        both = pd.concat([baseline[baseline["method"] != verdict.method], table.assign(method=verdict.method)])
        save_figure(profile_figure(both.reset_index(drop=True), [FAMILY], verdict.method), output, PROFILE)
    write_text(output / "verdict.txt", words + "\n")
    plain = {
        "schema": "splitshare.verdict/1",
        "method": verdict.method,
        "families": [verdict.to_plain()],
        "time_ratio": None if time_ratio is None else {"to": SCALE, "median": time_ratio},
        "share_of_reference": {"mean": float(own.mean()), "worst": float(own.min())},
        "repeated": {"runs": repeated, "changed": list(changed)},
        "failures": failures.to_dict("records"),
    }
    write_text(output / "verdict.json", canonical_json(plain))
