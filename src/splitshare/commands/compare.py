"""``splitshare compare``: a new algorithm against recorded baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.commands.record import FAMILY, STOCHASTIC_SEEDS, is_stochastic
from splitshare.files import canonical_json, write_text
from splitshare.placement.conformance import CheckResult, run_checks
from splitshare.placement.contract import load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.record_set import read_set
from splitshare.results.baselines import check_digests, read_baselines
from splitshare.results.verdict import Verdict, in_words, judge, summary_table
from splitshare.results.write import write_csv
from splitshare.sandbox import Limits, Outcome, Run, run_limited

SCALE = "s2m3-greedy"
"""Recorded baseline that is timed again on this machine, so that times recorded elsewhere can be scaled."""


def run(*, algorithm: str, baselines: Path, time_limit_s: float, seed: int, output: Path) -> Verdict:
    """Judge ``algorithm`` and write the verdict into ``output``.

    Writes ``results.csv`` (every run), ``summary.csv``, ``summary.md``, ``summary.tex``, ``verdict.json`` and
    ``verdict.txt``.

    Args:
        algorithm: name or ``file.py:Class``.
        baselines: directory of ``splitshare record``.
        time_limit_s: seconds for a run.
        seed: of the bootstrap.
        output: directory.

    Raises:
        InputError: the algorithm cannot be loaded, or the baselines are wrong or of other instances.
    """
    recorded = read_baselines(baselines / "placements.parquet")
    instances = read_set(PlacementInstance, baselines / "instances.jsonl")
    check_digests(recorded, {i.name: i.sha256() for i in instances}, baselines / "instances.jsonl")
    made = load(algorithm)
    checks = run_checks(made)
    seeds = STOCHASTIC_SEEDS if is_stochastic(made) else (0,)
    runs = [Run(instance, s) for s in seeds for instance in instances]
    outcomes = list(
        track(
            run_limited("splitshare.placement", algorithm, runs, Limits(time_s=time_limit_s)),
            f"running {made.name}",
            total=len(runs),
        )
    )
    table = outcomes_table(outcomes, recorded)
    verdict = judge(table, recorded, made.name, seed=seed)
    _write(verdict, checks, table, _time_ratio(table, instances), output)
    return verdict


def outcomes_table(outcomes: Sequence[Outcome[PlacementInstance]], recorded: pd.DataFrame) -> pd.DataFrame:
    """Results of the new algorithm with the columns of the baselines, and how runs failed."""
    optimum = recorded[recorded["method"] == "optimum"].set_index("instance")["objective_s"]
    workload = recorded.drop_duplicates("instance").set_index("instance")["workload"]
    rows = []
    for outcome in outcomes:
        placed, name = outcome.answer, outcome.run.instance.name
        objective = placed.objective if placed is not None else None
        reason = outcome.message or (placed.reason if placed is not None and placed.reason else "")
        rows.append(
            {
                "family": FAMILY,
                "instance": name,
                "workload": workload[name],
                "seed": outcome.run.seed,
                "status": placed.status if placed is not None else outcome.failure,
                "reason": reason,
                "objective_s": objective,
                "optimum_s": optimum[name],
                "gap": np.nan if objective is None else objective / optimum[name] - 1,
                "solve_s": np.nan if placed is None else placed.build_s + placed.solve_s,
            }
        )
    return pd.DataFrame(rows).astype({"objective_s": float})


def _time_ratio(table: pd.DataFrame, instances: Sequence[PlacementInstance]) -> float:
    """Median run time of the new algorithm as a multiple of the baseline ``SCALE``, timed again here."""
    greedy = load(SCALE)
    seconds = [solve(instance, greedy).solve_s for instance in instances]
    return float(table["solve_s"].median() / np.median(seconds))


def _write(
    verdict: Verdict, checks: Sequence[CheckResult], table: pd.DataFrame, time_ratio: float, output: Path
) -> None:
    summary = summary_table(verdict)
    failures = table.loc[~table["status"].isin(["optimal", "feasible"]), ["instance", "seed", "status", "reason"]]
    words = in_words(verdict) + f" Its median run time is {time_ratio:.3g} times that of {SCALE} on this machine."
    broken = [check for check in checks if not check.passed]
    words += f" It passes {len(checks) - len(broken)} of {len(checks)} checks of the contract"
    words += f"; {broken[0].check} fails: {broken[0].message}." if broken else "."
    if len(failures):
        first = failures.iloc[0]
        words += (
            f" {len(failures)} of {len(table)} runs gave no feasible placement; the first: {first['instance']}: "
            f"{first['status']}{': ' + first['reason'] if first['reason'] else ''}."
        )
    write_csv(table, output / "results.csv")
    write_csv(summary, output / "summary.csv")
    shown = summary.map(lambda value: f"{value:.4g}" if isinstance(value, float) else value)
    write_text(output / "summary.md", shown.to_markdown(index=False) + "\n")
    write_text(output / "summary.tex", shown.to_latex(index=False, escape=True))
    write_text(output / "verdict.txt", words + "\n")
    plain = verdict.to_plain() | {
        "time_ratio": {"to": SCALE, "median": time_ratio},
        "checks": [vars(check) for check in checks],
        "failures": failures.to_dict("records"),
    }
    write_text(output / "verdict.json", canonical_json(plain))
