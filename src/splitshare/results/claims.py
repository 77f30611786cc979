"""The papers' claims, each with what was measured and a verdict by a rule that is written here.

Rules: a saving is ``reproduced`` if it reaches the paper's number within half a point, ``partly`` if it reaches half
of it. A claim about all 95 instances (14 models, 10 benchmarks) is at most ``partly`` while the run has fewer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from splitshare.benchmarks.accuracy import ARRANGEMENTS, AccuracyRow, Arrangement
from splitshare.catalog.loader import Catalog
from splitshare.config import CloudCell
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.cloud import at_cell
from splitshare.results.memory import RULES, model_memory, workload_memory
from splitshare.results.onloading import RECORD
from splitshare.results.onloading_time import J3O, WORK_S, time_table

Verdict = Literal["reproduced", "partly", "not reproduced"]
PAPER_MODELS, PAPER_TASKS, PAPER_BENCHMARKS, PAPER_INSTANCES = 14, 5, 10, 95
PAPER_SPLIT_SAVING, PAPER_SHARE_SAVING, PAPER_OPTIMAL = 0.50, 0.62, 89
PAPER_CLOUD_REDUCTION = 0.569
PAPER_J3O_SHARE, PAPER_J3O_TIME = 0.97, 0.15
HALF_A_POINT = 0.005
MODELS = "catalogue/models.yaml"
"""Source of the scope, below the data folder."""
EQUIVALENCE = "split_equivalence.csv"
"""Source of S3, recorded once for all models (``make record-split``), while no accuracy is measured."""
ACCURACY = "accuracy.json"
"""Source of S3 where there are accuracies; J2's is recorded too, all others are results."""
ONLOADING_RESULTS = "onloading/results.csv"
"""Source of J1."""


@dataclass(frozen=True)
class Claim:
    """A row of ``claims.csv``."""

    claim: str
    paper_value: str
    measured_value: str
    unit: str
    verdict: Verdict
    note: str
    source: str
    """Results file that the value was computed from."""


def saving_verdict(measured: float, paper: float) -> Verdict:
    """Verdict on a saving (a share): see the module's rules."""
    if measured >= paper - HALF_A_POINT:
        return "reproduced"
    return "partly" if measured >= paper / 2 else "not reproduced"


def optimal_verdict(optimal: int, instances: int) -> Verdict:
    """Verdict on S4: the paper's share of optimal placements, over at least as many instances."""
    if optimal / instances >= PAPER_OPTIMAL / PAPER_INSTANCES:
        return "reproduced" if instances >= PAPER_INSTANCES else "partly"
    return "not reproduced"


def split_saving(catalog: Catalog, descriptions: ModuleDescriptions) -> Claim:
    """S1: memory saved by splitting, best of the models."""
    table = model_memory(catalog, descriptions)
    best = {rule: _best(table[table["counting"] == rule], "model") for rule in RULES}
    two_encoders = {
        rule: _best(table[(table["counting"] == rule) & (table["encoders"] == 2)], "model") for rule in RULES
    }
    measured = max(saving for _, saving in two_encoders.values())
    return Claim(
        "S1",
        f"{PAPER_SPLIT_SAVING:.0%}",
        f"{measured:.1%}",
        "share of parameters",
        saving_verdict(measured, PAPER_SPLIT_SAVING),
        f"best two-encoder model ({_told(two_encoders)}); over all models {_told(best)}",
        "modules.json",
    )


def share_saving(catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str], stated: str) -> Claim:
    """S2: memory saved by sharing modules across tasks, on the workload that the configuration states."""
    table = workload_memory(catalog, descriptions, [stated])
    saving = {rule: _best(table[table["counting"] == rule], "workload") for rule in RULES}
    everywhere = workload_memory(catalog, descriptions, workloads)
    best = {rule: _best(everywhere[everywhere["counting"] == rule], "workload") for rule in RULES}
    measured = max(share for _, share in saving.values())
    return Claim(
        "S2",
        f"{PAPER_SHARE_SAVING:.0%}",
        f"{measured:.1%}",
        "share of parameters",
        saving_verdict(measured, PAPER_SHARE_SAVING),
        f"{_told(saving)}; best workload: {_told(best)}",
        "modules.json",
    )


def judged_pairs(catalog: Catalog) -> frozenset[tuple[str, str]]:
    """Benchmark and model of every accuracy that the catalogue asks for."""
    return frozenset((benchmark, model.name) for model in catalog.models.values() for benchmark in model.benchmarks)


