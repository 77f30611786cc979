"""The claims of S2M3's abstract, each with what was measured and a verdict by a rule that is written here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from splitshare.benchmarks.accuracy import ARRANGEMENTS, AccuracyRow, Arrangement
from splitshare.catalog.loader import Catalog
from splitshare.config import CloudCell
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.claim import Claim, Verdict, counted_verdict, saving_verdict
from splitshare.results.cloud import at_cell
from splitshare.results.memory import RULES, saving_column, shared_bytes, split_bytes
from splitshare.results.table import OPTIMALITY_TOLERANCE

PAPER_MODELS, PAPER_TASKS, PAPER_BENCHMARKS, PAPER_INSTANCES = 14, 5, 10, 95
PAPER_SPLIT_SAVING, PAPER_SHARE_SAVING, PAPER_OPTIMAL = 0.50, 0.62, 89
PAPER_CLOUD_REDUCTION = 0.569
MODELS = "catalogue/models.yaml"
"""Source of the scope, below the data folder."""
EQUIVALENCE = "split_equivalence.csv"
"""Source of S3, recorded once for all models (``make record-split``), while no accuracy is measured."""
ACCURACY = "accuracy.json"
"""Source of S3 where there are accuracies."""
MEMORY_SOURCE = "modules.json"


def split_saving(catalog: Catalog, descriptions: ModuleDescriptions) -> list[Claim]:
    """S1: memory saved by splitting, in bytes, the most over all models, and over those with two encoders.

    The abstract says "up to", and not of which models.
    """
    every = split_bytes(catalog, descriptions)
    rows = []
    for reading, table in (("all models", every), ("models with two encoders", every[every["encoders"] == 2])):
        name, saving = _most(table, "model")
        rows.append(
            Claim(
                claim="S1",
                reading=reading,
                paper_value=f"up to {PAPER_SPLIT_SAVING:.0%}",
                measured_value=f"{saving:.1%}",
                unit="share of bytes",
                n=len(table),
                rule="the largest saving of a model",
                verdict=saving_verdict(saving, PAPER_SPLIT_SAVING),
                note=f"{name}; median {table['saving'].median():.1%}; {_in_parameters(table, 'model')}",
                source=MEMORY_SOURCE,
            )
        )
    return rows


def share_saving(
    catalog: Catalog, descriptions: ModuleDescriptions, workloads: Sequence[str], stated: str
) -> list[Claim]:
    """S2: memory saved by sharing modules across tasks, in bytes.

    On the workload that the configuration states, and on every other of several models.
    """
    names = list(dict.fromkeys([stated, *(w for w in workloads if len(catalog.workload(w).models) > 1)]))
    table = shared_bytes(catalog, descriptions, names)
    saved = dict(zip(table["workload"], table["saving"], strict=True))
    title, several = catalog.workload(stated).title, len(catalog.workload(stated).models) > 1
    rule = "the saving of the workload that the configuration states"
    own = Claim(
        claim="S2",
        reading=title,
        paper_value=f"up to {PAPER_SHARE_SAVING:.0%}",
        measured_value=f"{saved[title]:.1%}",
        unit="share of bytes",
        n=1,
        rule=rule,
        verdict=saving_verdict(saved[title], PAPER_SHARE_SAVING) if several else "cannot be judged here",
        note=_in_parameters(table[table["workload"] == title], "workload")
        if several
        else "a single model shares nothing",
        source=MEMORY_SOURCE,
    )
    others = {name: saving for name, saving in saved.items() if name != title}
    if not others:
        return [own]
    least = min(others, key=lambda name: others[name])
    most = max(others, key=lambda name: others[name])
    return [
        own,
        Claim(
            claim="S2",
            reading="the other workloads of several models",
            paper_value=f"up to {PAPER_SHARE_SAVING:.0%}",
            measured_value=f"{others[least]:.1%} to {others[most]:.1%}",
            unit="share of bytes",
            n=len(others),
            rule="the largest of them",
            verdict=saving_verdict(others[most], PAPER_SHARE_SAVING),
            note=f"least: {least}; most: {most}",
            source=MEMORY_SOURCE,
        ),
    ]


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
    # Top-1 and top-5 are of the same answers, which count once.
    answered = {(r.benchmark, r.model, r.arrangement): r for r in parts}.values()
    if not parts:
        measured, unit = f"{agreeing} of {len(equivalence)}", "models whose split and whole answers agree"
        note = f"{answers}; accuracy on benchmarks is not measured yet"
    else:
        differing, asked = sum(r.differing_predictions for r in answered), sum(r.samples for r in answered)
        run = dict.fromkeys(row.benchmark for row in parts)
        measured, unit = f"{differing} of {asked}", "predictions that differ from the whole model's"
        found = len(_measured_pairs(rows) & set(pairs))
        note = (
            f"on {', '.join(run)}; {found} of the catalogue's {len(pairs)} pairs of model and benchmark are measured "
            f"whole, split and shared; {answers}"
        )
    verdict = accuracy_verdict(rows, pairs, every)
    return Claim(
        claim="S3",
        reading="benchmarks that were run, and random inputs to all models",
        paper_value="no loss of accuracy",
        measured_value=measured,
        unit=unit,
        n=sum(row.samples for row in answered) if parts else len(equivalence),
        rule="no accuracy below the whole model's interval, and equal answers to random inputs; partly while a pair of "
        "model and benchmark is not measured",
        verdict=verdict,
        note=note,
        source=ACCURACY if parts else EQUIVALENCE,
    )


def models_of(catalog: Catalog) -> dict[str, int]:
    """How many models each workload has."""
    return {name: len(workload.models) for name, workload in catalog.workloads.items()}


def greedy_optimal(placements: pd.DataFrame, models: Mapping[str, int]) -> list[Claim]:
    """S4: instances on which the greedy placement is optimal: all, and those of several models apart.

    Args:
        placements: of all methods.
        models: how many models each workload has.
    """
    greedy = placements[placements["method"] == "s2m3-greedy"]
    several = greedy["workload"].map(models) > 1
    gap = float(greedy["gap"].max())
    single = int((~several).sum())
    note = (
        f"largest gap {gap:.2%}; {single} of them are single models; class prompts are encoded with each "
        "request; our reading of the greedy, our instances"
    )
    rows = [_optimal("all instances", int(greedy["optimal"].sum()), len(greedy), note, "placements.csv")]
    if several.any() and single:
        some = greedy[several]
        note = f"largest gap {float(some['gap'].max()):.2%}; as above, without single models"
        rows.append(
            _optimal("instances of several models", int(some["optimal"].sum()), len(some), note, "placements.csv")
        )
    return rows


def gaps_with_prompts_cached(placements: pd.DataFrame, cached: pd.DataFrame) -> pd.Series[float]:
    """The greedy's gaps by workload and testbed, with class prompts encoded beforehand where there are any."""
    greedy = placements[placements["method"] == "s2m3-greedy"].set_index(["workload", "testbed"])["gap"]
    prompted = cached.set_index(["workload", "testbed"])
    beforehand = prompted["cached_greedy_s"].astype(float) / prompted["cached_optimum_s"].astype(float) - 1
    return beforehand.reindex(greedy.index).fillna(greedy)


