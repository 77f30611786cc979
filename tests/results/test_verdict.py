import numpy as np
import pandas as pd
import pytest

from splitshare.errors import InputError
from splitshare.results.baselines import COLUMNS, merge
from splitshare.results.verdict import in_words, judge, summary_table


def results(method, objectives, optimum=1.0, seeds=(0,), digest="d"):
    """Results over instances of four workloads; an objective of ``None`` is no placement."""
    rows = [
        dict.fromkeys(COLUMNS, "")
        | {
            "family": "f",
            "instance": f"i{i}",
            "method": method,
            "seed": seed,
            "workload": f"w{i % 4}",
            "instance_sha256": f"{digest}{i}",
            "objective_s": objective,
            "optimum_s": optimum,
            "gap": None if objective is None else objective / optimum - 1,
        }
        for i, objective in enumerate(objectives)
        for seed in seeds
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_better_method_is_called_better_and_a_worse_one_worse():
    recorded = pd.concat(
        [results("optimum", [1.0] * 12), results("bad", [2.0 + i / 10 for i in range(12)])], ignore_index=True
    )
    verdict = judge(results("mine", [1.2 + i / 100 for i in range(12)]), recorded, "mine", family="f")
    duels = {duel.baseline: duel for duel in verdict.duels}
    assert (duels["bad"].wins, duels["bad"].ties, duels["bad"].losses, duels["bad"].better) == (12, 0, 0, True)
    assert (duels["optimum"].wins, duels["optimum"].losses, duels["optimum"].better) == (0, 12, False)
    assert "significantly better than bad" in in_words(verdict)
    assert "significantly worse than optimum" in in_words(verdict)


def test_no_difference_is_not_called_one():
    recorded = results("other", [1.0, 1.2, 1.1, 1.3, 1.0, 1.4])
    verdict = judge(results("mine", [1.2, 1.0, 1.3, 1.1, 1.0, 1.4]), recorded, "mine", family="f")
    assert verdict.duels[0].better is None
    assert (verdict.duels[0].wins, verdict.duels[0].ties, verdict.duels[0].losses) == (2, 2, 2)
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


def test_a_method_that_places_nothing_loses_everywhere():
    verdict = judge(results("mine", [None] * 8), results("other", [2.0] * 8), "mine", family="f")
    assert verdict.duels[0].losses == 8
    assert verdict.duels[0].better is False
    assert verdict.summaries[0].mean_gap is None
    assert np.isnan(summary_table(verdict)["mean_gap"].iloc[0])
