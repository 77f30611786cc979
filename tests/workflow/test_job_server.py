"""Jobs as forks of one process: each is to be what the plain command is."""

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.workflow.repository import locked

WORKFLOW = Path(__file__).parents[2] / "workflow"
PATH = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
"""Jobs find the commands of the run's environment (``rules/common.smk``)."""
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only on Linux")


class Jobs:
    """A server, and what its clients run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = folder / "server" / "jobs"
        self.address.parent.mkdir()
        self.server = subprocess.Popen(
            [sys.executable, WORKFLOW / "job_server.py", self.address], stdin=subprocess.PIPE
        )
        wait_until(self.address.exists)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-SE", str(WORKFLOW / "job_client.py"), str(self.address), *words]

    def run(self, *words: str, where: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*words)
        return subprocess.run(
            command,
            cwd=where or self.folder,
            env=os.environ | PATH | environment,
            capture_output=True,
            text=True,
            check=False,
        )


def wait_until(true: Callable[[], bool], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    started = Jobs(tmp_path_factory.mktemp("jobs"))
    yield started
    assert started.server.stdin is not None
    started.server.stdin.close()
    assert started.server.wait(timeout=20) == 0
    assert not started.address.parent.exists()


def plain(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("splitshare")), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words",
    [("--version",), ("list", "models"), ("solve", "none.json", "--algorithm", "heft", "-o", "p.json"), ("nothing",)],
)
def test_a_job_answers_as_the_plain_command_does(jobs: Jobs, words: tuple[str, ...]):
    told, expected = jobs.run(*words), plain(jobs.folder, *words)
    assert (told.returncode, told.stdout, told.stderr) == (expected.returncode, expected.stdout, expected.stderr)


def test_jobs_are_processes_with_their_own_words_folder_and_environment(jobs: Jobs):
    (jobs.folder / "algorithm.py").write_text(
        "import os, pathlib, sys\n"
        "pathlib.Path('seen').write_text(repr((os.getppid(), os.environ.get('MARK'), sys.argv[:2])))\n"
        "class Mine:\n    name = 'mine'\n    def place(self, instance, *, seed, time_limit):\n        return None\n"
    )
    seen = []
    for mark in ("one", "two"):
        jobs.run("compare", "--algorithm", "algorithm.py:Mine", MARK=mark)
        seen.append(eval((jobs.folder / "seen").read_text()))
    assert [what for _, *what in seen] == [[mark, ["splitshare", "compare"]] for mark in ("one", "two")]
    assert len({jobs.server.pid, *(process for process, *_ in seen)}) == 3


def test_a_job_elsewhere_finds_what_it_would_find_by_itself(jobs: Jobs):
    assert jobs.run("list", "models").returncode == 0
    told = jobs.run("list", "models", where=WORKFLOW.parent)
    assert told.stdout == plain(WORKFLOW.parent, "list", "models").stdout


def test_without_a_server_it_is_the_plain_command(tmp_path: Path):
    command = [sys.executable, "-SE", str(WORKFLOW / "job_client.py"), "nowhere", "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | PATH, capture_output=True, text=True, check=False)
    assert done.stdout == plain(tmp_path, "--version").stdout


def test_a_server_that_dies_before_the_job_runs_is_done_without(tmp_path: Path):
    """One that accepts and says nothing, as when it cannot fork."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "jobs"))
        listener.listen()
        command = [sys.executable, "-SE", str(WORKFLOW / "job_client.py"), str(tmp_path / "jobs"), "--version"]
        client = subprocess.Popen(command, cwd=tmp_path, env=os.environ | PATH, stdout=subprocess.PIPE, text=True)
        listener.accept()[0].close()
        assert client.communicate()[0] == plain(tmp_path, "--version").stdout


def started(jobs: Jobs, lock: int) -> subprocess.Popen[str]:
    """A job that does not end by itself, holding a lock, once it is at work."""
    command = 'exec 9>&"$0"; exec "$@"'
    job = subprocess.Popen(
        ["bash", "-c", command, str(lock), *jobs.command("worker", "edge", "--listen", "127.0.0.1:0")],
        cwd=jobs.folder,
        stdout=subprocess.PIPE,
        pass_fds=(lock,),
        text=True,
    )
    assert job.stdout is not None
    assert select.select([job.stdout], [], [], 20)[0]
    return job


def test_a_job_ends_with_its_client_and_holds_the_lock_until_then(jobs: Jobs):
    path = jobs.folder / "lock"
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        job = started(jobs, lock.fileno())
    assert locked(path)
    job.kill()
    job.wait()
    wait_until(lambda: not locked(path))


def test_a_job_goes_on_when_the_run_has_died(tmp_path: Path):
    jobs, path = Jobs(tmp_path), tmp_path / "lock"
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        job = started(jobs, lock.fileno())
    assert jobs.server.stdin is not None
    jobs.server.stdin.close()
    wait_until(lambda: not jobs.address.parent.exists())
    assert job.poll() is None
    assert locked(path)
    job.send_signal(signal.SIGTERM)
    job.wait(timeout=20)
    assert jobs.server.wait(timeout=20) == 0
    assert not locked(path)


def test_a_server_that_is_stopped_leaves_nothing_behind(tmp_path: Path):
    jobs = Jobs(tmp_path)
    assert jobs.run("--version").returncode == 0
    jobs.server.terminate()
    jobs.server.wait(timeout=20)
    assert not jobs.address.parent.exists()


def test_a_job_that_is_killed_is_told_of_as_killed(tmp_path: Path):
    """As the system does when memory runs out."""
    jobs = Jobs(tmp_path)
    with (tmp_path / "lock").open("a") as lock:
        job = started(jobs, lock.fileno())
    (process,) = psutil.Process(jobs.server.pid).children()
    process.kill()
    assert job.wait(timeout=20) == -signal.SIGKILL
    jobs.server.terminate()
    jobs.server.wait(timeout=20)


def test_clients_that_die_early_do_no_harm(jobs: Jobs):
    for said in (b"", b"1", (100).to_bytes(8, "big"), (100).to_bytes(8, "big") + b"{"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(jobs.address))
            client.sendall(said)
    assert jobs.run("--version").returncode == 0
