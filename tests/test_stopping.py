"""Being stopped: within seconds, in one line, with nothing left, whatever the process is doing."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from splitshare.stopping import PATIENCE_S
from tests.workflow.repository import Repository

ROOT = Path(__file__).parents[1]
BUSY = {
    "in Python": "def spin():\n    while True: pass\nspin()",
    "asleep": "import time; time.sleep(60)",
    # lets other threads run, as solvers do
    "in native code": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)",
    "in an event loop": "import asyncio; asyncio.run(asyncio.sleep(60))",
    "waiting for a child": "import subprocess; subprocess.run(['sleep', '60'])",
    "writing": (
        "from pathlib import Path\nfrom splitshare.files import atomic_path\n"
        "with atomic_path(Path('out.txt')) as path:\n    path.write_text('half')\n    import time; time.sleep(60)"
    ),
    "catching everything": "import time\nwhile True:\n    try: time.sleep(60)\n    except Exception: pass",
    "slow to end": "import atexit, time; atexit.register(time.sleep, 60); time.sleep(60)",
}
CUT_OFF = {"in native code", "slow to end"}
PROGRAM = """
from splitshare.stopping import Stopped, end, stop_when_asked
stop_when_asked()
print("ready", flush=True)
try:
{busy}
except Stopped as stopped:
    end(stopped)
"""


def stopped(process: subprocess.Popen[str], number: int, *, group: bool) -> tuple[str, float, list[psutil.Process]]:
    """Send a signal; what the process wrote to standard error, how long it took, and which children are left."""
    children = psutil.Process(process.pid).children(recursive=True)
    started = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    _, error = process.communicate(timeout=60)
    took_s = time.monotonic() - started
    left = psutil.wait_procs(children, timeout=2)[1]
    return error, took_s, [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", BUSY)
def test_a_program_ends_in_one_line_whatever_it_is_doing(busy, number, tmp_path):
    code = PROGRAM.format(busy="\n".join(f"    {line}" for line in BUSY[busy].splitlines()))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    error, took_s, left = stopped(process, number, group=False)
    assert error == f"stopped ({signal.Signals(number).name})\n"
    assert process.returncode == 128 + number
    assert took_s < PATIENCE_S + 2
    assert (took_s > PATIENCE_S - 1) == (busy in CUT_OFF)
    assert left == []
    assert list(tmp_path.iterdir()) == []


COMMANDS = {
    "sweep": "onloading sweep --config config/config.yaml --zoo data/zoos/published.json -o {out}/sweep.csv",
    "optimum": "solve {out}/large-01.json --algorithm optimum --solver highs --time-limit-s 100 -o {out}/a.json",
    "compare": "compare --algorithm {out}/endless.py:Endless -o {out}/verdict",
}
ENDLESS = """
class Endless:
    name = "endless"
    def place(self, instance, *, seed, time_limit):
        while True: pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_within_seconds_and_leaves_nothing(command, number, group, tmp_path):
    given, temporary = tmp_path / "given", tmp_path / "temporary"
    given.mkdir()
    temporary.mkdir()
    suite = (ROOT / "data" / "baselines" / "onloading_instances.jsonl").read_text().splitlines()
    (given / "large-01.json").write_text(next(line for line in suite if '"large-01"' in line[:200]))
    (given / "endless.py").write_text(ENDLESS)
    before = sorted(path.name for path in given.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-m", "splitshare.cli", *COMMANDS[command].format(out=given).split()],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(7)
    assert process.poll() is None
    error, took_s, left = stopped(process, number, group=group)
    assert error.splitlines() == [f"stopped ({signal.Signals(number).name})"]
    assert process.returncode == 128 + number
    assert took_s < 8  # 5 on a quiet machine
    assert left == []
    assert sorted(path.name for path in given.iterdir()) == before
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"), "config/smoke.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("group", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_of_the_workflow_ends_with_its_jobs(smoke, number, group):
    process = start(smoke)
    time.sleep(12)
    assert process.poll() is None
    error, took_s, left = stopped(process, number, group=group)
    assert error.splitlines()[-1] == f"stopped ({signal.Signals(number).name})"
    assert "Traceback" not in error
    assert process.returncode == 128 + number
    assert took_s < 8  # 5 on a quiet machine
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [".lock", ".jobs.lock"])
def test_a_run_that_waits_for_another_ends_in_one_line(smoke, name):
    lock = smoke.root / "results" / "smoke" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = start(smoke)
        time.sleep(4)
        error, took_s, _ = stopped(process, signal.SIGINT, group=False)
    assert [line.split(" ")[0] for line in error.splitlines()] == ["waiting", "stopped"]
    assert process.returncode == 130
    assert took_s < 5


def start(repository: Repository) -> subprocess.Popen[str]:
    return subprocess.Popen(
        repository.command("all", "--cores", "1"),
        cwd=repository.root,
        env=repository.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
