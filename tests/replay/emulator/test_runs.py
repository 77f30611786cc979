"""Tables of what workers have told."""

import pytest

from splitshare.placement.objective import evaluate
from splitshare.replay.batching import Batching
from splitshare.replay.emulator.compute import Took
from splitshare.replay.emulator.outcome import RUN_COLUMNS, Outcome, StageTimes, runs_table
from splitshare.replay.emulator.program import build_program
from tests.replay.examples import example, trace_of
from tests.replay.test_batching import curves_of


def test_runs_of_real_modules_stand_by_request_and_place():
    instance = example()
    assignment = {"vision": ("b",), "text": ("c",), "head": ("c",)}
    program = build_program(instance, evaluate(instance, assignment).routes, assignment, epoch=4)
    trace = trace_of(instance, [(0.0, "single", 1.0), (1.0, "pair", 1.0)])  # numbered from 100
    outcome = Outcome(epoch={0: 4, 1: 4})
    outcome.computed = {(1, 6): Took(0.02, 0.01, 0.0), (1, 3): Took(0.3, 0.25, 0.0), (0, 1): Took(0.4, 0.4, 0.1)}
    assert runs_table(trace, {4: program}, outcome).to_numpy().tolist() == [
        [100, "single", 1, "encode", "vision", "b", 0.2, 0.4, 0.4, 0.1],
        [101, "pair", 3, "encode", "text", "c", 0.1, 0.3, 0.25, 0.0],
        [101, "pair", 6, "head", "head", "c", 0.01, 0.02, 0.01, 0.0],
    ]
    nothing = runs_table(trace, {4: program}, Outcome())
    assert (list(nothing.columns), len(nothing)) == (list(RUN_COLUMNS), 0)


def test_stages_of_a_batch_have_shares():
    instance = example()
    on_b = {"vision": ("b",), "text": ("b",), "head": ("b",)}
    batching = Batching(4, curves_of(instance, {2: 1.5, 4: 2.5}))
    program = build_program(instance, evaluate(instance, on_b).routes, on_b, epoch=1, batching=batching)
    trace = trace_of(instance, [(0.0, "single", 1.0), (0.0, "single", 1.0)])
    outcome = Outcome(epoch={0: 1, 1: 1})
    for request in (0, 1):
        outcome.stages[request, 1] = StageTimes(0.1, 0.2, 0.6, batch=2)
        outcome.computed[request, 1] = Took(0.2, 0.19, 0.0)  # what the worker tells is a share already
    runs = runs_table(trace, {1: program}, outcome)
    assert runs["profiled_s"].tolist() == pytest.approx([0.15, 0.15])  # 0.3 s for two
    assert runs["wall_s"].tolist() == [0.2, 0.2]