def accuracy_verdict(rows: Sequence[AccuracyRow], pairs: Collection[tuple[str, str]], answers_agree: bool) -> Verdict:
    """Verdict on S3: no split or shared model is less accurate than its whole, on all of the catalogue's benchmarks.

    ``not reproduced`` if one falls below the whole model's interval, or answers to random inputs disagree; ``partly``
    while a model is not measured split and shared, with published weights, on one of its benchmarks.

    Args:
        rows: what was measured, in the models' own precision.
        pairs: benchmark and model of what the catalogue asks for.
        answers_agree: whether split and whole models answer random inputs alike.
    """
    whole = {(r.benchmark, r.model, r.metric): r for r in rows if r.arrangement == "whole"}
    for row in rows:
        against = whole.get((row.benchmark, row.model, row.metric))
        if against is not None and row.value < against.ci_low:
            return "not reproduced"
    if not answers_agree:
        return "not reproduced"
    return "reproduced" if _measured_pairs(rows) >= set(pairs) else "partly"


def _measured_pairs(rows: Sequence[AccuracyRow]) -> set[tuple[str, str]]:
    """Benchmark and model of what was measured whole, split and shared with weights that mean something."""
    arranged: dict[tuple[str, str], set[Arrangement]] = {}
    for row in rows:
        if row.source == "hub" and not row.random_weights:
            arranged.setdefault((row.benchmark, row.model), set()).add(row.arrangement)
    return {pair for pair, found in arranged.items() if found == set(ARRANGEMENTS)}


def no_loss_of_accuracy(
    equivalence: pd.DataFrame, rows: Sequence[AccuracyRow], pairs: Collection[tuple[str, str]]
) -> Claim:
    """S3: accuracy on the benchmarks that were run, and equal answers to random inputs for all models."""
    agreeing = int(equivalence["agrees"].sum())
    every = agreeing == len(equivalence)
    reduced = equivalence[equivalence["compared"] != "true size"]
    sizes = "".join(f"; {row.model}: {row.compared}" for row in reduced.itertuples())
    answers = f"{agreeing} of {len(equivalence)} models answer random inputs alike, at true size{sizes}"
    parts = [row for row in rows if row.arrangement != "whole"]
    if not parts:
        measured, unit = f"{agreeing} of {len(equivalence)}", "models whose split and whole answers agree"
        note = f"{answers}; accuracy on benchmarks is not measured yet"
    else:
        # Top-1 and top-5 are of the same answers, which count once.
        answered = {(r.benchmark, r.model, r.arrangement): r for r in parts}.values()
        differing, asked = sum(r.differing_predictions for r in answered), sum(r.samples for r in answered)
        run = dict.fromkeys(row.benchmark for row in parts)
        measured, unit = f"{differing} of {asked}", "predictions that differ from the whole model's"
        found = len(_measured_pairs(rows) & set(pairs))
        note = (
            f"on {', '.join(run)}; {found} of the catalogue's {len(pairs)} pairs of model and benchmark are measured "
            f"whole, split and shared; {answers}"
        )
    verdict = accuracy_verdict(rows, pairs, every)
    return Claim("S3", "no loss of accuracy", measured, unit, verdict, note, ACCURACY if parts else EQUIVALENCE)


def greedy_optimal(placements: pd.DataFrame) -> Claim:
    """S4: instances on which the greedy placement is optimal."""
    greedy = placements[placements["method"] == "s2m3-greedy"]
    optimal, gap = int(greedy["optimal"].sum()), float(greedy["gap"].max())
    return Claim(
        "S4",
        f"{PAPER_OPTIMAL} of {PAPER_INSTANCES}",
        f"{optimal} of {len(greedy)}",
        "instances with an optimal greedy placement",
        optimal_verdict(optimal, len(greedy)),
        f"largest gap {gap:.2%}; our reading of the greedy, our instances",
        "placements.csv",
    )


