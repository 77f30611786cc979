"""Memory limits that the kernel enforces: every worker in a control group of its own (versions 1 and 2).

A group is made below the group that this process is in (with version 2 below the nearest one that hands memory on), so
that limits from outside stay in force. A worker is moved into its group once it is ready: the limit is of what it takes
from then on, modules, activations and tensors under way, as an instance's memory is; its runtime is not counted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from splitshare.errors import WorkError
from splitshare.replay.emulator.cleaner import Cleaner

Limits = Literal["auto", "kernel", "declared"]
"""``kernel``: by control groups; ``declared``: a worker refuses modules that are said to need more, and that is all;
``auto``: by control groups where real modules are run and there are such groups."""
Explain = Callable[[str], str]
"""What the kernel did to a device's worker; empty: nothing."""


@dataclass(frozen=True)
class _Version:
    """Names of the files of a group."""

    limit: str
    with_swap: str
    swap: str
    kills: str


_VERSIONS = {
    "cgroup": _Version("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "{limit}", "memory.oom_control"),
    "cgroup2": _Version("memory.max", "memory.swap.max", "0", "memory.events"),
}
_KILLS = "oom_kill"


def limit_memory(
    pids: Mapping[str, int], memory_bytes: Mapping[str, float], cleaner: Cleaner, echo: Callable[[str], None]
) -> Explain | None:
    """Bound what processes may take.

    Args:
        pids: by device.
        memory_bytes: by device.
        cleaner: removes the groups when the run ends.
        echo: takes a line for people.

    Returns:
        What tells whether the kernel has killed a device's process; ``None``: there are no groups to be had.
    """
    for parent, version in _parents():
        group = parent / f"splitshare-{os.getpid()}"
        try:
            cleaner.remove_at_the_end(group)
            group.mkdir()
            if version.limit.startswith("memory.max"):
                (group / "cgroup.subtree_control").write_text("+memory")
            groups = {device: group / str(i) for i, device in enumerate(pids)}
            for device, path in groups.items():
                cleaner.remove_at_the_end(path)
                path.mkdir()
                _set(path, version, round(memory_bytes[device]))
                (path / "cgroup.procs").write_text(str(pids[device]))
        except OSError:
            continue
        echo(f"memory limits: by the kernel, below {parent}")
        return lambda device: _explain(groups[device] / version.kills, memory_bytes[device])
    return None


def enforce(
    limits: Limits,
    pids: Mapping[str, int],
    memory_bytes: Mapping[str, float],
    cleaner: Cleaner,
    echo: Callable[[str], None],
) -> Explain:
    """Bound processes as asked, and say how.

    Raises:
        WorkError: the kernel is to bound them, and cannot.
    """
    explain = None if limits == "declared" else limit_memory(pids, memory_bytes, cleaner, echo)
    if explain is not None:
        return explain
    if limits == "kernel":
        raise WorkError("memory limits: no control group that could be made here limits memory; use --limits declared")
    echo("memory limits: as modules declare, not enforced by the kernel")
    return nothing_happened


def nothing_happened(_: str) -> str:
    """The ``Explain`` of workers that nobody bounds."""
    return ""


def _parents() -> Iterator[tuple[Path, _Version]]:
    """Where groups may be made, the best place first."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers or "cgroup2"] = path.lstrip("/")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == "cgroup" and "memory" in options.split(","):
            for path in [path for names, path in own.items() if "memory" in names.split(",")]:
                yield Path(mount, path), _VERSIONS[kind]
        elif kind == "cgroup2" and "cgroup2" in own:
            place = Path(mount, own["cgroup2"])
            for parent in (place, *place.parents):
                if (parent / "cgroup.subtree_control").is_file() and "memory" in (
                    parent / "cgroup.subtree_control"
                ).read_text().split():
                    yield parent, _VERSIONS[kind]
                if parent == Path(mount):
                    break


def _set(path: Path, version: _Version, limit_bytes: int) -> None:
    (path / version.limit).write_text(str(limit_bytes))
    if (path / version.with_swap).is_file():
        (path / version.with_swap).write_text(version.swap.format(limit=limit_bytes))


def _explain(file: Path, limit_bytes: float) -> str:
    """From the kernel's count of processes that it killed for want of memory."""
    try:
        counts = dict(line.split() for line in file.read_text().splitlines())
    except OSError:
        return ""
    return f"killed by the kernel beyond its {limit_bytes:.4g} bytes of memory" if int(counts[_KILLS]) else ""