def greedy_optimal_cached(placements: pd.DataFrame, cached: pd.DataFrame) -> list[Claim]:
    """S4 with class prompts encoded beforehand; instances without class prompts are as they were, and alone no row."""
    if cached.empty:
        return []
    gaps = gaps_with_prompts_cached(placements, cached)
    optimal = int((gaps <= OPTIMALITY_TOLERANCE).sum())
    note = (
        f"largest gap {max(float(gaps.max()), 0.0):.2%}; {len(cached)} of the {len(gaps)} instances have class "
        "prompts; our reading of the greedy, our instances"
    )
    return [_optimal("prompts encoded beforehand", optimal, len(gaps), note, "prompt_cache.csv")]


def _optimal(reading: str, optimal: int, instances: int, note: str, source: str) -> Claim:
    return Claim(
        claim="S4",
        reading=reading,
        paper_value=f"{PAPER_OPTIMAL} of {PAPER_INSTANCES}",
        measured_value=f"{optimal} of {instances}",
        unit="instances with an optimal greedy placement",
        n=instances,
        rule="the paper's share, over at least as many instances",
        verdict=counted_verdict(optimal, instances, PAPER_OPTIMAL, PAPER_INSTANCES),
        note=note,
        source=source,
    )


def latency_against_cloud(grid: pd.DataFrame, cell: CloudCell) -> Claim:
    """S5: latency against cloud AI, best of the models, at the cell that the configuration stated before the run."""
    single = at_cell(grid[grid["models"] == 1], cell)
    best = single.loc[single["reduction"] == single["reduction"].max()].iloc[0]
    faster = int((single["reduction"] > 0).sum())
    return Claim(
        claim="S5",
        reading="single models at the stated network, placed at the edge by the greedy",
        paper_value=f"up to {PAPER_CLOUD_REDUCTION:.1%}",
        measured_value=f"{best['reduction']:.1%}",
        unit="largest reduction of latency",
        n=len(single),
        rule="the largest reduction of a model",
        verdict=saving_verdict(float(best["reduction"]), PAPER_CLOUD_REDUCTION),
        note=f"{best['workload']}; {cell.round_trip_s * 1e3:g} ms, {cell.bandwidth_bytes_per_s * 8e-6:g} Mbit/s; the "
        f"edge is faster for {faster} of {len(single)} models, by {single['reduction'].median():.0%} for the median "
        f"model (negative: slower)",
        source="cloud_grid.csv",
    )


