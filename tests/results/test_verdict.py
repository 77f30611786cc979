import json

import numpy as np
import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.files import canonical_json
from splitshare.results.baselines import COLUMNS, merge, without_replaced
from splitshare.results.verdict import in_words, judge, summary_table


def results(method, objectives, optimum=1.0, seeds=(0,), digest="d", workloads=6):
    """Results over instances of a few workloads; an objective of ``None`` is no placement."""
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {
            "family": "f",
            "instance": f"i{i}",
            "method": method,
            "seed": seed,
            "workload": f"w{i % workloads}",
            "instance_sha256": f"{digest}{i}",
            "objective": objective,
            "reference": optimum,
            "objective_s": objective,
            "optimum_s": optimum,
            "gap": None if objective is None else objective / optimum - 1,
        }
        for i, objective in enumerate(objectives)
        for seed in seeds
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "objective", "reference"])


def test_a_better_method_is_called_better_and_a_worse_one_worse():
    recorded = pd.concat(
        [results("optimum", [1.0] * 12, workloads=7), results("bad", [2.0 + i / 10 for i in range(12)], workloads=7)],
        ignore_index=True,
    )
    verdict = judge(results("mine", [1.2 + i / 100 for i in range(12)], workloads=7), recorded, "mine", family="f")
    duels = {duel.baseline: duel for duel in verdict.duels}
    assert (duels["bad"].wins, duels["bad"].ties, duels["bad"].losses, duels["bad"].better) == (12, 0, 0, True)
    assert (duels["optimum"].wins, duels["optimum"].losses, duels["optimum"].better) == (0, 12, False)
    assert duels["bad"].p_value == duels["bad"].smallest_p == 2 * 2 / 2**7
    words = in_words(verdict)
    assert "significantly better than bad" in words
    assert "significantly worse than optimum" in words
    assert "by resampling 7 workloads" in words
    assert "the smallest p-value that could come out of 7 workloads is 0.031" in words


@pytest.mark.parametrize(
    ("workloads", "baselines", "reached"), [(5, 1, False), (6, 1, True), (6, 2, False), (7, 2, True)]
)
def test_where_no_significance_can_be_reached_it_is_said(workloads, baselines, reached):
    """The smallest p-value of so many workloads, times the number of baselines, against 0.05."""
    recorded = pd.concat([results(f"b{i}", [2.0] * 35, workloads=workloads) for i in range(baselines)])
    verdict = judge(results("mine", [1.5] * 35, workloads=workloads), recorded, "mine", family="f")
    assert {duel.better for duel in verdict.duels} == {True if reached else None}
    assert ("No significance can be reached against b0" in in_words(verdict)) is not reached
    assert "No significant difference" not in in_words(verdict)


def test_equal_methods_are_called_equal():
    verdict = judge(results("mine", [1.5] * 12), results("other", [1.5] * 12), "mine", family="f")
    assert "It is equal to other on every instance." in in_words(verdict)


@pytest.mark.parametrize(
    ("objectives", "reason", "words"),
    [
        ([1.9] + [None] * 11, "few_clusters", "no interval: it rests on 1 workload, and an interval needs 5"),
        ([1.5] * 12, "equal_clusters", "no interval: it is the same on all 6 workloads"),
        ([1.0] * 11 + [1.5], "unbounded", "no interval: too few of 6 workloads differ from the rest"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_without_an_interval_the_verdict_says_why_and_holds_no_number(objectives, reason, words):
    verdict = judge(results("mine", objectives), results("other", [2.0] * 12), "mine", family="f")
    assert words in in_words(verdict)
    assert summary_table(verdict)["mean_gap_low"].isna().iloc[0]
    gap = json.loads(canonical_json(verdict.to_plain()))["summaries"][0]["mean_gap"]  # a NaN would be refused
    assert (gap["low"], gap["high"], gap["no_interval"]) == (None, None, reason)


def test_instances_that_are_workloads_of_their_own_are_drawn_singly():
    verdict = judge(
        results("mine", [1 + i / 9 for i in range(9)], workloads=9), results("o", [1.0] * 9), "mine", family="f"
    )
    assert "by resampling 9 instances" in in_words(verdict)
    assert verdict.duels[0].clusters == 9


def test_no_difference_is_not_called_one():
    first, second = [1.0, 1.2, 1.1, 1.3, 1.0, 1.4] * 2, [1.2, 1.0, 1.3, 1.1, 1.0, 1.4] * 2
    recorded = results("other", first, workloads=12)
    verdict = judge(results("mine", second, workloads=12), recorded, "mine", family="f")
    assert verdict.duels[0].better is None
    assert (verdict.duels[0].wins, verdict.duels[0].ties, verdict.duels[0].losses) == (4, 4, 4)
    assert "No significant difference was found to other." in in_words(verdict)


def test_summary_counts_and_gaps():
    verdict = judge(results("mine", [1.0, 1.0 + 5e-7, 1.5, None]), results("optimum", [1.0] * 4), "mine", family="f")
    own = verdict.summaries[0]
    assert (own.instances, own.placed, own.optimal) == (4, 3, 2)
    assert own.mean_gap is not None
    assert own.mean_gap.estimate == pytest.approx(0.5 / 3, abs=1e-6)
    assert own.worst_gap == pytest.approx(0.5)
    table = summary_table(verdict)
    assert table["method"].tolist() == ["mine", "optimum"]


def test_several_seeds_count_once_by_their_median():
    tables = [results("mine", [value], seeds=(seed,)) for seed, value in enumerate((1.0, 1.1, 9.0))]
    verdict = judge(pd.concat(tables), results("optimum", [1.0]), "mine", family="f")
    assert verdict.summaries[0].instances == 1
    assert verdict.summaries[0].worst_gap == pytest.approx(0.1)


def test_merging_replaces_equal_keys_and_keeps_the_rest():
    old = pd.concat([results("a", [1.0, 2.0]), results("b", [3.0, 4.0])])
    both = merge(old, results("b", [5.0, 6.0]))
    by_method = {name: rows["objective_s"].tolist() for name, rows in both.groupby("method")}
    assert by_method == {"a": [1.0, 2.0], "b": [5.0, 6.0]}


def test_results_of_other_instances_do_not_mix():
    with pytest.raises(InputError, match="i0: has digest e0"):
        merge(results("a", [1.0]), results("b", [1.0], digest="e"))


def test_results_on_instances_that_have_changed_are_replaced_all_at_once():
    old = pd.concat([results("a", [1.0, 2.0]), results("b", [3.0, 4.0])], ignore_index=True)
    digests = {"i0": "changed", "i1": old.loc[old["instance"] == "i1", "instance_sha256"].iloc[0], "new": "x"}
    kept = without_replaced(old, "f", digests, ["a", "b", "c"], "placements.parquet")
    assert kept["instance"].tolist() == ["i1", "i1"]
    assert len(without_replaced(old, "another family", digests, [], "placements.parquet")) == 4
    with pytest.raises(InputError, match=r"i0 has changed, and 'b' has results on what it was: record by that method"):
        without_replaced(old, "f", digests, ["a"], "placements.parquet")


def test_a_method_that_places_nothing_loses_everywhere():
    verdict = judge(results("mine", [None] * 8), results("other", [2.0] * 8), "mine", family="f")
    assert verdict.duels[0].losses == 8
    assert verdict.duels[0].better is False
    assert verdict.summaries[0].mean_gap is None
    assert np.isnan(summary_table(verdict)["mean_gap"].iloc[0])
