"""Where a result comes from: revision, versions, machine, date."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import subprocess
from pathlib import Path

from splitshare.version import __version__

LIBRARIES = ("gurobipy", "highspy", "numpy", "pandas", "torch", "transformers", "snakemake")


def provenance(directory: Path = Path()) -> dict[str, str]:
    """Facts about this run as text columns.

    Args:
        directory: a directory of the repository; outside one the revision is ``unknown``.
    """
    return {
        "revision": _revision(directory),
        "splitshare": __version__,
        "python": platform.python_version(),
        "machine": f"{_processor()}, {platform.system()} {platform.machine()}",
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    } | {f"{name}_version": _version(name) for name in LIBRARIES}


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"  # of an extra that is not installed


def _revision(directory: Path) -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip() or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