def latency_readings(readings: pd.DataFrame) -> list[Claim]:
    """S5 read otherwise: the edge placed to the optimum, and class prompts encoded beforehand on both sides.

    Args:
        readings: at the stated cell, a row a workload, method at the edge and way to come by class prompts.
    """
    single = readings[readings["models"] == 1]
    rows = []
    for (prompts, method), part in single.groupby(["prompts", "method"], sort=False):
        if (prompts, method) == ("encoded", "s2m3-greedy"):
            continue  # the abstract's own reading: the first row
        best = part.loc[part["reduction"] == part["reduction"].max()].iloc[0]
        faster = int((part["reduction"] > 0).sum())
        placed = "to the optimum" if method == "optimum" else "by the greedy"
        way = "prompts encoded beforehand, " if prompts == "cached" else ""
        rows.append(
            Claim(
                claim="S5",
                reading=f"{way}placed at the edge {placed}",
                paper_value=f"up to {PAPER_CLOUD_REDUCTION:.1%}",
                measured_value=f"{best['reduction']:.1%}",
                unit="largest reduction of latency",
                n=len(part),
                rule="the largest reduction of a model",
                verdict=saving_verdict(float(best["reduction"]), PAPER_CLOUD_REDUCTION),
                note=f"{best['workload']}; the edge is faster for {faster} of {len(part)} models, by "
                f"{part['reduction'].median():.0%} for the median model (negative: slower)",
                source="cloud_readings.csv",
            )
        )
    return rows


def scope(catalog: Catalog) -> Claim:
    """S6: how much of the paper's scope the catalogue covers."""
    models = list(catalog.models.values())
    counts = (len(models), len({m.task for m in models}), len({b for m in models for b in m.benchmarks}))
    paper = (PAPER_MODELS, PAPER_TASKS, PAPER_BENCHMARKS)
    reached = all(have >= want for have, want in zip(counts, paper, strict=True))
    return Claim(
        claim="S6",
        reading="the catalogue",
        paper_value=" / ".join(map(str, paper)),
        measured_value=" / ".join(map(str, counts)),
        unit="models / tasks / benchmarks",
        n=len(models),
        rule="as many of each",
        verdict="reproduced" if reached else "partly",
        note="the catalogue is ours; only the numbers are the paper's",
        source=MODELS,
    )


def _most(table: pd.DataFrame, label: str, column: str = "saving") -> tuple[str, float]:
    best = table.sort_values(column, ascending=False, kind="stable")
    return str(best[label].iloc[0]), float(best[column].iloc[0])


def _in_parameters(table: pd.DataFrame, label: str) -> str:
    """The largest saving by each way to count parameters, and whose it is."""
    best = {rule: _most(table, label, saving_column(rule)) for rule in RULES}
    return "in parameters " + "; ".join(f"{rule}: {saving:.1%} ({name})" for rule, (name, saving) in best.items())
