"""A method over many families in one small table: a row a family, the best recorded method beside it (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from splitshare.results.verdict import Summary, Verdict


def by_family(verdicts: Sequence[Verdict], runs: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Gaps, share as good as the best known, and seconds of a method, a row a family.

    Columns: ``family``, ``instances``, ``placed``, ``as_good`` (share of the instances within 1e-6 of the reference or
    better), ``new_best`` (instances on which the method is the best known now), ``mean_gap`` and ``worst_gap`` to the
    reference over the instances that were placed, ``median_s`` of a run, and of the recorded method that placed the
    most, at the smallest mean gap: ``best_recorded``, ``its_as_good``, ``its_mean_gap``, ``its_median_s`` (on the
    machine that it was recorded on).

    Args:
        verdicts: of one method, one a family.
        runs: its runs: ``family`` and ``solve_s``.
        recorded: recorded results: ``family``, ``method``, ``build_s``, ``solve_s``.
    """
    rows = []
    for verdict in verdicts:
        own, *others = verdict.summaries
        best = min(others, key=_rank, default=None)
        row = {
            "family": verdict.family,
            "instances": own.instances,
            "placed": own.placed,
            "as_good": own.optimal / own.instances,
            "new_best": len(verdict.new_best),
            "mean_gap": _mean(own),
            "worst_gap": np.nan if own.worst_gap is None else own.worst_gap,
            "median_s": float(runs.loc[runs["family"] == verdict.family, "solve_s"].median()),
        }
        if best is not None:
            part = recorded[(recorded["family"] == verdict.family) & (recorded["method"] == best.method)]
            row |= {
                "best_recorded": best.method,
                "its_as_good": best.optimal / best.instances,
                "its_mean_gap": _mean(best),
                "its_median_s": _median_s(part),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _mean(summary: Summary) -> float:
    return np.nan if summary.mean_gap is None else summary.mean_gap.estimate


def _median_s(part: pd.DataFrame) -> float:
    """NaN where a problem records no times."""
    return float((part["build_s"] + part["solve_s"]).median()) if {"build_s", "solve_s"} <= {*part} else np.nan


def _rank(summary: Summary) -> tuple[int, float]:
    return -summary.placed, np.inf if summary.mean_gap is None else summary.mean_gap.estimate
