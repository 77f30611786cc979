"""The claims of J3O's abstract, each with what was measured and a verdict by a rule that is written here."""

from __future__ import annotations

import pandas as pd

from splitshare.results.claim import Claim, Verdict
from splitshare.results.onloading import RECORD
from splitshare.results.onloading_time import J3O, OURS, WORK_S, time_table

PAPER_J3O_SHARE, PAPER_J3O_TIME = 0.97, 0.15
ONLOADING_RESULTS = "onloading/results.csv"
"""Source of J1."""
SOME_WORK_S = 0.1
"""A lower bound on the solver's seconds, beside the one that the verdict is read at."""
MUCH_WORK_S = 10.0
"""Seconds of the solver from which on our own method is told apart."""

ABSTRACT = f"HiGHS works for over {WORK_S:g} s"
"""Where the verdict on J2 is read."""


def onloading_accuracy(results: pd.DataFrame) -> Claim:
    """J1: accuracy of J3O as a share of the optimum, over the whole suite.

    ``reproduced`` if the mean exceeds the paper's share, ``partly`` if at least half of the instances do. Where no
    optimum was proved in time the share is of the best proved bound, and so a lower bound.
    """
    ours = results[results["method"] == J3O]
    shares = ours["ratio"]
    proved = int(ours["proved"].sum())
    above = float((shares > PAPER_J3O_SHARE).mean())
    beside = results.loc[results["method"] == OURS, "ratio"]
    decomposed = f"; {OURS}, ours: {beside.mean():.2%}" if len(beside) == len(shares) else ""
    return Claim(
        claim="J1",
        reading="all instances",
        paper_value=f"over {PAPER_J3O_SHARE:.0%}",
        measured_value=f"{shares.mean():.2%}",
        unit="accuracy as a share of the optimum's, mean",
        n=len(shares),
        rule="the mean above the paper's; partly if half of the instances are",
        verdict="reproduced" if shares.mean() > PAPER_J3O_SHARE else "partly" if above >= 0.5 else "not reproduced",
        note=f"worst {shares.min():.2%} of {len(shares)} instances, {above:.0%} of them above {PAPER_J3O_SHARE:.0%}; "
        f"optimum proved on {proved}, the best proved bound on the others{_by_zoo(ours, '.2%')}{decomposed}; our "
        "reading of the problem, our instances",
        source=ONLOADING_RESULTS,
    )


def onloading_run_time(record: pd.DataFrame) -> list[Claim]:
    """J2: run time of J3O as a share of the optimal solver's.

    The verdict on the abstract is read where the solver works for more than a second, which was fixed before; beside it
    stand lower bounds on its seconds, none at all, and Gurobi. A solver that was stopped before its proof took longer
    than is counted.
    """
    table = time_table(record)
    version = record.loc[record["method"] == "optimum-highs", "solver_version"].iloc[0]
    machine = f"recorded on {record['machine'].iloc[0]}"
    readings = {
        ABSTRACT: table[table["highs_s"] > WORK_S],
        f"HiGHS works for over {SOME_WORK_S:g} s": table[table["highs_s"] > SOME_WORK_S],
        "all instances, HiGHS": table,
    }
    rows = [
        _run_time(
            reading,
            part,
            part["ratio"],
            f"solver {version}, one thread; {_stopped(part)}{machine}{_by_zoo(part, '.1%')}{_decomposed(part)}",
            len(table),
        )
        for reading, part in readings.items()
    ]
    measured = table[table["gurobi_s"].notna()]
    slower = int((measured["j3o_s"] > measured["gurobi_s"].astype(float)).sum())
    note = (
        f"the {len(measured)} instances that its size-limited licence takes, which are small; a full licence: "
        f"unmeasured; J3O is the slower on {slower}; {machine}"
    )
    ratios = measured["j3o_s"] / measured["gurobi_s"].astype(float)
    return [*rows, _run_time("Gurobi, small instances", measured, ratios, note, len(table))]


def _stopped(part: pd.DataFrame) -> str:
    stopped = int((~part["proved"]).sum())
    return f"{stopped} stopped before the proof: upper bounds there; " if stopped else ""


def _by_zoo(part: pd.DataFrame, style: str) -> str:
    """Mean ratio of each zoo's instances, where there are several zoos."""
    means = part.groupby("zoo")["ratio"].mean()
    return "; by zoo: " + ", ".join(f"{zoo} {mean:{style}}" for zoo, mean in means.items()) if len(means) > 1 else ""


def _decomposed(part: pd.DataFrame) -> str:
    """The same mean for our own method, where it was recorded for all."""
    if not len(part) or part["ours_s"].isna().any():
        return ""
    ratios = part["ours_s"].astype(float) / part["highs_s"]
    long = ratios[part["highs_s"] > MUCH_WORK_S]
    where = f" ({long.mean():.1%} where HiGHS works for over {MUCH_WORK_S:g} s)" if len(long) else ""
    return f"; {OURS}, ours: {ratios.mean():.1%}{where}"


def _run_time(reading: str, part: pd.DataFrame, ratios: pd.Series, note: str, of: int) -> Claim:
    mean, median = ratios.mean(), ratios.median()
    reached: Verdict = (
        "cannot be judged here"
        if not len(part)
        else "reproduced"
        if mean < PAPER_J3O_TIME
        else "partly"
        if median < PAPER_J3O_TIME
        else "not reproduced"
    )
    told = f"median {median:.1%}, worst {ratios.max():.1%} over {len(part)} of {of} instances; " if len(part) else ""
    return Claim(
        claim="J2",
        reading=reading,
        paper_value=f"under {PAPER_J3O_TIME:.0%}",
        measured_value=f"{mean:.1%}" if len(part) else "unmeasured",
        unit="run time as a share of the solver's, mean",
        n=len(part),
        rule="the mean below the paper's; partly if the median is",
        verdict=reached,
        note=f"{told}{note}",
        source=RECORD,
    )
