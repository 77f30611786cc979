"""``splitshare compare``: a new algorithm against recorded baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from splitshare.commands.record import STOCHASTIC_SEEDS
from splitshare.errors import InputError
from splitshare.figures.comparison import PROFILE, profile_figure
from splitshare.figures.style import paper_style, save_figure
from splitshare.files import canonical_json, write_text
from splitshare.placement.conformance import CheckResult
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
from splitshare.sandbox import GIVE_UP, Limits, Outcome, Run, check_contract, check_name, describe, run_limited, within

SCALE = "s2m3-greedy"
"""Recorded baseline that is timed again on this machine, so that times recorded elsewhere can be scaled."""

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
    check_name(method, str(path), "method")
    names = {i.name for part in instances.values() for i in part}
    table = table[table["instance"].isin(names)]
    if table.empty:
        raise InputError(path, "instance", f"no row is of the families {', '.join(instances)}; give --family")
    return Findings(method, _with_optima(table.assign(reason=""), recorded))


def _tried(
    algorithm: str, instances: Mapping[str, Sequence[PlacementInstance]], recorded: pd.DataFrame, time_limit_s: float
) -> Findings:
    own = describe(algorithm)
    if algorithm != own.name:
        refuse_recorded(own.name, recorded, "--algorithm", algorithm)
    checks = tuple(check_contract(algorithm))
    seeds = STOCHASTIC_SEEDS if own.stochastic else (0,)
    runs = [Run(instance, s, family) for s in seeds for family, part in instances.items() for instance in part]
    limits = Limits(time_s=time_limit_s)
    first = run_limited(own.package, algorithm, runs, limits)
    outcomes = list(track(first, f"running {own.name}", total=len(runs)))
    repeated = within(outcomes, REPEAT_S)
    second = run_limited(own.package, algorithm, [o.run for o in repeated], limits, hash_seed=1)
    again = list(track(second, f"repeating {own.name}", total=len(repeated)))
    changed = [a.run.instance.name for a, b in zip(repeated, again, strict=True) if _answer(a) != _answer(b)]
    table = _with_optima(pd.DataFrame([_row(outcome) for outcome in outcomes]), recorded)
    every = [instance for part in instances.values() for instance in part]
    return Findings(own.name, table, checks, len(repeated), tuple(dict.fromkeys(changed)), _time_ratio(table, every))


def refuse_recorded(name: str, recorded: pd.DataFrame, source: str, field: str) -> None:
    """Refuse a new method that is called as a recorded one is: their rows could not be told apart.

    Raises:
        InputError: names the mend.
    """
    if name in set(recorded["method"]):
        raise InputError(source, field, f"the name {name!r} is a recorded method's; give it another")


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


def _time_ratio(table: pd.DataFrame, instances: Sequence[PlacementInstance]) -> float | None:
    """Median run time as a multiple of the baseline ``SCALE``, timed again here; ``None`` where no run ended."""
    if table["solve_s"].isna().all():
        return None
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


def repetition_words(repeated: int, changed: Sequence[str], answer: str) -> list[str]:
    """Whether answers repeat with the same seed in another process, where sets are in another order."""
    if changed:
        return [
            f"It is NOT DETERMINISTIC: of {repeated} runs that were repeated with the same seed in another process, "
            f"those on {len(changed)} instances gave another {answer}; the first: {changed[0]}."
        ]
    if repeated:
        return [f"{repeated} runs were repeated with the same seed in another process and gave the same {answer}s."]
    return []


def given_up_words(failures: pd.DataFrame) -> list[str]:
    """How many runs were not tried, since one after another before them had overrun or died."""
    skipped = int((failures["status"] == "not run").sum())
    why = f"after {GIVE_UP} in a row of a family that overran or ended their process"
    return [f"{skipped} of these runs were not tried, {why}."] if skipped else []


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
    sentences += repetition_words(found.repeated, found.changed, "placement")
    failures = _failures(found.results)
    if len(failures):
        first = failures.iloc[0]
        sentences.append(
            f"{len(failures)} of {len(found.results)} runs gave no feasible placement; the first: {first['instance']}: "
            f"{first['status']}{': ' + first['reason'] if first['reason'] else ''}."
        )
    return " ".join([*sentences, *given_up_words(failures)])
