"""Run the workflow as `make` does: one run at a time, resuming whatever an earlier run left unfinished.

Snakemake's own lock stays behind when a run is killed. This one is held by the operating system for as long as the
run or one of its jobs lives, so a killed run never has to be unlocked by hand.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from pathlib import Path

from splitshare.config import Config
from splitshare.errors import SplitshareError

DEFAULT = Path("config/config.yaml")
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Check the configuration, take the lock and become Snakemake."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config-file", type=Path, default=DEFAULT)
    parser.add_argument("--cores", default="all")
    arguments, rest = parser.parse_known_args()
    os.chdir(ROOT)
    try:
        config = Config.read(arguments.config_file)
    except SplitshareError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's own message
        sys.exit(error.exit_code)
    _lock(Path(config.results) / ".lock")
    configuration = () if arguments.config_file == DEFAULT else ("--configfile", str(arguments.config_file))
    os.execv(
        sys.executable,
        [
            *(sys.executable, "-m", "snakemake", "--nolock", "--rerun-incomplete"),
            *configuration,
            *("--cores", arguments.cores),
            *("--workflow-profile", "workflow/profiles/default"),
            *rest,
        ],
    )


def _lock(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(handle, True)  # jobs inherit it too: a job that outlives a killed run still counts as the run
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another run (or the last job of a killed one) to end ...", file=sys.stderr)  # noqa: T201
        fcntl.flock(handle, fcntl.LOCK_EX)


if __name__ == "__main__":
    main()
