"""Run the workflow as `make` does: one run at a time, resuming whatever an earlier run left unfinished.

Snakemake's own lock stays behind when a run is killed. These are held by the operating system: ``.lock`` for as long
as the run lives, ``.jobs.lock`` for as long as one of its jobs does (``workflow/rules/common.smk``). So a killed run
never has to be unlocked by hand, and the next one starts when its last job has ended.

Before it starts, what jobs have written is held against its digests (``splitshare.job_outputs``), and as it ends the
Snakefile has new ones taken.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
from pathlib import Path

from splitshare.config import Config
from splitshare.errors import SplitshareError
from splitshare.files import remove_leftovers
from splitshare.job_outputs import LEDGER, changed_outputs
from splitshare.lookup import look_up
from splitshare.stopping import Stopped, end, end_children, end_with_parent, stop_when_asked

DEFAULT = Path("config/config.yaml")
PATIENCE_S = 4.0
"""Seconds that a run has to end once it is stopped; its jobs take at most 3 of them."""
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Check the configuration, take the lock and run Snakemake."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--config-file", type=Path, default=DEFAULT)
    parser.add_argument("--cores", default="all")
    arguments, rest = parser.parse_known_args()
    os.chdir(ROOT)
    try:
        config = Config.read(arguments.config_file)
        look_up(config, arguments.config_file)
    except SplitshareError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's own message
        sys.exit(error.exit_code)
    results = Path(config.results)
    results.mkdir(parents=True, exist_ok=True)
    lock = _locked(results / ".lock", "another run")
    os.close(_locked(results / ".jobs.lock", "the last jobs of a killed run"))
    folders = (results, Path(config.figures))
    for directory in folders:
        remove_leftovers(directory)
    changed = changed_outputs(results / LEDGER, folders)
    for path in changed:
        print(f"{path} is not what its job wrote: it is made again where this run needs it", file=sys.stderr)  # noqa: T201
    command = [
        *(sys.executable, "-m", "snakemake", "--nolock", "--rerun-incomplete"),
        *("--configfile", str(arguments.config_file)),
        *("--cores", arguments.cores),
        *("--workflow-profile", "workflow/profiles/default"),
        *_forcing(rest, changed),
    ]
    # It dies with this process, and holds the lock as long as it lives. The one thread here only waits for a signal.
    child = subprocess.Popen(command, pass_fds=(lock,), preexec_fn=end_with_parent)  # noqa: PLW1509
    try:
        sys.exit(child.wait())
    except Stopped:
        end_children(PATIENCE_S - 0.5)  # Snakemake alone would wait for its jobs to end by themselves
        raise


def _forcing(arguments: list[str], paths: list[str]) -> list[str]:
    """Arguments of Snakemake that force outputs to be made again, beside what they force themselves."""
    if not paths:
        return arguments
    for option in ("--forcerun", "-R"):
        if option in arguments:
            place = arguments.index(option) + 1
            return [*arguments[:place], *paths, *arguments[place:]]
    return [*arguments, "--forcerun", *paths]


def _locked(path: Path, holder: str) -> int:
    """Lock a file for this process, waiting for its holder; returns the descriptor that holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for {holder} to end ...", file=sys.stderr)  # noqa: T201
        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


if __name__ == "__main__":
    stop_when_asked(PATIENCE_S)
    try:
        main()
    except Stopped as stopped:
        end(stopped)
