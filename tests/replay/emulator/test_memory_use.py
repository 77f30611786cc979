"""Memory of an emulation's processes, against what psutil knows of them."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from splitshare.replay.emulator import memory_use as memory
from splitshare.replay.emulator import network
from splitshare.replay.emulator.memory_use import MemoryUse, memory_use, proportional_bytes
from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed
from tests.replay.examples import example

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only on Linux")


def between_own_and_all(pid: int, size: int) -> bool:
    """A proportional size is at least what nobody shares, and at most what is there (both give a little meanwhile)."""
    info = psutil.Process(pid).memory_full_info()
    return 0.95 * info.uss <= size <= 1.05 * info.rss


def test_workers_and_relays_are_told_while_they_live() -> None:
    instance = example()
    with proxy_testbed(instance, WorkerSetup(), "serial", lambda _: None) as testbed:
        found = memory_use(testbed)
        assert set(found.workers_bytes) == {device.name for device in instance.devices}
        for device, size in found.workers_bytes.items():
            assert between_own_and_all(testbed.worker_pids[device], size)
        (relay,) = testbed.relay_pids
        assert between_own_and_all(relay, found.relays_bytes)
        resident = sum(psutil.Process(pid).memory_info().rss for pid in testbed.worker_pids.values())
        assert sum(found.workers_bytes.values()) < 0.9 * resident  # they share an interpreter and its libraries

        first = instance.devices[0].name
        assert testbed.faults is not None
        testbed.faults.kill(first)
        psutil.wait_procs([psutil.Process(testbed.worker_pids[first])], timeout=5)
        assert set(memory_use(testbed).workers_bytes) == set(found.workers_bytes) - {first}


def test_of_a_process_that_has_ended_nothing_is_known() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert proportional_bytes(process.pid) is None


def test_what_is_told_people() -> None:
    use = MemoryUse({"a": 10_000_000, "b": 20_000_000, "c": 60_000_000}, 5_000_000)
    told = use.line()
    assert "20.0 MB a worker in the median, 60.0 at most; 5.0 MB for links; 95 MB together" in told


def test_where_no_process_may_be_looked_at_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROCESSES", tmp_path)
    testbed = network.Testbed(workers={}, links={}, credentials=None, worker_pids={"a": 1}, relay_pids=[2])  # type: ignore[arg-type]
    assert "not known" in memory_use(testbed).line()
