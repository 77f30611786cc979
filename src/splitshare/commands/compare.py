"""``splitshare compare``: a new algorithm against recorded baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.commands.record import STOCHASTIC_SEEDS, is_stochastic
from splitshare.errors import InputError
from splitshare.figures.comparison import PROFILE, profile_figure
from splitshare.figures.style import paper_style, save_figure
from splitshare.files import canonical_json, write_text
from splitshare.placement.conformance import CheckResult, run_checks
from splitshare.placement.contract import load
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.record_set import read_set
from splitshare.records import nearest
from splitshare.results.baselines import check_digests, families, instances_file, read_baselines
from splitshare.results.reported import read_reported
from splitshare.results.verdict import Verdict, in_words, judge, shown, summary_table
from splitshare.results.write import write_csv
from splitshare.sandbox import Limits, Outcome, Package, Run, run_limited

SCALE = "s2m3-greedy"
"""Recorded baseline that is timed again on this machine, so that times recorded elsewhere can be scaled."""

PACKAGE: Package = "splitshare.placement"

REPEAT_S = 10.0
"""Seconds of runs that are done a second time, in another process, to see whether answers repeat."""


@dataclass(frozen=True)
class Findings:
    """What is known of a new method beside its objectives."""

    method: str
    results: pd.DataFrame
    """A row a run: family, instance, workload, seed, status, reason, objective, optimum, gap, solve_s."""
    checks: tuple[CheckResult, ...] = ()
    repeated: int = 0
    changed: tuple[str, ...] = ()
    """Instances (of the ``repeated`` ones) that were placed otherwise the second time, with the same seed."""
    time_ratio: float | None = None
    """Median run time as a multiple of the baseline ``SCALE``, both taken here."""


def run(
    *,
    algorithm: str | None,
    results: Path | None,
    families_: Sequence[str],
    baselines: Path,
    time_limit_s: float,
    seed: int,
    output: Path,
) -> list[Verdict]:
    """Judge a method over families of recorded instances and write what was found into ``output``.

    Writes ``results.csv`` (every run), ``summary.csv``, ``summary.md``, ``summary.tex``, ``performance_profile.pdf``
    and ``.png``, ``verdict.json`` and ``verdict.txt``.

    Args:
        algorithm: name or ``file.py:Class``, to be checked and run here; or None.
        results: results that were computed elsewhere instead (``splitshare.results.reported``); or None.
        families_: families of instances.
        baselines: directory of ``splitshare record``.
        time_limit_s: seconds for a run.
        seed: of the statistics.
        output: directory.

    Raises:
        InputError: neither or both of ``algorithm`` and ``results``; the algorithm cannot be loaded; the results, a
            family or the baselines are wrong or of other instances.
    """
    if (algorithm is None) == (results is None):
        raise InputError("compare", "--algorithm", "give one of --algorithm FILE:Class and --results FILE")
    recorded = read_baselines(baselines / "placements.parquet")
    instances: dict[str, list[PlacementInstance]] = {}
    for family in families_:
        path = instances_file(baselines, family)
        if not path.is_file():
            raise InputError("--family", family, f"no such recorded family; {nearest(family, families(baselines))}")
        instances[family] = read_set(PlacementInstance, path)
        check_digests(recorded, {i.name: i.sha256() for i in instances[family]}, path)
    if results is not None:
        found = _reported(results, instances, recorded)
    else:
        assert algorithm is not None
        found = _tried(algorithm, instances, recorded, time_limit_s)
    covered = [family for family in instances if (found.results["family"] == family).any()]
    verdicts = [judge(found.results, recorded, found.method, family=family, seed=seed) for family in covered]
    _write(verdicts, found, recorded, output)
    return verdicts


def _reported(path: Path, instances: Mapping[str, Sequence[PlacementInstance]], recorded: pd.DataFrame) -> Findings:
    method, table = read_reported(path, recorded)
    names = {i.name for part in instances.values() for i in part}
    table = table[table["instance"].isin(names)]
    if table.empty:
        raise InputError(path, "instance", f"no row is of the families {', '.join(instances)}; give --family")
    return Findings(method, _with_optima(table.assign(reason=""), recorded))


def _tried(
    algorithm: str, instances: Mapping[str, Sequence[PlacementInstance]], recorded: pd.DataFrame, time_limit_s: float
) -> Findings:
    made = load(algorithm)
    checks = tuple(run_checks(made))
    seeds = STOCHASTIC_SEEDS if is_stochastic(made) else (0,)
    every = [instance for part in instances.values() for instance in part]
    runs = [Run(instance, s) for s in seeds for instance in every]
    limits = Limits(time_s=time_limit_s)
    outcomes = list(track(run_limited(PACKAGE, algorithm, runs, limits), f"running {made.name}", total=len(runs)))
    repeated = _first(outcomes, REPEAT_S)
    again = list(
        track(
            run_limited(PACKAGE, algorithm, [o.run for o in repeated], limits),
            f"repeating {made.name}",
            total=len(repeated),
        )
    )
    changed = [a.run.instance.name for a, b in zip(repeated, again, strict=True) if _answer(a) != _answer(b)]
    table = _with_optima(pd.DataFrame([_row(outcome) for outcome in outcomes]), recorded)
    return Findings(made.name, table, checks, len(repeated), tuple(dict.fromkeys(changed)), _time_ratio(table, every))


def _first(outcomes: Sequence[Outcome[PlacementInstance]], budget_s: float) -> list[Outcome[PlacementInstance]]:
    """Outcomes with an answer, from the first on, that take no longer than the budget together."""
    chosen: list[Outcome[PlacementInstance]] = []
    spent = 0.0
    for outcome in outcomes:
        if outcome.answer is None:
            continue
        spent += outcome.answer.build_s + outcome.answer.solve_s
        if spent > budget_s:
            break
        chosen.append(outcome)
    return chosen


def _answer(outcome: Outcome[PlacementInstance]) -> object:
    return None if outcome.answer is None else outcome.answer.assignment


def _row(outcome: Outcome[PlacementInstance]) -> dict[str, object]:
    placed = outcome.answer
    return {
        "instance": outcome.run.instance.name,
        "seed": outcome.run.seed,
        "status": placed.status if placed is not None else outcome.failure,
        "reason": outcome.message or (placed.reason if placed is not None and placed.reason else ""),
        "objective_s": placed.objective if placed is not None else None,
        "solve_s": np.nan if placed is None else placed.build_s + placed.solve_s,
    }


def _with_optima(table: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """``table`` with what the baselines know of each instance: family, workload, optimum; and the gap to it."""
    known = recorded[recorded["method"] == "optimum"].set_index("instance")
    table = table.assign(
        objective_s=table["objective_s"].astype(float),
        family=table["instance"].map(known["family"]),
        workload=table["instance"].map(known["workload"]),
        optimum_s=table["instance"].map(known["objective_s"]),
    )
    gap = table["objective_s"] / table["optimum_s"] - 1
    columns = ["family", "instance", "workload", "seed", "status", "reason", "objective_s", "optimum_s", "gap"]
    return table.assign(gap=gap)[[*columns, "solve_s"]]


def _time_ratio(table: pd.DataFrame, instances: Sequence[PlacementInstance]) -> float:
    """Median run time of the new algorithm as a multiple of the baseline ``SCALE``, timed again here."""
    greedy = load(SCALE)
    seconds = [solve(instance, greedy).solve_s for instance in instances]
    return float(table["solve_s"].median() / np.median(seconds))


def _write(verdicts: Sequence[Verdict], found: Findings, recorded: pd.DataFrame, output: Path) -> None:
    summary = pd.concat([summary_table(verdict) for verdict in verdicts], ignore_index=True)
    write_csv(found.results, output / "results.csv")
    write_csv(summary, output / "summary.csv")
    readable = summary.map(shown)
    write_text(output / "summary.md", readable.to_markdown(index=False) + "\n")
    write_text(output / "summary.tex", readable.to_latex(index=False, escape=True))
    others = recorded[recorded["method"] != found.method]
    both = pd.concat([others, found.results.assign(method=found.method)], ignore_index=True)
    with paper_style():
        save_figure(profile_figure(both, [v.family for v in verdicts], found.method), output, PROFILE)
    paragraphs = [in_words(verdict) for verdict in verdicts]
    write_text(output / "verdict.txt", "\n".join([*paragraphs, _other_words(found)]) + "\n")
    plain = {
        "schema": "splitshare.verdict/1",
        "method": found.method,
        "families": [verdict.to_plain() for verdict in verdicts],
        "time_ratio": None if found.time_ratio is None else {"to": SCALE, "median": found.time_ratio},
        "checks": [vars(check) for check in found.checks],
        "repeated": {"runs": found.repeated, "changed": list(found.changed)},
        "failures": _failures(found.results).to_dict("records"),
    }
    write_text(output / "verdict.json", canonical_json(plain))


def _failures(results: pd.DataFrame) -> pd.DataFrame:
    return results.loc[~results["status"].isin(["optimal", "feasible"]), ["instance", "seed", "status", "reason"]]


def _other_words(found: Findings) -> str:
    """Time, contract, repetition and failures, as a paragraph."""
    sentences = []
    if found.time_ratio is not None:
        sentences.append(f"Its median run time is {found.time_ratio:.3g} times that of {SCALE} on this machine.")
    if found.checks:
        broken = [check for check in found.checks if not check.passed]
        passed = f"It passes {len(found.checks) - len(broken)} of {len(found.checks)} checks of the contract"
        sentences.append(passed + (f"; {broken[0].check} fails: {broken[0].message}." if broken else "."))
    else:
        sentences.append("Its objectives are as reported; nothing was run or checked here.")
    if found.changed:
        sentences.append(
            f"It is NOT DETERMINISTIC: of {found.repeated} runs that were repeated with the same seed, those on "
            f"{len(found.changed)} instances gave another placement; the first: {found.changed[0]}."
        )
    elif found.repeated:
        sentences.append(f"{found.repeated} runs were repeated with the same seed and gave the same placements.")
    failures = _failures(found.results)
    if len(failures):
        first = failures.iloc[0]
        sentences.append(
            f"{len(failures)} of {len(found.results)} runs gave no feasible placement; the first: {first['instance']}: "
            f"{first['status']}{': ' + first['reason'] if first['reason'] else ''}."
        )
    return " ".join(sentences)
