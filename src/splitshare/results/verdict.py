"""A new method against recorded ones: the numbers of the verdict, its table, and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitshare.results.statistics import Floats, Interval, cluster_bootstrap_mean, holm, signed_rank_p
from splitshare.results.table import OPTIMALITY_TOLERANCE

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Summary:
    """One method over all instances."""

    method: str
    instances: int
    placed: int
    """Instances with a feasible placement."""
    optimal: int
    """Instances within 1e-6 of the proved optimum."""
    mean_gap: Interval | None
    """Over the instances that are placed; ``None`` where there are none."""
    worst_gap: float | None


@dataclass(frozen=True)
class Duel:
    """The new method against one recorded method, instance by instance."""

    baseline: str
    wins: int
    ties: int
    losses: int
    p_value: float
    """Wilcoxon signed-rank, two-sided, zeros as Pratt, adjusted by Holm over all baselines."""
    better: bool | None
    """Whether the new method is better; ``None``: no significant difference."""


@dataclass(frozen=True)
class Verdict:
    """Everything that a comparison found over one family of instances."""

    family: str
    method: str
    summaries: tuple[Summary, ...]
    """The new method first."""
    duels: tuple[Duel, ...]

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for the machine-readable verdict."""
        return asdict(self)


def judge(new: pd.DataFrame, baselines: pd.DataFrame, method: str, *, family: str, seed: int = 0) -> Verdict:
    """Compare a method with every recorded one on the instances of a family that both have.

    Several seeds of a stochastic method count as one result an instance, their median.

    Args:
        new: results of the new method (columns of ``splitshare.results.baselines``).
        baselines: recorded results.
        method: name of the new method.
        family: whose instances are compared.
        seed: of the bootstrap.
    """
    new, baselines = (table[table["family"] == family] for table in (new, baselines))
    own = per_instance(new.assign(method=method))
    names = [name for name in dict.fromkeys(baselines["method"]) if name != method]
    others = {name: per_instance(baselines[baselines["method"] == name]) for name in names}
    shared = {name: own.index.intersection(table.index) for name, table in others.items()}
    names = [name for name in names if len(shared[name])]
    pairs = {name: (_objective(own, shared[name]), _objective(others[name], shared[name])) for name in names}
    p_values = holm([signed_rank_p(a, b, OPTIMALITY_TOLERANCE) for a, b in pairs.values()])
    duels = tuple(_duel(name, *pairs[name], p_value) for name, p_value in zip(names, p_values, strict=True))
    summaries = (summarise(method, own, seed), *(summarise(n, others[n].loc[shared[n]], seed) for n in names))
    return Verdict(family, method, summaries, duels)


def per_instance(table: pd.DataFrame) -> pd.DataFrame:
    """One row an instance: workload, optimum, objective (median over seeds, infinite without a placement), gap."""
    filled = table.assign(objective_s=table["objective_s"].astype(float).fillna(np.inf))
    grouped = filled.groupby(["family", "instance"], sort=False)
    result = grouped.agg(
        workload=("workload", "first"), optimum_s=("optimum_s", "first"), objective_s=("objective_s", "median")
    )
    return result.assign(gap=result["objective_s"] / result["optimum_s"] - 1)


def summarise(method: str, table: pd.DataFrame, seed: int) -> Summary:
    """Summarise one method's ``per_instance`` table."""
    placed = table[np.isfinite(table["objective_s"]) & table["optimum_s"].notna()]
    gaps = placed["gap"].to_numpy(dtype=float)
    return Summary(
        method=method,
        instances=len(table),
        placed=int(np.isfinite(table["objective_s"]).sum()),
        optimal=int((gaps <= OPTIMALITY_TOLERANCE).sum()),
        mean_gap=cluster_bootstrap_mean(gaps, list(placed["workload"]), seed=seed) if len(gaps) else None,
        worst_gap=float(gaps.max()) if len(gaps) else None,
    )


def summary_table(verdict: Verdict) -> pd.DataFrame:
    """The verdict as one row a method, the new one first."""
    duels = {duel.baseline: duel for duel in verdict.duels}
    rows = []
    for summary in verdict.summaries:
        duel = duels.get(summary.method)
        interval = summary.mean_gap
        rows.append(
            {
                "family": verdict.family,
                "method": summary.method,
                "instances": summary.instances,
                "placed": summary.placed,
                "optimal": summary.optimal,
                "mean_gap": interval.estimate if interval else np.nan,
                "mean_gap_low": interval.low if interval else np.nan,
                "mean_gap_high": interval.high if interval else np.nan,
                "worst_gap": np.nan if summary.worst_gap is None else summary.worst_gap,
                "wins_of_new": duel.wins if duel else pd.NA,
                "ties": duel.ties if duel else pd.NA,
                "losses_of_new": duel.losses if duel else pd.NA,
                "holm_p": duel.p_value if duel else np.nan,
            }
        )
    return pd.DataFrame(rows)


def in_words(
    verdict: Verdict, *, does: str = "places", reference: str = "the proved optimum", drawn: str = "workloads"
) -> str:
    """The verdict as a paragraph.

    Args:
        verdict: the verdict.
        does: what the method does with an instance.
        reference: what gaps are held against.
        drawn: what is resampled together for the interval.
    """
    own = verdict.summaries[0]
    sentences = [
        f"{verdict.family}: {verdict.method} {does} {own.placed} of {own.instances} instances, "
        f"{own.optimal} of them optimally."
    ]
    if own.mean_gap is not None and own.worst_gap is not None:
        gap = own.mean_gap
        sentences.append(
            f"Its mean gap to {reference} is {gap.estimate:.2%} ({gap.confidence:.0%} interval {gap.low:.2%} to "
            f"{gap.high:.2%}, by resampling {drawn}), its worst {own.worst_gap:.2%}."
        )
    for better, phrase in ((True, "significantly better than"), (False, "significantly worse than")):
        names = [d.baseline for d in verdict.duels if d.better is better]
        if names:
            sentences.append(f"It is {phrase} {_listed(names)}.")
    open_ = [d.baseline for d in verdict.duels if d.better is None]
    if open_:
        sentences.append(f"No significant difference was found to {_listed(open_)}.")
    if verdict.duels:
        sentences.append("(Wilcoxon signed-rank test with Pratt's zeros, Holm's correction, level 5 %.)")
    return " ".join(sentences)


def _objective(table: pd.DataFrame, index: pd.Index[Any]) -> Floats:
    values: Floats = table.loc[index, "objective_s"].to_numpy(dtype=np.float64)
    return values


def _duel(name: str, own: Floats, other: Floats, p_value: float) -> Duel:
    with np.errstate(invalid="ignore"):
        ratio = own / other
    ratio[np.isinf(own) & np.isinf(other)] = 1.0
    wins = int((ratio < 1 - OPTIMALITY_TOLERANCE).sum())
    losses = int((ratio > 1 + OPTIMALITY_TOLERANCE).sum())
    better = None if p_value > SIGNIFICANCE or wins == losses else wins > losses
    return Duel(name, wins, len(own) - wins - losses, losses, p_value, better)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
