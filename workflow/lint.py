"""Lint the workflow: any message of ``snakemake --lint`` fails, but for those that are explained here."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

EXPLAINED = {
    "Specify a conda environment or container for each rule.:": (
        "one environment, made from the locks, runs Snakemake and every rule in it: the rules call one "
        "package, and a second environment beside the lock could only disagree with it"
    ),
}
"""Messages that are meant to stay, as Snakemake words them, and why."""


def main() -> None:
    """Print what is left of the lint, and exit with 1 if there is any."""
    command = [sys.executable, "-m", "snakemake", "--lint"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    accepted: Counter[str] = Counter()
    refused, place = 0, ""
    for line in answer.stderr.splitlines():
        if heading := re.match(r"Lints for (.+):$", line):
            place = heading[1]
        elif message := re.match(r"    \* (.+)$", line):
            if message[1] in EXPLAINED:
                accepted[message[1]] += 1
            else:
                refused += 1
                sys.stdout.write(f"{place}: {message[1]}\n")
    if answer.returncode and not (accepted or refused):
        sys.exit(answer.stderr)  # not a lint: the workflow does not load
    for title, count in accepted.items():
        sys.stdout.write(f"accepted {count} times: {title} {EXPLAINED[title]}\n")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main()
