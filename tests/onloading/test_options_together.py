"""Servers above servers, limits over all answers, shared backbones and variants, in one instance."""

import json
import random

import pytest

from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from tests.onloading import judge
from tests.onloading.examples import tiered, varied, with_limits


def together(seed, *, limits):
    """A tiny instance with all of them; some batches."""
    shape = {"clients": 2, "servers": 1, "models": 2, "batching": seed % 3 == 0}
    said = json.loads(tiered(seed, levels=1 + seed % 2, **shape).to_json())
    models = json.loads(varied(seed, backbones=True, **shape).to_json())
    said |= {"models": models["models"], "backbones": models["backbones"]}
    if limits:
        said = with_limits(said, random.Random(f"together {seed}"))
    return OnloadingInstance.parse(said, f"seed {seed}")


@pytest.mark.parametrize("limits", [False, True])
def test_the_program_finds_what_trying_everything_finds_and_bounds_hold(limits):
    found = 0
    for seed in range(8):
        instance = together(seed, limits=limits)
        best = judge.optimum_if_any(instance)
        proved = solve(instance, load("optimum", gap=0.0))
        j3o = solve(instance, load("j3o-batching"))
        assert (proved.objective is None) == (best is None), seed
        if best is None:
            continue
        found += 1
        assert proved.objective == pytest.approx(best, rel=1e-6)
        assert j3o.bound is None or j3o.bound >= best * (1 - 1e-6)
        assert j3o.objective is None or j3o.objective <= best * (1 + 1e-6)
    assert found >= (3 if limits else 8)
