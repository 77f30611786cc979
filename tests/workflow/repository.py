"""A copy of the repository that a test may change and run, without the results of any run."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[2]
PARTS = (
    "Snakefile",
    "Makefile",
    "workflow",
    "config",
    "data",
    "profiles",
    "src",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements-torch.lock",
)
TOOLS = ("python", "splitshare", "snakemake", "pytest", "ruff", "mypy", "snakefmt", "sphinx-build")


class Planned(NamedTuple):
    """What Snakemake would do about an output, and why."""

    rule: str
    reason: str


class Repository:
    """The copy; commands run in it import the package from it."""

    def __init__(self, root: Path, config: str = "config/config.yaml") -> None:
        self.root = root
        self.config = config
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        for part in PARTS:
            if (SOURCE / part).is_dir():
                shutil.copytree(SOURCE / part, root / part, ignore=ignored)
            else:
                shutil.copy(SOURCE / part, root / part)
        self.venv = root.with_name(f"{root.name}-venv")
        """What `make` takes for the virtual environment: this one's programs, with the package of the copy."""
        (self.venv / "bin").mkdir(parents=True)
        for tool in TOOLS:
            command = self.venv / "bin" / tool
            command.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).parent / tool}" "$@"\n')
            command.chmod(0o755)
        (self.venv / "bin" / "activate").write_text(f'export PATH="{self.venv}/bin:$PATH"\n')
        (self.venv / ".installed").touch()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "workflow" / "run.py"), "--config-file", self.config, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run ``workflow/run.py`` to its end."""
        return self.execute(self.command(*arguments), timeout_s)

    def make(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run ``make`` in the copy."""
        return self.execute(["make", f"VENV={self.venv}", *arguments], timeout_s)

    def shell(self, script: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a script as a reader would who has gone into the copy, the environment's programs on the path."""
        activated = f'export PATH="{self.venv}/bin:$PATH"; {script}'
        return self.execute(["bash", "-euo", "pipefail", "-c", activated], timeout_s)

    def execute(self, command: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy to its end."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def outputs(self) -> dict[str, Planned]:
        """Every output of the target ``all``: its rule, and what is wrong with it."""
        return self._summary(pending_only=False)

    def plan(self, *options: str) -> dict[str, Planned]:
        """The outputs that a run would make, and why (``ok``: because an input is made again)."""
        return self._summary(*options, pending_only=True)

    def _summary(self, *options: str, pending_only: bool) -> dict[str, Planned]:
        answer = self.run("all", "--summary", *options)
        assert answer.returncode == 0, answer.stderr
        found = {}
        for line in answer.stdout.splitlines()[1:]:
            path, _, rule, _, status, plan = line.split("\t")
            if plan != "no update" or not pending_only:
                found[path] = Planned(rule, status)
        return found

    def pretend_done(self) -> None:
        """Make every output, empty, and let Snakemake record it as made by the present code and parameters."""
        for path in self.outputs():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).touch()
        answer = self.run("all", "--touch", "--forceall", "--cores", "64")
        assert answer.returncode == 0, answer.stderr

    @contextmanager
    def edited(self, edit: Callable[[str], str], *paths: str) -> Iterator[None]:
        """Put ``edit`` of their text into files, for as long as the block lasts."""
        before = {path: (self.root / path).read_text() for path in paths}
        try:
            for path, text in before.items():
                (self.root / path).write_text(edit(text))
            yield
        finally:
            for path, text in before.items():
                (self.root / path).write_text(text)


def rules(plan: dict[str, Planned]) -> set[str]:
    """Rules in a plan."""
    return {planned.rule for planned in plan.values()}


def causes(plan: dict[str, Planned]) -> dict[str, set[str]]:
    """For each rule whose own parameters changed, the outputs concerned."""
    found: dict[str, set[str]] = {}
    for path, planned in plan.items():
        if planned.reason != "ok":
            assert planned.reason == "params changed", f"{path}: {planned.reason}"
            found.setdefault(planned.rule, set()).add(path)
    return found


def locked(path: Path) -> bool:
    """Whether somebody else holds a lock on the file."""
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
