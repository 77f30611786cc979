"""The emulator over network namespaces, as root or in a user namespace; skipped where there is neither."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from splitshare.errors import InputError
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.driver import DriverOptions
from splitshare.replay.emulator.emulate import EmulationOptions, measure, replay
from splitshare.replay.emulator.faults import Fault
from splitshare.replay.emulator.kernel_links import wire_bytes_per_s
from splitshare.replay.emulator.namespaces import namespace_testbed
from splitshare.replay.emulator.network import WorkerSetup
from splitshare.replay.simulator import simulate
from tests.replay.emulator.test_emulate import ASSIGNMENT, SLACK_S
from tests.replay.examples import example, trace_of

pytestmark = [pytest.mark.root, pytest.mark.alone]
ROOT = Path(__file__).parents[3]
NOBODY = 65534


@pytest.fixture(scope="module", autouse=True)
def allowed():
    enter = [sys.executable, "-m", "splitshare.replay.emulator.kernel_links"]
    if subprocess.run(enter, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
        pytest.skip("neither root nor a user namespace is to be had here")


@pytest.fixture
def instance():
    return example()


def host_interfaces() -> str:
    return " ".join(name for _, name in socket.if_nameindex())


def test_agrees_with_the_simulator_shapes_links_and_leaves_the_host_alone(instance):
    before, lines = host_interfaces(), list[str]()
    children = set(psutil.Process().children(recursive=True))
    arrivals = [(0.6 * i, "pair" if i % 2 else "single", 1.0) for i in range(6)]
    trace = trace_of(instance, arrivals)
    with namespace_testbed(instance, WorkerSetup(), "serial", lines.append) as testbed:
        assert host_interfaces() == before
        links = measure(instance, testbed, lines.append, any_links=True)
        options = EmulationOptions(driver=DriverOptions(deadline_s=20.0))
        emulated = replay(instance, ASSIGNMENT, trace, testbed, options=options, faults=[])
    assert lines[0].startswith("namespaces: ")
    assert len(links) == 6
    assert sorted(abs(link.rate_error) for link in links)[3] < 0.03
    assert sorted(abs(link.delay_error_s) for link in links)[3] < 0.001
    simulated = simulate(instance, evaluate(instance, ASSIGNMENT).routes, trace)
    late_s = emulated.result.requests["latency_s"] - simulated.requests["latency_s"]
    assert emulated.counts == {"ok": 6, "dropped": 0, "failed": 0}
    assert abs(late_s.median()) < SLACK_S
    assert set(psutil.Process().children(recursive=True)) <= children
    assert host_interfaces() == before


def test_a_killed_worker_and_a_cut_link_are_noticed(instance):
    arrivals = [(0.4 * i, "single", 1.0) for i in range(12)]
    faults = [Fault("cut", ("a", "b"), 0.9), Fault("restore", ("a", "b"), 1.7), Fault("kill", ("b",), 3.0)]
    options = EmulationOptions(driver=DriverOptions(deadline_s=20.0), replace_with="s2m3-greedy")
    with namespace_testbed(instance, WorkerSetup(), "serial", print) as testbed:
        emulated = replay(instance, ASSIGNMENT, trace_of(instance, arrivals), testbed, options=options, faults=faults)
    assert sum(emulated.counts.values()) == len(arrivals)
    status = emulated.result.requests["status"].astype(str).tolist()
    assert "failed" in status[2:5]
    assert status[5] == status[-1] == "ok"
    (recovery,) = emulated.recoveries
    assert recovery.device == "b"
    assert recovery.recovered_s is not None


def test_nothing_is_left_of_a_killed_run(tmp_path):
    script = (
        "import time\n"
        "from splitshare.replay.emulator.network import WorkerSetup\n"
        "from splitshare.replay.emulator.namespaces import namespace_testbed\n"
        "from tests.replay.examples import example\n"
        "with namespace_testbed(example(), WorkerSetup(), 'serial', lambda line: None):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    before = host_interfaces()
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    started = psutil.Process(child.pid).children(recursive=True)
    assert len(started) == 8  # three workers, three relays, what makes links, what clears up
    child.send_signal(signal.SIGKILL)
    child.communicate()
    deadline_s = time.monotonic() + 10
    while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in started) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not list(tmp_path.iterdir())
    assert host_interfaces() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="is not root anyway")
def test_somebody_without_rights_gets_a_user_namespace():
    script = (
        "import ctypes, os, socket\n"
        "from splitshare.replay.emulator.kernel_links import own_namespaces\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "ctypes.CDLL(None).prctl(4, 1)\n"  # PR_SET_DUMPABLE: own the files of /proc/self, as after an exec
        "print(own_namespaces(), *[name for _, name in socket.if_nameindex()][:1])\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if "Operation not permitted" in answer.stderr:
        pytest.skip("this kernel allows no user namespaces")
    assert answer.stdout.split() == ["True", "lo"], answer.stderr


def test_the_wire_carries_headers_too():
    assert wire_bytes_per_s(1448.0) == pytest.approx(1514.0)  # a full frame of 1500 bytes with time stamps


def test_air_time_cannot_be_shared(instance):
    with pytest.raises(InputError, match="use --network proxy"):
        namespace_testbed(instance, WorkerSetup(), "shared-medium", print).__enter__()
