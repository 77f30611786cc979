"""A new method against recorded ones: the numbers of the verdict, its table, and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from splitshare.choices import Sense
from splitshare.results.new_best import NewBest, digest_of_best, new_bests
from splitshare.results.statistics import (
    LEAST_CLUSTERS,
    ClusterMean,
    Floats,
    NoInterval,
    SignFlips,
    cluster_mean,
    cluster_sign_flips,
    holm,
)
from splitshare.results.table import OPTIMALITY_TOLERANCE

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Summary:
    """One method over all instances."""

    method: str
    instances: int
    clusters: int
    """Workloads of these instances; what is drawn together."""
    placed: int
    """Instances with a feasible placement."""
    optimal: int
    """Instances within 1e-6 of the reference, or better."""
    mean_gap: ClusterMean | None
    """Over the instances that are placed; ``None`` where there are none."""
    worst_gap: float | None


@dataclass(frozen=True)
class Duel:
    """The new method against one recorded method, instance by instance."""

    baseline: str
    wins: int
    ties: int
    losses: int
    clusters: int
    """Workloads of the instances that both have."""
    deciding: int
    """Workloads on which one of the two is ahead."""
    p_value: float
    """Two-sided, by sign flips of whole workloads, adjusted by Holm over all baselines."""
    smallest_p: float
    """The smallest that it could have been with so many deciding workloads in each duel, adjusted likewise."""
    better: bool | None
    """Whether the new method is better; ``None``: no significant difference."""

    @property
    def decidable(self) -> bool:
        """Whether significance could be reached at all."""
        return self.smallest_p <= SIGNIFICANCE


@dataclass(frozen=True)
class Verdict:
    """Everything that a comparison found over one family of instances."""

    family: str
    method: str
    summaries: tuple[Summary, ...]
    """The new method first."""
    duels: tuple[Duel, ...]
    best_known_sha256: str | None = None
    """Where gaps are to the best known values, not to proved optima: their digest."""
    new_best: tuple[NewBest, ...] = ()
    """Where the new method is the best known now."""

    @property
    def unit(self) -> str:
        """What is drawn together: a workload, or a single instance where each is a workload of its own."""
        return "instance" if self.summaries[0].clusters == self.summaries[0].instances else "workload"

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for the machine-readable verdict."""
        return asdict(self)


def judge(
    new: pd.DataFrame,
    baselines: pd.DataFrame,
    method: str,
    *,
    family: str,
    sense: Sense = "min",
    seed: int = 0,
    best_known: bool = False,
) -> Verdict:
    """Compare a method with every recorded one on the instances of a family that both have.

    Several seeds of a stochastic method count as one result an instance, their median.

    Args:
        new: results of the new method: ``family``, ``instance``, ``workload``, ``objective``, ``reference``.
        baselines: recorded results, with their ``method`` too.
        method: name of the new method.
        family: whose instances are compared.
        sense: whether less or more is better.
        seed: of the resampling and of the sign flips.
        best_known: whether the reference is the best known value; ``baselines`` has then the columns that
            ``results.new_best`` speaks of.

    Raises:
        WorkError: a value is beyond a proved bound.
    """
    new, baselines = (table[table["family"] == family] for table in (new, baselines))
    own = per_instance(new, sense)
    names = [name for name in dict.fromkeys(baselines["method"]) if name != method]
    others = {name: per_instance(baselines[baselines["method"] == name], sense) for name in names}
    shared = {name: own.index.intersection(table.index) for name, table in others.items()}
    names = [name for name in names if len(shared[name])]
    pairs = {name: _less_is_better(own.loc[shared[name]], others[name].loc[shared[name]], sense) for name in names}
    tests = {
        name: cluster_sign_flips(
            *pair, list(own.loc[shared[name], "workload"]), tolerance=OPTIMALITY_TOLERANCE, seed=seed
        )
        for name, pair in pairs.items()
    }
    p_values = holm([test.p_value for test in tests.values()])
    # Holm's adjustment is monotone, so no adjusted p-value can be below what the smallest ones give together.
    smallest = holm([test.smallest_p for test in tests.values()])
    duels = tuple(
        _duel(name, *pairs[name], tests[name], p, least)
        for name, p, least in zip(names, p_values, smallest, strict=True)
    )
    summaries = (summarise(method, own, seed), *(summarise(n, others[n].loc[shared[n]], seed) for n in names))
    if not best_known:
        return Verdict(family, method, summaries, duels)
    found = new_bests(new, baselines, sense)
    return Verdict(family, method, summaries, duels, digest_of_best(baselines), found)


