"""Measured causes against closed forms on made-up runs, and once with real modules in worker processes."""

import itertools

import pandas as pd
import pytest

from splitshare.placement.instance import Assignment, Placement
from splitshare.placement.objective import evaluate
from splitshare.placement.what_if import with_compute_s
from splitshare.records import Versions
from splitshare.replay.emulator.causes import CAUSES, causes_table, computing_table, with_computing
from splitshare.replay.emulator.outcome import RUN_COLUMNS
from splitshare.replay.metrics import OVERALL
from splitshare.replay.plan import IDEAL, Overheads
from splitshare.replay.simulator import simulate
from splitshare.stages import fidelity as command
from tests.replay.emulator.embedded import EMBEDDED, EMBEDDED_ASSIGNMENT, embedded
from tests.replay.examples import example, trace_of

ASSIGNMENT: Assignment = {"vision": ("b",), "text": ("c",), "head": ("c",)}
SINGLE_S = 0.31401
"""Idle latency of ``single``: see ``test_fidelity``."""
APART = [(2.0 * i, "single", 1.0) for i in range(4)]
AT_ONCE = [(0.0, "single", 1.0)] * 2


def runs(*times: tuple[float, float], request="single", place=1, stage="encode", module="vision", device="b"):
    """Runs of the image encoder, profiled at 0.2 s: wall and CPU seconds."""
    rows = [
        (i, request, place, stage, module, device, 0.2, wall, cpu, wall / 10) for i, (wall, cpu) in enumerate(times)
    ]
    return pd.DataFrame(rows, columns=list(RUN_COLUMNS))


def ladder(arrivals, idle, replayed, overheads=IDEAL, emulated_s=1.0):
    """Emulated and simulated mean latency of all requests."""
    instance = example()
    routes = evaluate(instance, ASSIGNMENT).routes
    trace = trace_of(instance, arrivals)
    requests = simulate(instance, routes, trace).requests.assign(latency_s=emulated_s)
    table = causes_table(instance, routes, trace, [requests], overheads, computing_table(idle, replayed))
    row = table.set_index("request").to_dict("index")[OVERALL]
    return [row[column] for column in ("ideal_s", *(f"with_{cause}_s" for cause in CAUSES))], row


def test_a_table_of_what_modules_took():
    idle = runs((0.31, 0.30), (0.5, 0.36), (0.32, 0.32))
    replayed = runs((0.4, 0.4), (0.1, 0.1), (0.7, 0.4), (0.5, 0.5))
    (row,) = computing_table(idle, replayed).to_dict("records")
    assert {key: row[key] for key in ("request", "module", "device")} == {
        "request": "single",
        "module": "vision",
        "device": "b",
    }
    assert (row["idle_runs"], row["runs"]) == (3, 4)
    assert (row["idle_wall_s"], row["idle_cpu_s"], row["alone_s"]) == (0.32, 0.32, 0.32)
    assert (row["wall_s"], row["cpu_s"]) == pytest.approx((1.7 / 4, 1.4 / 4))
    assert row["moved_s"] == pytest.approx(0.17 / 4)
    assert row["slowed_s"] == pytest.approx((0.4 + 0.2 + 0.4 + 0.5) / 4)  # the second run slept until 0.2 s
    assert row["held_s"] == pytest.approx((0.4 + 0.2 + 0.7 + 0.5) / 4)


def test_a_host_that_is_quicker_than_the_device_adds_nothing():
    steps, _ = ladder(APART, runs((0.05, 0.04)), runs((0.15, 0.06)))
    assert steps == [pytest.approx(SINGLE_S)] * 5
    assert steps[1:] == [steps[0]] * 4


@pytest.mark.parametrize(
    ("idle", "replayed", "added"),
    [
        ((0.3, 0.3), (0.3, 0.3), (0.1, 0.0, 0.0)),  # a slower host
        ((0.2, 0.2), (0.26, 0.26), (0.0, 0.06, 0.0)),  # only under load
        ((0.2, 0.2), (0.3, 0.2), (0.0, 0.0, 0.1)),  # only for want of a core
        ((0.35, 0.3), (0.5, 0.4), (0.1, 0.1, 0.1)),  # an idle run may wait too
        ((0.4, 0.4), (0.3, 0.3), (0.2, -0.1, 0.0)),  # quicker when warm
    ],
)
def test_each_cause_is_told_apart(idle, replayed, added):
    overheads = Overheads(message_s=0.004, run_s=0.001)
    steps, row = ladder(APART, runs(idle), runs(replayed), overheads)
    differences = [after - before for before, after in itertools.pairwise(steps)]
    assert differences == pytest.approx([3 * 0.004 + 2 * 0.001, *added])  # three messages, two runs
    assert row["unexplained_s"] == pytest.approx(1.0 - SINGLE_S - sum(differences))
    assert row["unexplained"] == row["unexplained_s"]


def test_what_one_request_computes_longer_the_next_one_waits_longer():
    steps, _ = ladder(AT_ONCE, runs((0.3, 0.3)), runs((0.3, 0.3)))
    assert steps[:2] == pytest.approx([SINGLE_S + 0.2 / 2] * 2)  # 0.1 s for the link, 0.1 s for the device
    assert steps[2] - steps[1] == pytest.approx((0.1 + 0.2) / 2)


