"""Why a heuristic misses: features by hand, gaps against brute force, a tree that finds what was put in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.contract import Answer, load
from splitshare.placement.explained import FEATURES, MISSED, Gap, features, gap_of, tree
from splitshare.placement.instance_families import family_instance
from tests.replay.examples import example, module


def test_features_of_the_example_by_hand() -> None:
    """Three modules of 1 byte on three devices of 100; 100,000, 50,000 and 100,000 bytes over 1 MB/s and 1 ms."""
    found = features(example())
    assert list(found) == list(FEATURES)
    assert found["modules_per_device"] == 1.0
    assert found["memory"] == pytest.approx(3 / 300)
    assert found["largest"] == pytest.approx(1 / 100)
    computing = [0.2, 0.3, 0.1, 0.1, 0.01, 0.01, 0.01]
    assert found["communication"] == pytest.approx((0.001 + 250_000 / 3 / 1e6) / np.mean(computing))
    assert found["heterogeneity"] == pytest.approx((0.05 / 0.25 + 0 + 0) / 3)
    assert found["sharing"] == pytest.approx(5 / 3)  # vision and head twice, text once
    assert found["encoders"] == 1.5
    assert found["sources"] == pytest.approx(1 / 3)
    assert (found["replication"], found["max"]) == (0.0, 0.0)


def test_nothing_to_send_and_nothing_to_compute_is_no_mistake() -> None:
    still = [module(name, a=0.0, b=0.0, c=0.0) for name in ("vision", "text", "head")]
    found = features(example(modules=still, links=[]))
    assert found["communication"] == found["heterogeneity"] == 0.0
    assert features(example(objective="max"))["max"] == 1.0


@pytest.mark.parametrize("seed", range(6))
def test_a_gap_is_to_what_another_solver_proves(seed: int) -> None:
    instance = family_instance("communication-bound", seed)
    gap = gap_of(instance, load("s2m3-greedy"), Optimum(solver="builtin"), 60.0)
    best = load("optimum").place(instance, seed=0, time_limit=None)
    assert isinstance(best, Answer)
    assert best.objective is not None
    assert gap.best == pytest.approx(best.objective)
    assert gap.objective is not None
    assert gap.missed is (gap.objective > best.objective * (1 + MISSED))
    assert gap.share == pytest.approx(gap.objective / best.objective - 1)


def test_what_is_not_proved_is_not_told() -> None:
    assert Gap(2.0, 1.0, 0.5).missed is True
    assert Gap(1.0, 1.0, 0.5).missed is None
    assert Gap(1.0, 1.0, 1.0).missed is False
    assert Gap(None, 1.0, 1.0).missed is True
    assert Gap(None, None, None).missed is None
    assert Gap(None, 1.0, 1.0).share == np.inf


def test_the_tree_finds_what_was_put_in() -> None:
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.random((200, 4)), columns=["a", "b", "c", "d"])
    missed = ((table["c"] > 0.6) & (table["a"] <= 0.3)).tolist()
    found = tree(table, missed, depth=2)
    assert found.feature in {"c", "a"}
    assert all(
        found.says({str(k): float(v) for k, v in row.items()}) == said
        for (_, row), said in zip(table.iterrows(), missed, strict=True)
    )
    text = "\n".join(found.lines())
    assert "a <= 0." in text
    assert "c <= 0." in text

    # An impurity that any one question leaves is at least that of the one which was chosen.
    def left(name: str, threshold: float) -> float:
        sides = [np.array(missed)[(table[name] <= threshold) == side] for side in (True, False)]
        return float(sum(2 * s.mean() * (1 - s.mean()) * len(s) for s in sides if len(s) >= 5))

    chosen = left(found.feature, found.threshold)
    tried = [(n, t) for n in table for t in table[n] if 5 <= (table[n] <= t).sum() <= 195]
    assert chosen <= min(left(str(name), float(threshold)) for name, threshold in tried) + 1e-9


def test_nothing_to_ask_where_all_are_alike() -> None:
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    assert list(tree(table, [True, True, True]).lines()) == ["missed on 3 of 3"]
    assert list(tree(table, [True, False, True], least=2).lines()) == ["missed on 2 of 3"]


def test_the_command(tmp_path: Path) -> None:
    paths = []
    for seed in range(4):
        paths.append(tmp_path / f"{seed}.json")
        family_instance("communication-bound", seed).write(paths[-1])
    asked = ["explain", *(str(path) for path in paths), "-o", str(tmp_path / "out"), "--least", "1"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception) + done.output
    table = pd.read_csv(tmp_path / "out" / "instances.csv")
    assert f"optimal on {(~table['missed']).sum()} of 4 instances" in done.output
    nothing = CliRunner().invoke(app, [*asked, "--time-limit-s", "0", "--algorithm", "random"])
    assert nothing.exit_code == 0, str(nothing.exception) + nothing.output
