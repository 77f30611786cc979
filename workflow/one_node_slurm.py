r"""A Slurm of one node, this machine, to try the workflow on: without systemd, without control groups, in one folder.

It needs root and Slurm's programs, on Debian ``apt-get install munge slurmctld slurmd slurm-client``::

    python workflow/one_node_slurm.py start /tmp/slurm
    snakemake --workflow-profile workflow/profiles/slurm --jobs 4 --slurm-no-account \
      --slurm-status-command squeue --slurm-init-seconds-before-status-checks 2
    python workflow/one_node_slurm.py stop /tmp/slurm

``stop`` ends the daemons and leaves the folder, with their logs. Outside the folder there is one link, as long as it
runs: ``/etc/slurm/slurm.conf``, where all of Slurm's programs look. (``SLURM_CONF`` does not do: Snakemake's plugin
takes Slurm's variables from a job's environment.) Only the standard library is used.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "sbatch", "srun", "squeue", "scancel")
DAEMONS = ("slurmd", "slurmctld", "munged")
"""As they are stopped; started the other way round."""
LINK = Path("/etc/slurm/slurm.conf")
"""Where programs look for the configuration."""
READY_S = 30.0
"""Seconds within which the node takes jobs."""
END_S = 10.0
"""Seconds that a daemon has to end before it is killed."""
SPARE_MIB = 512
"""Memory that no job is given."""


class NoSlurmError(Exception):
    """What is wrong, in a line."""


def missing() -> str | None:
    """Why there can be no Slurm here, in a line; ``None`` if there can."""
    if os.geteuid() != 0:
        return "a Slurm of one's own needs root, for its daemons start jobs as the users that send them"
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"there is no {', '.join(absent)} here: apt-get install munge slurmctld slurmd slurm-client"
    return None


def start(folder: Path) -> None:
    """Start the daemons and wait until the node takes jobs.

    Raises:
        NoSlurmError: there can be no Slurm here, there is one already, or a daemon does not start.
    """
    if (reason := missing()) is not None:
        raise NoSlurmError(reason)
    folder = folder.resolve()
    if any(_running(folder, daemon) for daemon in DAEMONS):
        raise NoSlurmError(f"{folder}: a Slurm runs from this folder: stop it first")
    conf = folder / "slurm.conf"
    if os.path.lexists(LINK) and LINK.resolve() != conf:
        raise NoSlurmError(
            f"{LINK}: there is a Slurm on this machine already: try the workflow on that, or remove the file"
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # munge refuses a socket below a folder that others may write into
    for name in ("state", "spool", "log"):
        (folder / name).mkdir(exist_ok=True)
    key = folder / "munge.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
    conf.write_text(configuration(folder))
    # No control groups: a container may not make any, and jobs of one user on one's own machine need no fences.
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n")
    socket_file = folder / "munge.socket"
    munged = ["--key-file", key, "--socket", socket_file, "--pid-file", folder / "munged.pid"]
    munged += ["--log-file", folder / "log" / "munged.log", "--seed-file", folder / "munged.seed"]
    LINK.parent.mkdir(exist_ok=True)
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(conf)
    try:
        _start("munged", munged)
        _start("slurmctld", ["-f", conf])
        _start("slurmd", ["-f", conf, "-N", "here"])
        _wait_until_idle(folder)
    except NoSlurmError:
        stop(folder)
        raise


def configuration(folder: Path) -> str:
    """What a Slurm of one node has to be told: ``slurm.conf``."""
    host = socket.gethostname().partition(".")[0]
    controller, node = _free_ports(2)
    memory_mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    settings = {
        "ClusterName": "here",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": controller,
        "SlurmdPort": node,
        "SlurmUser": "root",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmctldLogFile": folder / "log" / "slurmctld.log",
        "SlurmdLogFile": folder / "log" / "slurmd.log",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool",
        # The key that daemons and commands know each other by.
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder / 'munge.socket'}",
        "CredType": "cred/munge",
        # Processes of a job are found by their parents, and bound to nothing: no control groups.
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "JobAcctGatherType": "jobacct_gather/none",
        # No data base of jobs, so `sacct` knows nothing: `squeue` tells how a job ended for MinJobAge seconds.
        "AccountingStorageType": "accounting_storage/none",
        "MinJobAge": 300,
        "MpiDefault": "none",
        # Jobs share the node, as many as its cores and memory are enough for.
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "SlurmdParameters": "config_overrides",
        # Jobs start a tenth of a second after they are sent, not two seconds.
        "SchedulerParameters": "sched_min_interval=100000",
        "ReturnToService": 2,
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    cores = len(os.sched_getaffinity(0))
    lines.append(
        f"NodeName=here NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mib - SPARE_MIB}"
    )
    lines.append("PartitionName=all Nodes=here Default=YES MaxTime=INFINITE State=UP")
    return "\n".join(lines) + "\n"


def stop(folder: Path) -> None:
    """End jobs and daemons that run from a folder; what has ended already is no error."""
    folder = folder.resolve()
    if _running(folder, "slurmctld"):
        _client(folder, "scancel", "--partition=all", "--full")
    for daemon in DAEMONS:
        process = _running(folder, daemon)
        if process is None:
            continue
        os.kill(process, signal.SIGTERM)
        deadline_s = time.monotonic() + END_S
        while _lives(process, daemon) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        if _lives(process, daemon):
            os.kill(process, signal.SIGKILL)
    if LINK.is_symlink() and LINK.resolve() == folder / "slurm.conf":
        LINK.unlink()


def _program(name: str) -> str | None:
    """Where a program is; daemons stand where only root looks."""
    return shutil.which(name, path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/sbin"]))


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _start(daemon: str, arguments: list[object]) -> None:
    program = _program(daemon)
    assert program is not None
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NoSlurmError(f"{daemon} does not start: {said[-1] if said else f'exit code {done.returncode}'}")


def _running(folder: Path, daemon: str) -> int | None:
    """The process of a daemon that was started from a folder, if it lives."""
    try:
        process = int((folder / f"{daemon}.pid").read_text())
    except (OSError, ValueError):
        return None
    return process if _lives(process, daemon) else None


def _lives(process: int, daemon: str) -> bool:
    """Whether a process is there and is that daemon: its number may be somebody else's by now."""
    try:
        return Path(f"/proc/{process}/comm").read_text().strip() == daemon
    except OSError:
        return False


def _client(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


def _wait_until_idle(folder: Path) -> None:
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        told = _client(folder, "sinfo", "--noheader", "--format=%T")
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    raise NoSlurmError(f"the node takes no jobs after {READY_S:.0f} s: {(told.stdout + told.stderr).strip()}")


def main() -> None:
    """Start or stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("folder", type=Path, help="where its configuration, key, state and logs are")
    arguments = parser.parse_args()
    try:
        (start if arguments.action == "start" else stop)(arguments.folder)
    except NoSlurmError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