def test_causes_that_hold_leave_nothing_unexplained():
    """Emulated by the simulator with the times that the runs echo: exactly explained, class by class."""
    instance = example()
    routes = evaluate(instance, ASSIGNMENT).routes
    trace = trace_of(instance, [(0.25 * i, "pair" if i % 3 else "single", 1.0) for i in range(30)])
    parts = [
        runs((0.31, 0.30), request="single"),
        runs((0.33, 0.29), request="pair", place=2),
        runs((0.5, 0.4), request="pair", place=3, module="text", device="c"),
    ]
    took = pd.concat(parts, ignore_index=True)
    computing = computing_table(took, took)
    overheads = Overheads(0.002, 0.0003)
    here = with_computing(instance, computing, "held_s")
    emulated = [simulate(here, routes, trace, overheads=overheads).requests] * 2
    table = causes_table(instance, routes, trace, emulated, overheads, computing)
    assert table["request"].tolist() == ["pair", "single", OVERALL]
    assert (table["unexplained_s"].abs() < 1e-12).all()
    assert (table["n"] == [40, 20, 60]).all()
    assert (table["with_waiting_s"] > table["with_slowdown_s"]).all()


def test_a_module_that_did_not_run_in_the_replay_keeps_its_time():
    elsewhere = runs((0.5, 0.5), request="pair", place=3, module="text", device="c")
    computing = computing_table(pd.concat([runs((0.4, 0.4)), elsewhere], ignore_index=True), runs((0.6, 0.6)))
    here = with_computing(example(), computing, "held_s")
    pair, single = here.requests
    assert (here.encoder_compute_s(single, 0)["b"], here.encoder_compute_s(pair, 1)["c"]) == (0.6, 0.1)


def test_other_compute_times_are_of_one_class_only():
    instance = example()
    changed = with_compute_s(instance, {("pair", "vision", "b"): 0.7, ("pair", "head", "c"): 0.5})
    found, before = evaluate(changed, ASSIGNMENT).latency_s, evaluate(instance, ASSIGNMENT).latency_s
    assert found["single"] == before["single"]
    assert found["pair"] - before["pair"] == pytest.approx(0.5 + 0.49)
    assert changed.encoder_compute_s(changed.requests[0], 0)["c"] == 0.3
    assert with_compute_s(instance, {}) == instance


@pytest.fixture
def embedded_run(tmp_path):
    """An instance of the embedded benchmark, and a placement of it."""
    instance = embedded()
    instance.write(tmp_path / "embedded.json")
    placement = Placement(
        schema_="splitshare.placement/1",
        instance_sha256=instance.sha256(),
        algorithm="hand",
        status="feasible",
        assignment=EMBEDDED_ASSIGNMENT,
        objective=None,
        bound=None,
        build_s=0.0,
        solve_s=0.0,
        versions=Versions(splitshare="0", python="3"),
    )
    placement.write(tmp_path / "hand" / "embedded.json")
    return tmp_path


@pytest.mark.slow  # three workers import torch
def test_real_modules_and_what_they_take(embedded_run):
    lines: list[str] = []
    command.run(
        command.Options(
            [embedded_run / "embedded.json"],
            placements=embedded_run,
            method="hand",
            output=embedded_run / "out",
            network="proxy",
            load=0.2,
            requests=12,
            least_requests=1,
            repeats=2,
            compute="real",
            any_links=True,
            seed=0,
            crash=None,
            max_batch=1,
            batch_curves=None,
            catalog_root=EMBEDDED,
        ),
        echo=lines.append,
    )
    computing = pd.read_csv(embedded_run / "out" / "computing.csv").set_index("module").to_dict("index")
    for row in computing.values():
        assert row["runs"] == 24
        assert 1e-5 < row["cpu_s"] < 1.01 * row["wall_s"]
        assert row["moved_s"] == 0.0  # there is no other memory that tensors would go to
    vision = computing.pop("small-vision@together")
    assert vision["cpu_s"] < 0.1  # the host is quicker, so the worker slept
    assert vision["alone_s"] == 0.1
    for row in computing.values():
        assert row["alone_s"] == row["idle_cpu_s"]
    causes = pd.read_csv(embedded_run / "out" / "causes.csv")
    assert causes["request"].tolist() == ["embedded-vqa-together", OVERALL]
    last = causes.iloc[-1]
    ideal_s = 0.049152 + 0.001 + 0.1 + 0.000256 + 0.001 + 1e-6 + 0.000052 + 0.001
    assert last["ideal_s"] > ideal_s
    assert last["emulated_s"] > last["ideal_s"]
    # of figures kept to nine digits
    left_s = last["emulated_s"] - last["with_waiting_s"]
    assert last["unexplained_s"] == pytest.approx(left_s, rel=0, abs=1e-8)
    assert abs(last["unexplained"]) < 0.2
    fidelity = pd.read_csv(embedded_run / "out" / "fidelity.csv").set_index(["request", "metric"])
    assert fidelity.loc[(OVERALL, "mean_s"), "emulated"] == pytest.approx(last["emulated_s"])
