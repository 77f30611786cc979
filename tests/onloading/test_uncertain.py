"""Decisions before the demand is known: worth against an independent program, plans against all candidates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import Onloading, OnloadingInstance
from splitshare.onloading.objective import hosts_of, onloading_of
from splitshare.onloading.run import solve
from splitshare.onloading.uncertain import (
    KNOWING,
    PLANS,
    Uncertainty,
    Worth,
    demand_factors,
    judged,
    plans,
    price_of_robustness,
    with_demand,
    worst_mean,
)
from tests.onloading.examples import tiny
from tests.onloading.judge import best_offloading, onloadings

WIDE = Uncertainty(cv=0.8, common_cv=0.4)


@dataclass(frozen=True)
class Best:
    """Tries every set of models."""

    name: str = "best"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """The best of all."""
        worth = {i: best_offloading(instance, held) for i, held in enumerate(onloadings(instance))}
        best = max((value, -i) for i, value in worth.items() if value is not None)
        held: Onloading = list(onloadings(instance))[-best[1]]
        return held


def test_factors_have_the_mean_and_spread_that_they_should() -> None:
    factors = demand_factors(3, 200_000, Uncertainty(cv=0.5, common_cv=0.3), seed=1)
    assert factors.mean(axis=0) == pytest.approx(1.0, abs=0.01)
    # Of a product of independent factors of mean 1: (1 + a^2) (1 + b^2) - 1; the common one is what rows share.
    assert factors.var(axis=0) == pytest.approx(1.25 * 1.09 - 1, rel=0.05)
    assert np.cov(factors[:, 0], factors[:, 1])[0, 1] == pytest.approx(0.09, rel=0.1)
    assert (demand_factors(2, 4, Uncertainty(0.0), seed=1) == 1.0).all()


@pytest.mark.parametrize("seed", range(4))
def test_worth_is_that_of_a_program_of_its_own(seed: int) -> None:
    instance = tiny(seed)
    arrays = arrays_of(instance)
    factors = demand_factors(len(arrays.rate), 3, WIDE, seed)
    for held in list(onloadings(instance))[::7]:
        own = Worth(arrays, factors).of(hosts_of(instance, held))
        wanted = [best_offloading(with_demand(instance, row), held) for row in factors]
        assert own == pytest.approx(wanted, abs=1e-6)


def test_batches_that_cannot_fill_run_one_by_one() -> None:
    """A fiftieth of the demand fills no batch of four in its 0.3 s; the server then takes queries as they come."""
    instance = tiny(1, batching=True)
    arrays = arrays_of(instance)
    held = {"s0": {"m0": 4}}
    low = np.full((1, len(arrays.rate)), 0.02)
    single = best_offloading(with_demand(instance, low[0]), {"s0": {"m0": 1}})
    assert best_offloading(with_demand(instance, low[0]), held) is None
    assert Worth(arrays, low).of(hosts_of(instance, held)) == pytest.approx([single], abs=1e-6)


def test_the_worst_are_whole_draws() -> None:
    assert worst_mean(np.array([0.5, 0.1, 0.3, 0.9]), 0.5) == pytest.approx(0.2)
    assert worst_mean(np.array([0.5, 0.1, 0.3, 0.9]), 0.01) == 0.1
    assert worst_mean(np.array([0.5, 0.1]), 1.0) == pytest.approx(0.3)


def test_plans_are_the_best_candidates_and_the_knowing_one_is_above_all() -> None:
    instance = tiny(2)
    rows = len(arrays_of(instance).rate)
    chosen = {plan.name: plan for plan in plans(instance, Best(), WIDE, samples=8, candidates=8, seed=4)}
    assert tuple(chosen) == PLANS
    factors = demand_factors(rows, 8, WIDE, seed=4)
    worth = Worth(arrays_of(instance), factors)
    scales = [np.full(rows, scale) for scale in (1.0, 0.5, 1.25, 1.5, 2.0)]
    candidates = [Best().onload(with_demand(instance, row), seed=0, time_limit=None) for row in [*scales, *factors]]
    of = [worth.of(hosts_of(instance, held)) for held in candidates]
    assert worth.of(chosen["sampled"].hosts).mean() == pytest.approx(max(one.mean() for one in of))
    assert worst_mean(worth.of(chosen["robust"].hosts), 0.1) == pytest.approx(max(worst_mean(one, 0.1) for one in of))
    table = judged(instance, Best(), list(chosen.values()), WIDE, draws=5, seed=5)
    wide = table.pivot_table(index="draw", columns="plan", values="accuracy")
    assert (wide[list(PLANS)].le(wide[KNOWING] + 1e-6, axis=0)).all().all()
    assert wide.loc[0, "nominal"] == pytest.approx(wide.loc[0, KNOWING], abs=1e-6)
    prices = price_of_robustness(table, 0.2).set_index("plan")
    assert prices.loc["nominal", "price"] == 0
    assert (prices["price"] >= 0).all()
    assert (prices["regret"] >= 0).all()
    robust = wide.loc[1:, "robust"].to_numpy()
    assert prices.loc["robust", "worst_mean"] == pytest.approx(robust.min())


@dataclass(frozen=True)
class Fickle:
    """The best for the demand of one instance; holds nothing for any other."""

    of: OnloadingInstance
    name: str = "fickle"

    def onload(self, instance: OnloadingInstance, *, seed: int, time_limit: float | None) -> Onloading:
        """The best, or nothing."""
        if instance.sha256() != self.of.sha256():
            return {}
        return Best().onload(instance, seed=seed, time_limit=time_limit)


def test_no_plan_is_better_at_a_draw_than_the_knowing_one_whatever_the_algorithm_does() -> None:
    instance = tiny(2)
    algorithm = Fickle(instance)
    chosen = plans(instance, algorithm, WIDE, samples=4, candidates=2, seed=4)
    wide = judged(instance, algorithm, chosen, WIDE, draws=5, seed=5).pivot_table(
        index="draw", columns="plan", values="accuracy"
    )
    assert wide[KNOWING].to_numpy() == pytest.approx(wide[list(PLANS)].max(axis=1).to_numpy(), abs=1e-9)
    assert (wide["nominal"] > wide["padded"] + 1e-6).any()


def test_the_command(tmp_path: Path) -> None:
    tiny(3).write(tmp_path / "i.json")
    asked = ["onloading", "uncertain", str(tmp_path / "i.json"), "-o", str(tmp_path / "out"), "--samples", "4"]
    done = CliRunner().invoke(app, [*asked, "--candidates", "2", "--draws", "3", "--plot", str(tmp_path / "fig")])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert pd.read_csv(tmp_path / "out" / "plans.csv")["plan"].tolist() == [*PLANS, KNOWING]
    assert len(pd.read_csv(tmp_path / "out" / "draws.csv")) == 5 * 4
    assert (tmp_path / "fig" / "uncertain.png").exists()
    wrong = CliRunner().invoke(app, [*asked, "--candidates", "5"])
    assert "is more than the 4 samples" in str(wrong.exception)


def test_no_uncertainty_costs_nothing() -> None:
    instance, j3o = tiny(4), load("j3o")
    chosen = plans(instance, j3o, Uncertainty(0.0), samples=2, candidates=1, seed=0)
    held = solve(instance, j3o).onloading
    assert held is not None
    assert onloading_of(instance, chosen[0].hosts) == onloading_of(instance, hosts_of(instance, held))
    table = price_of_robustness(judged(instance, j3o, chosen[:1], Uncertainty(0.0), draws=2, seed=1), 0.5)
    assert (table[["regret", "price"]] == 0).all(axis=None)
