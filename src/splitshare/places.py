"""Where the data that comes with the program lies: one rule for the command line and the library.

A command's ``--data`` goes before; then the checkout that it runs in; then what was installed with the package.
"""

from __future__ import annotations

from pathlib import Path


def share(here: Path, package: Path) -> Path:
    """The directory that holds ``data``, ``profiles``, ``config`` and ``workflow``.

    Args:
        here: where the program runs: this directory, as it is written, where it is a checkout.
        package: directory of the installed package; where it holds no data it is a checkout's own sources.
    """
    if (here / "data" / "catalogue").is_dir() and (here / "profiles").is_dir():
        return here
    installed = package / "share"
    return installed if installed.is_dir() else package.parents[1]


def found(path: str, shared: Path | None = None) -> Path:
    """The file that a configuration names: where the program runs, else among what comes with the program.

    Args:
        path: as it is written, such as ``data/zoos/published.json`` or ``zoos/mine.json``.
        shared: directory that holds ``data`` and the others; default ``SHARE``.
    """
    return Path(path) if Path(path).exists() else (SHARE if shared is None else shared) / path


SHARE = share(Path(), Path(__file__).resolve().parent)
DATA = SHARE / "data"
"""Catalogue, testbeds, device types, traces, zoos and recorded baselines."""
PROFILES = SHARE / "profiles"
"""Committed profiles, a file a device type."""
CONFIG = SHARE / "config" / "config.yaml"
"""The default configuration."""
WORKFLOW = (SHARE / "Snakefile").resolve()
"""The workflow, for Snakemake's ``module``."""
STUDY = SHARE / "workflow" / "study"
"""What ``splitshare init`` lays out."""
OWN_TESTBEDS = Path("testbeds")
OWN_PROFILES = Path("profiles")
"""Folders of a study's own files, where the program runs."""
HUB_PINS = Path("hub.lock.json")
"""Where commits of the hub's repositories are kept by default, where the program runs."""