def per_instance(table: pd.DataFrame, sense: Sense = "min") -> pd.DataFrame:
    """One row an instance: workload, reference, objective (median over seeds) and gap.

    An objective that is missing is infinite, and the worst there is.
    """
    worst = np.inf if sense == "min" else -np.inf
    filled = table.assign(objective=table["objective"].astype(float).fillna(worst))
    grouped = filled.groupby(["family", "instance"], sort=False)
    rows = grouped.agg(
        workload=("workload", "first"), reference=("reference", "first"), objective=("objective", "median")
    )
    return rows.assign(gap=gaps(rows["objective"], rows["reference"], sense))


def gaps(objective: Any, reference: Any, sense: Sense) -> Any:
    """How far objectives are from the reference, as a share of it: 0 at the reference, more is worse."""
    return objective / reference - 1 if sense == "min" else 1 - objective / reference


def summarise(method: str, table: pd.DataFrame, seed: int) -> Summary:
    """Summarise one method's ``per_instance`` table."""
    placed = table[np.isfinite(table["objective"]) & table["reference"].notna()]
    shares = placed["gap"].to_numpy(dtype=float)
    shares = np.where(np.abs(shares) <= OPTIMALITY_TOLERANCE, 0.0, shares)  # digits of a record are no gap
    return Summary(
        method=method,
        instances=len(table),
        clusters=int(table["workload"].nunique()),
        placed=int(np.isfinite(table["objective"]).sum()),
        optimal=int((shares <= OPTIMALITY_TOLERANCE).sum()),
        mean_gap=_mean_gap(shares, list(placed["workload"]), seed) if len(shares) else None,
        worst_gap=float(shares.max()) if len(shares) else None,
    )


def _mean_gap(gaps: Floats, workloads: Sequence[str], seed: int) -> ClusterMean:
    """No mean gap is below zero, but for what rounding leaves."""
    return cluster_mean(gaps, workloads, least=min(0.0, float(gaps.min())), tolerance=OPTIMALITY_TOLERANCE, seed=seed)


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
                "clusters": summary.clusters,
                "placed": summary.placed,
                "optimal": summary.optimal,
                "mean_gap": interval.estimate if interval else np.nan,
                "mean_gap_low": interval.low if interval and interval.low is not None else np.nan,
                "mean_gap_high": interval.high if interval and interval.high is not None else np.nan,
                "worst_gap": np.nan if summary.worst_gap is None else summary.worst_gap,
                "wins_of_new": duel.wins if duel else pd.NA,
                "ties": duel.ties if duel else pd.NA,
                "losses_of_new": duel.losses if duel else pd.NA,
                "holm_p": duel.p_value if duel else np.nan,
                "smallest_holm_p": duel.smallest_p if duel else np.nan,
            }
        )
    return pd.DataFrame(rows)


