"""Whole emulations over proxies on a small instance: times by hand, conservation, faults, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from splitshare.errors import InputError
from splitshare.placement.instance import Assignment
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.driver import DriverOptions
from splitshare.replay.emulator.emulate import EmulationOptions, measure, replay
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed
from splitshare.replay.emulator.program import build_program
from splitshare.replay.plan import Overheads
from splitshare.replay.simulator import simulate
from tests.replay.examples import example, fields, trace_of

pytestmark = pytest.mark.alone

ASSIGNMENT: Assignment = {"vision": ("b",), "text": ("c",), "head": ("c",)}
SLACK_S = 0.06
"""What a busy machine may add to a request; the fidelity record, not this test, shows how little it is."""


@pytest.fixture
def instance():
    return example()


@pytest.fixture
def testbed(instance):
    before = set(psutil.Process().children(recursive=True))
    said: list[str] = []
    with proxy_testbed(instance, WorkerSetup(), "serial", said.append) as made:
        yield made
    assert set(psutil.Process().children(recursive=True)) <= before
    assert not said  # recorded modules take no memory that could be bounded


def run(instance, testbed, arrivals, *, faults=(), replace=None, deadline_s=20.0):
    options = EmulationOptions(
        driver=DriverOptions(deadline_s=deadline_s, heartbeat_s=0.2, heartbeat_timeout_s=1.0), replace_with=replace
    )
    trace = trace_of(instance, arrivals)
    emulated = replay(instance, ASSIGNMENT, trace, testbed, options=options, faults=faults)
    assert sum(emulated.counts.values()) == len(arrivals)
    return trace, emulated


def test_agrees_with_the_simulator_and_shapes_links(instance, testbed):
    lines: list[str] = []
    links = measure(instance, testbed, lines.append, any_links=True)
    assert len(links) == len(lines) == 6
    assert sorted(abs(link.rate_error) for link in links)[3] < 0.03
    assert sorted(link.measured_latency_s for link in links)[3] == pytest.approx(0.001, abs=0.001)
    arrivals = [(0.6 * i, "pair" if i % 2 else "single", 1.0) for i in range(6)] + [(3.1, "pair", 2.0)]
    trace, emulated = run(instance, testbed, arrivals)
    simulated = simulate(instance, evaluate(instance, ASSIGNMENT).routes, trace)
    assert emulated.counts == {"ok": 7, "dropped": 0, "failed": 0}
    late_s = emulated.result.requests["latency_s"] - simulated.requests["latency_s"]
    assert late_s.min() > 0  # a real system is never ahead of the ideal one
    assert late_s.median() < SLACK_S
    assert list(emulated.result.stages.columns) == list(simulated.stages.columns)
    for column in ("request_id", "request", "stage", "module", "device", "link"):
        assert emulated.result.stages[column].astype(str).tolist() == simulated.stages[column].astype(str).tolist()
    late_s = emulated.result.stages["finish_s"] - simulated.stages["finish_s"]
    assert late_s.median() < SLACK_S


def test_sequential_routing_pays_for_a_signal(instance, testbed):
    """Vision on b, then text on c: 0.1 s and 1 ms of input, 0.2 s, 1 ms of signal, 0.1 s; the head is on c too."""
    chained = instance.model_copy(update={"routing": "sequential"})
    arrivals = [(0.45 * i, "pair" if i % 2 == 0 else "single", 1.0) for i in range(6)]
    trace, emulated = run(chained, testbed, arrivals)
    assert emulated.counts == {"ok": 6, "dropped": 0, "failed": 0}
    routes = evaluate(chained, ASSIGNMENT).routes
    ideal = simulate(chained, routes, trace)
    told = simulate(chained, routes, trace, overheads=Overheads(signals=True))
    pairs = slice(0, None, 2)
    by_hand_s = 0.101 + 0.2 + 0.001 + 0.1 + 0.01 + 0.00101
    assert told.requests["latency_s"][pairs].tolist() == pytest.approx([by_hand_s] * 3)
    assert ideal.requests["latency_s"][pairs].tolist() == pytest.approx([by_hand_s - 0.001] * 3)
    late_s = emulated.result.requests["latency_s"] - told.requests["latency_s"]
    assert late_s.min() > 0
    assert late_s.median() < SLACK_S
    # The signal itself, of which the ideal simulation knows nothing: the link's latency and what a message costs.
    vision, text = (
        emulated.result.stages.query(f"request == 'pair' and stage == 'encode' and module == '{m}'")
        for m in ("vision", "text")
    )
    signal_s = text["ready_s"].to_numpy() - vision["finish_s"].to_numpy()
    assert len(signal_s) == 3
    assert signal_s.min() >= 0.001
    assert np.median(signal_s) < 0.001 + SLACK_S


def test_sequential_routing_is_refused_where_no_link_carries_the_signal():
    apart = example(routing="sequential", links=[link for link in fields()["links"] if link["a"] == "a"])
    elsewhere = {"vision": ("b",), "text": ("c",), "head": ("a",)}
    with pytest.raises(InputError, match=r"requests\.pair: with sequential routing 'c' waits for 'b', but no link"):
        build_program(apart, evaluate(apart, elsewhere).routes, elsewhere, epoch=1)
    both = {"vision": ("c",), "text": ("c",), "head": ("a",)}
    build_program(apart, evaluate(apart, both).routes, both, epoch=1)


def test_killed_worker_fails_what_is_in_flight_and_the_rest_is_placed_anew(instance, testbed):
    arrivals = [(0.25 * i, "single", 1.0) for i in range(16)]
    _, emulated = run(instance, testbed, arrivals, faults=[Fault("kill", ("b",), 1.1)], replace="s2m3-greedy")
    assert emulated.counts["failed"] >= 1
    assert emulated.counts["ok"] >= 10
    (recovery,) = emulated.recoveries
    assert recovery.device == "b"
    assert recovery.broken_s is not None
    assert recovery.replaced_s is not None
    assert recovery.recovered_s is not None
    assert recovery.broken_s <= recovery.detected_s <= recovery.replaced_s
    assert recovery.detected_s - recovery.broken_s < 1.0  # its connections break: no heartbeat is waited for
    assert all(reason.startswith(("b:", "no placement", "link", "worker b")) for reason in emulated.reasons)
    moved = emulated.result.stages.query("stage == 'encode'")
    assert set(moved["device"].dropna().astype(str)) == {"b", "c"}


def test_stuck_worker_is_noticed_and_later_requests_are_dropped(instance, testbed):
    arrivals = [(0.3 * i, "single", 1.0) for i in range(14)]
    _, emulated = run(instance, testbed, arrivals, faults=[Fault("stick", ("b",), 0.9)])
    assert emulated.counts["ok"] >= 1
    assert emulated.counts["failed"] >= 1
    assert emulated.counts["dropped"] >= 1
    assert "no health check" in emulated.recoveries[0].reason


def test_cut_link_fails_what_crosses_it_until_it_is_restored(instance, testbed):
    arrivals = [(0.4 * i, "single", 1.0) for i in range(10)]
    faults = [Fault("cut", ("a", "b"), 1.0), Fault("restore", ("a", "b"), 2.3)]
    _, emulated = run(instance, testbed, arrivals, faults=faults)
    status = emulated.result.requests["status"].astype(str).tolist()
    assert status[0] == "ok"
    assert "failed" in status[2:7]
    assert status[-1] == "ok"
    assert all(reason.startswith("link ") for reason in emulated.reasons)
    assert not emulated.recoveries  # no device was lost


def test_straggler_and_deadline(instance, testbed):
    arrivals = [(0.0, "single", 1.0), (1.5, "single", 1.0), (2.0, "single", 30.0)]
    faults = [Fault("slow", ("b",), 1.0, factor=3.0)]
    _, emulated = run(instance, testbed, arrivals, faults=faults, deadline_s=2.5)
    requests = emulated.result.requests
    assert requests["status"].astype(str).tolist() == ["ok", "ok", "failed"]
    assert requests["latency_s"][1] - requests["latency_s"][0] == pytest.approx(0.4, abs=SLACK_S)
    assert list(emulated.reasons) == ["not answered in 2.5 s"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_after_an_interruption(tmp_path, number):
    script = (
        "import sys, time\n"
        "from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed\n"
        "from tests.replay.examples import example\n"
        "with proxy_testbed(example(), WorkerSetup(), 'serial', print):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    root = Path(__file__).parents[3]
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root, env=environment)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    started = psutil.Process(child.pid).children(recursive=True)
    assert len(started) == 5  # three workers, the relays, and what clears up
    child.send_signal(number)
    child.communicate()
    deadline_s = time.monotonic() + 10
    while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in started) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not list(tmp_path.iterdir())


def test_worker_refuses_more_than_its_memory(instance):
    small = example(devices=[{"name": n, "memory_bytes": 1.0} for n in "abc"])
    with (
        proxy_testbed(small, WorkerSetup(), "serial", print) as testbed,
        pytest.raises(Exception, match="need 2 bytes"),
    ):
        run(instance, testbed, [(0.0, "single", 1.0)])
