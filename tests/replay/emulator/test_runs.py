"""Tables of what workers have told."""

from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.outcome import RUN_COLUMNS, Outcome, runs_table
from splitshare.replay.emulator.program import build_program
from tests.replay.examples import example, trace_of


def test_runs_of_real_modules_stand_by_request_and_place():
    instance = example()
    assignment = {"vision": ("b",), "text": ("c",), "head": ("c",)}
    program = build_program(instance, evaluate(instance, assignment).routes, assignment, epoch=4)
    trace = trace_of(instance, [(0.0, "single", 1.0), (1.0, "pair", 1.0)])  # numbered from 100
    outcome = Outcome(epoch={0: 4, 1: 4})
    outcome.computed = {(1, 6): (0.02, 0.01), (1, 3): (0.3, 0.25), (0, 1): (0.4, 0.4)}
    assert runs_table(trace, {4: program}, outcome).to_numpy().tolist() == [
        [100, "single", 1, "encode", "vision", "b", 0.2, 0.4, 0.4],
        [101, "pair", 3, "encode", "text", "c", 0.1, 0.3, 0.25],
        [101, "pair", 6, "head", "head", "c", 0.01, 0.02, 0.01],
    ]
    nothing = runs_table(trace, {4: program}, Outcome())
    assert (list(nothing.columns), len(nothing)) == (list(RUN_COLUMNS), 0)
