"""Memory bounded by the kernel; skipped where this process may make no control groups."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from splitshare.errors import WorkError
from splitshare.jsonl import read_lines
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.replay.emulator.cleaner import run_directory
from splitshare.replay.emulator.emulate import EmulationOptions, replay
from splitshare.replay.emulator.memory_limits import enforce, limit_memory
from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed
from tests.replay.examples import trace_of

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[3]
EATER = (
    "import sys\nprint('ready', flush=True)\nsys.stdin.readline()\n"
    "kept = bytearray(int(sys.argv[1]))\nkept[:: 4096] = b'x' * len(kept[:: 4096])\nprint('alive', flush=True)\n"
)


def eat(size):
    return subprocess.Popen(
        [sys.executable, "-c", EATER, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def groups():
    with run_directory() as (_, cleaner):
        if limit_memory({}, {}, cleaner, lambda line: None) is None:
            pytest.skip("no control groups are to be had here")


def test_the_kernel_kills_what_takes_more_and_says_so(groups):
    lines: list[str] = []
    with run_directory() as (_, cleaner):
        children = {"small": eat(10_000_000), "large": eat(200_000_000)}
        for child in children.values():
            assert child.stdout is not None
            child.stdout.readline()
        pids = {name: child.pid for name, child in children.items()}
        explain = enforce("kernel", pids, dict.fromkeys(pids, 80e6), cleaner, lines.append)
        said = {name: child.communicate("go\n", timeout=30)[0].strip() for name, child in children.items()}
        assert said == {"small": "alive", "large": ""}
        assert explain("small") == ""
        assert explain("large") == "killed by the kernel beyond its 8e+07 bytes of memory"
    (line,) = lines
    parent = line.split("below ")[1]
    assert not subprocess.run(["find", parent, "-name", "splitshare-*"], capture_output=True, check=True).stdout


def test_declared_limits_need_no_groups():
    lines: list[str] = []
    with run_directory() as (_, cleaner):
        explain = enforce("declared", {"a": 1}, {"a": 1.0}, cleaner, lines.append)
    assert explain("a") == ""
    assert lines == ["memory limits: as modules declare, not enforced by the kernel"]


def test_a_worker_that_loads_more_than_its_device_has_is_killed_and_the_error_says_why(groups):
    recorded = read_lines(PlacementInstance, ROOT / "data" / "baselines" / "instances" / "s2m3.jsonl")
    found = next(i for i in recorded if i.name == "vqa-vit-b16.laptop-jetson").model_dump(by_alias=True, mode="json")
    for module in found["modules"]:
        module["memory_bytes"] = 1.0  # what they declare is not what they take
    found["devices"][1]["memory_bytes"] = 60e6
    instance = PlacementInstance.parse(found, "instance")
    assignment: Assignment = {module.name: ("jetson",) for module in instance.modules}
    setup = WorkerSetup(compute="real", catalog_root=ROOT / "data", limits="kernel")
    trace = trace_of(instance, [(0.0, "vqa-vit-b16", 1.0)])
    with (
        proxy_testbed(instance, setup, "serial", lambda line: None) as testbed,
        pytest.raises(WorkError, match=r"jetson: killed by the kernel beyond its 6e\+07 bytes of memory"),
    ):
        replay(instance, assignment, trace, testbed, options=EmulationOptions())


def test_a_run_that_is_over_has_left_no_process():
    before = set(psutil.Process().children(recursive=True))
    with run_directory() as (path, _):
        assert path.is_dir()
    assert not path.exists()
    deadline_s = time.monotonic() + 5
    while set(psutil.Process().children(recursive=True)) - before and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert set(psutil.Process().children(recursive=True)) <= before
