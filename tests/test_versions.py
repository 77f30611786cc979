"""Every supported Python that is here: the package installs with the newest libraries, and answers as this one does."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSIONS = [match[1] for c in PROJECT["classifiers"] if (match := re.fullmatch(r".* :: (3\.\d+)", c))]
ALGORITHMS = ("s2m3-greedy[order=memory]", "heft", "random")


def locked(name: str) -> dict[str, str]:
    """Versions of a lock by name of the package, in the form that all spellings have."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pins}


def runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def test_the_makefile_tries_the_supported_versions():
    (tried,) = re.findall(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert tried.split() == [f"python{version}" for version in VERSIONS]


def test_the_locks_keep_to_what_is_asked_for_and_have_digests():
    development, running, torch = map(locked, ("requirements-dev.lock", "requirements.lock", "requirements-torch.lock"))
    assert running.items() <= development.items()
    assert "pytest" not in running
    asked = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
    for requirement in map(Requirement, asked):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name != "splitshare":
            version = torch.get(name) or development[name]
            assert requirement.specifier.contains(version), f"{name} {version}"
    for name in ("requirements-dev.lock", "requirements.lock"):
        text = (ROOT / name).read_text()
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in entry, entry
        assert "://" not in text


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_verdicts_are_the_same_under_every_version(version: str, tmp_path: Path):
    python = shutil.which(f"python{version}")
    if python is None or not runs(python):
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", tmp_path / "environment"], check=True)
    installed = tmp_path / "environment/bin"
    pip: list[str | Path] = [installed / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, ROOT], check=True)
    asked = [word for algorithm in ALGORITHMS for word in ("--algorithm", algorithm)]
    tables = []
    for where, command in (("there", installed / "splitshare"), ("here", Path(sys.executable).with_name("splitshare"))):
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        words: list[str | Path] = [command, "compare", *asked, "--family", "random-tuning", "-o", tmp_path / where]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        tables.append(pd.read_csv(tmp_path / where / "summary.csv"))
    pd.testing.assert_frame_equal(tables[0], tables[1], check_exact=False, rtol=1e-9)


@pytest.mark.slow
def test_the_lowest_versions_do(tmp_path: Path):
    uv = [str(Path(sys.executable).with_name("uv"))]
    python = tmp_path / "environment/bin/python"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "environment"], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(python), "--resolution", "lowest-direct"]
    reached = subprocess.run([*install, "--dry-run", "tabulate>=0.9"], capture_output=True, check=False)
    if reached.returncode:
        pytest.skip("uv reaches no package index here")
    subprocess.run([*install, f"{ROOT}[figures,emulate,workflow,gurobi]"], check=True)
    lines = (ROOT / "data/baselines/instances/s2m3.jsonl").read_text().splitlines()
    instance = next(line for line in lines if json.loads(line)["name"] == "four-tasks.laptop-two-jetsons")
    (tmp_path / "instance.json").write_text(instance)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*words: str) -> str:
        command = [str(python.with_name(words[0])), *words[1:]]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    answers = [
        run("splitshare", "solve", "instance.json", "--algorithm", "optimum", "--solver", solver, "-o", "best.json")
        for solver in ("highs", "gurobi")
    ]
    assert answers[0] == answers[1]
    run(
        "splitshare",
        "trace",
        "instance.json",
        "--kind",
        "poisson",
        "--rate-per-s",
        "2",
        "--requests",
        "9",
        "-o",
        "t.csv",
    )
    for replay, more in (("simulate", []), ("emulate", ["--any-links"])):  # other tests may keep the machine busy
        said = run("splitshare", replay, "instance.json", "best.json", "t.csv", "-o", f"{replay}.csv", *more)
        assert "(all)" in said
    run("splitshare", "compare", "--algorithm", "heft", "--family", "random-tuning", "-o", "verdict")
    assert list((tmp_path / "verdict").rglob("*.png"))
    run("splitshare", "init", "study")
    run("snakemake", "--dry-run", "--quiet", "--cores", "1", "--directory", "study", "--snakefile", "study/Snakefile")
