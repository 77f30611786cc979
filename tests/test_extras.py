"""What works without the packages that not everybody needs, and what is said where one is missing."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from splitshare.extras import EXTRAS
from tests.replay.examples import example

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


BLOCKER = f"""
import sys

class Blocker:
    def find_spec(name, path=None, target=None):
        if name in {sorted(EXTRAS)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker)
"""


@pytest.fixture
def run(tmp_path):
    """Run a command in a process, and in its children, where no package of an extra can be imported."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked/sitecustomize.py").write_text(BLOCKER)
    paths = [str(tmp_path / "blocked"), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]

    def splitshare(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "splitshare.cli", *map(str, words)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )

    return splitshare


def test_placing_replaying_and_judging_need_no_extra(run, tmp_path):
    instance, placed, trace = (tmp_path / name for name in ("instance.json", "placed.json", "trace.csv"))
    example().write(instance)
    (tmp_path / "mine.py").write_text(
        "from splitshare.placement.algorithms.heft import Heft\n\n\nclass Mine(Heft):\n    name = 'mine'\n"
    )
    for words in (
        ("solve", instance, "--algorithm", "optimum", "-o", placed),
        ("evaluate", instance, placed),
        ("trace", instance, "--kind", "poisson", "--rate-per-s", 1, "--requests", 9, "-o", trace),
        ("simulate", instance, placed, trace, "-o", tmp_path / "requests.csv"),
        ("compare", "--algorithm", f"{tmp_path / 'mine.py'}:Mine", "-o", tmp_path / "compared"),
        *(("list", kind) for kind in ("algorithms", "models", "figures")),
    ):
        done = run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (("describe", "-o", "modules.json"), "torch", "measure"),
        (("solve", "{instance}", "--algorithm", "optimum", "--solver", "gurobi", "-o", "p.json"), "gurobipy", "gurobi"),
        (("benchmarks", "-o", "fetched"), "datasets", "hub"),
        (("worker", "a", "--listen", "127.0.0.1:0"), "grpc", "emulate"),
    ],
)
def test_a_missing_package_is_told_with_its_extra(words, package, extra, run, tmp_path):
    example().write(tmp_path / "instance.json")
    done = run(*(word.format(instance=tmp_path / "instance.json") for word in words))
    assert done.returncode == 1
    told = f'error: splitshare {words[0]} needs the package {package}: pip install "splitshare[{extra}]"\n'
    assert done.stderr == told


def distributions(extra: str) -> set[str]:
    """Packages of an extra, with those of the extras that it takes in."""
    names: set[str] = set()
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == "splitshare":
            names |= set().union(*map(distributions, requirement.extras))
        else:
            names.add(canonicalize_name(requirement.name))
    return names


def test_every_extra_brings_what_it_is_said_to():
    known = packages_distributions()
    for module, extra in EXTRAS.items():
        assert {canonicalize_name(name) for name in known[module]} & distributions(extra), module
    for_clusters = {
        "slurm",
        "kubernetes",
    }  # Snakemake loads these and says itself if one is missing; no code of ours imports them
    assert set(PROJECT["optional-dependencies"]) - {"all", "dev"} - for_clusters == set(EXTRAS.values())
    assert distributions("all") >= set().union(*map(distributions, set(EXTRAS.values())))


def test_all_packages_that_are_imported_are_declared():
    declared = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]} | distributions("all")
    known = packages_distributions()
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if len(words) > 1 and words[0] in {"import", "from"}:
                imported.add(words[1].partition(".")[0])
    outside = imported & set(known) - {"splitshare"}
    undeclared = {name for name in outside if not {canonicalize_name(n) for n in known[name]} & declared}
    assert undeclared <= {"click", "pydantic_core"}, "these come with typer and pydantic, in versions that fit them"