def latency_against_cloud(grid: pd.DataFrame, cell: CloudCell, devices: str = "; devices are assumed") -> Claim:
    """S5: latency against cloud AI, best of the models, at the cell that the configuration stated before the run.

    ``devices`` ends the note: what their times are.
    """
    single = at_cell(grid[grid["models"] == 1], cell)
    best = single.loc[single["reduction"] == single["reduction"].max()].iloc[0]
    faster = int((single["reduction"] > 0).sum())
    return Claim(
        "S5",
        f"{PAPER_CLOUD_REDUCTION:.1%}",
        f"{best['reduction']:.1%}",
        "largest reduction of latency",
        saving_verdict(float(best["reduction"]), PAPER_CLOUD_REDUCTION),
        f"{best['workload']}; {cell.round_trip_s * 1e3:g} ms, {cell.bandwidth_bytes_per_s * 8e-6:g} Mbit/s; the edge "
        f"is faster for {faster} of {len(single)} models, by {single['reduction'].median():.0%} for the median model "
        f"(negative: slower){devices}",
        "cloud_grid.csv",
    )


def onloading_accuracy(results: pd.DataFrame) -> Claim:
    """J1: accuracy of J3O as a share of the optimum, over the whole suite.

    ``reproduced`` if the mean exceeds the paper's share, ``partly`` if at least half of the instances do. Where no
    optimum was proved in time the share is of the best proved bound, and so a lower bound.
    """
    ours = results[results["method"] == J3O]
    shares = ours["ratio"]
    proved = int(ours["proved"].sum())
    above = float((shares > PAPER_J3O_SHARE).mean())
    means = ours.groupby("zoo")["ratio"].mean()
    by_zoo = "; by zoo: " + ", ".join(f"{name} {mean:.2%}" for name, mean in means.items()) if len(means) > 1 else ""
    return Claim(
        "J1",
        f"over {PAPER_J3O_SHARE:.0%}",
        f"{shares.mean():.2%}",
        "accuracy as a share of the optimum's, mean",
        "reproduced" if shares.mean() > PAPER_J3O_SHARE else "partly" if above >= 0.5 else "not reproduced",
        f"worst {shares.min():.2%} of {len(shares)} instances, {above:.0%} of them above {PAPER_J3O_SHARE:.0%}; "
        f"optimum proved on {proved}, the best proved bound on the others{by_zoo}; our reading of the "
        "problem, our instances",
        ONLOADING_RESULTS,
    )


def onloading_run_time(record: pd.DataFrame) -> Claim:
    """J2: run time of J3O as a share of the optimal solver's, where the solver works for more than a second.

    ``reproduced`` if the mean share is below the paper's, ``partly`` if the median is. A solver that was stopped
    before its proof took longer than is counted.
    """
    table = time_table(record)
    work = table[table["highs_s"] > WORK_S]
    stopped = int((~work["proved"]).sum())
    mean, median = work["ratio"].mean(), work["ratio"].median()
    reached: Verdict = (
        "reproduced" if mean < PAPER_J3O_TIME else "partly" if median < PAPER_J3O_TIME else "not reproduced"
    )
    version = record.loc[record["method"] == "optimum-highs", "solver_version"].iloc[0]
    return Claim(
        "J2",
        f"under {PAPER_J3O_TIME:.0%}",
        f"{mean:.1%}",
        "run time as a share of the solver's, mean",
        reached if len(work) else "not reproduced",
        f"solver {version}, one thread; median {median:.1%}, worst {work['ratio'].max():.1%} over the {len(work)} of "
        f"{len(table)} instances on which it takes over {WORK_S:g} s ({stopped} stopped before the proof: upper bounds "
        f"there); Gurobi with a full licence: unmeasured; recorded on {record['machine'].iloc[0]}",
        RECORD,
    )


def scope(catalog: Catalog) -> Claim:
    """S6: how much of the paper's scope the catalogue covers."""
    models = list(catalog.models.values())
    counts = (len(models), len({m.task for m in models}), len({b for m in models for b in m.benchmarks}))
    paper = (PAPER_MODELS, PAPER_TASKS, PAPER_BENCHMARKS)
    reached = all(have >= want for have, want in zip(counts, paper, strict=True))
    return Claim(
        "S6",
        " / ".join(map(str, paper)),
        " / ".join(map(str, counts)),
        "models / tasks / benchmarks",
        "reproduced" if reached else "partly",
        "the catalogue is ours; only the numbers are the paper's",
        MODELS,
    )


def _best(table: pd.DataFrame, label: str) -> tuple[str, float]:
    best = table.sort_values("saving", ascending=False, kind="stable")
    return str(best[label].iloc[0]), float(best["saving"].iloc[0])


def _told(best: Mapping[str, tuple[str, float]]) -> str:
    return "; ".join(f"{rule}: {saving:.1%} ({name})" for rule, (name, saving) in best.items())