# Long: a sentence after the other.
def in_words(verdict: Verdict, *, does: str = "places", reference: str = "the proved optimum", unit: str = "") -> str:
    """The verdict as a paragraph.

    Args:
        verdict: the verdict.
        does: what the method does with an instance.
        reference: what gaps are held against where optima are proved.
        unit: of objectives.
    """
    own = verdict.summaries[0]
    as_good, most_named = "optimally", len(verdict.duels)
    if verdict.best_known_sha256 is not None:
        as_good, reference, most_named = "as well as the best known or better", "the best known", 5
    sentences = [
        f"{verdict.family}: {verdict.method} {does} {own.placed} of {own.instances} instances, "
        f"{own.optimal} of them {as_good}."
    ]
    if own.mean_gap is not None and own.worst_gap is not None:
        sentences.append(
            f"Its mean gap to {reference} is {own.mean_gap.estimate:.2%} ({_interval(own.mean_gap, verdict.unit)}), "
            f"its worst {own.worst_gap:.2%}."
        )
    for better, phrase in ((True, "significantly better than"), (False, "significantly worse than")):
        names = [d.baseline for d in verdict.duels if d.better is better]
        if names:
            sentences.append(f"It is {phrase} {_listed(names)}.")
    open_ = [d for d in verdict.duels if d.better is None]
    equal = [d.baseline for d in open_ if d.wins == d.losses == 0]
    undecided = [d.baseline for d in open_ if d.decidable and d.baseline not in equal]
    undecidable = [d for d in open_ if not d.decidable and d.baseline not in equal]
    if undecided:
        sentences.append(f"No significant difference was found to {_listed(undecided, most_named)}.")
    if equal:
        sentences.append(f"It is equal to {_listed(equal, most_named)} on every instance.")
    if undecidable:
        most = max(d.deciding for d in undecidable)
        sentences.append(
            f"No significance can be reached against {_listed([d.baseline for d in undecidable], most_named)}: one of "
            f"the two is ahead on {_count(most, verdict.unit)} at most, and the p-value cannot fall below "
            f"{min(d.smallest_p for d in undecidable):.2g}."
        )
    if verdict.duels:
        sentences.append(
            f"(Signed-rank test by sign flips of whole {verdict.unit}s, Pratt's zeros, Holm's correction for "
            f"{_count(len(verdict.duels), 'baseline')}, level 5 %; the smallest p-value that could come out of "
            f"{_count(max(d.clusters for d in verdict.duels), verdict.unit)} is "
            f"{min(d.smallest_p for d in verdict.duels):.2g}.)"
        )
    sentences += [f"NEW BEST KNOWN on {best.in_words(unit)}." for best in verdict.new_best]
    return " ".join(sentences)


def _interval(mean: ClusterMean, unit: str) -> str:
    """The interval of a mean, or why there is none, in words."""
    drawn = _count(mean.clusters, unit)
    match mean.no_interval:
        case None:
            return f"{mean.confidence:.0%} interval {mean.low:.2%} to {mean.high:.2%}, by resampling {drawn}"
        case NoInterval.FEW_CLUSTERS:
            return f"no interval: it rests on {drawn}, and an interval needs {LEAST_CLUSTERS}"
        case NoInterval.EQUAL_CLUSTERS:
            return f"no interval: it is the same on all {drawn}, and resampling them tells nothing"
        case NoInterval.UNBOUNDED:
            return f"no interval: too few of {drawn} differ from the rest for resampling to bound it"


def shown(value: object) -> object:
    """A cell of the summary table for people: four digits, and a dash for what there is not."""
    if value is pd.NA or value != value:  # noqa: PLR0124 - a NaN is not itself
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else value


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _less_is_better(own: pd.DataFrame, other: pd.DataFrame, sense: Sense) -> tuple[Floats, Floats]:
    """Objectives of both, the first less where ``own`` is better; nothing, where more is better, is what none have."""
    first: Floats = own["objective"].to_numpy(dtype=np.float64)
    second: Floats = other["objective"].to_numpy(dtype=np.float64)
    return (first, second) if sense == "min" else (np.maximum(second, 0.0), np.maximum(first, 0.0))


def _duel(name: str, first: Floats, second: Floats, test: SignFlips, p_value: float, smallest: float) -> Duel:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = first / second
    ratio[first == second] = 1.0
    wins = int((ratio < 1 - OPTIMALITY_TOLERANCE).sum())
    losses = int((ratio > 1 + OPTIMALITY_TOLERANCE).sum())
    return Duel(
        baseline=name,
        wins=wins,
        ties=len(first) - wins - losses,
        losses=losses,
        clusters=test.clusters,
        deciding=test.deciding,
        p_value=p_value,
        smallest_p=smallest,
        better=None if p_value > SIGNIFICANCE or test.direction == 0 else test.direction < 0,
    )


def _listed(names: Sequence[str], most: int | None = None) -> str:
    """Names in a sentence, ``most`` of them at most."""
    if most is not None and len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
