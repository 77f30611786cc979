"""`splitshare init`: a study of one's own, which runs the installed workflow outside the repository."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from splitshare.catalog.testbeds import find_testbeds, profile_file
from splitshare.config import Config
from splitshare.conformance import run_checks
from splitshare.errors import InputError
from splitshare.lookup import look_up
from splitshare.placement.contract import FINDER
from splitshare.places import DATA, PROFILES, STUDY, found
from splitshare.problems.placement import PROBLEM
from splitshare.stages import init
from tests.workflow.repository import SOURCE as ROOT

DATA_ROOT = (ROOT / DATA).resolve()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study that was just laid out."""
    init.run(init.Options(tmp_path / "study"))
    return tmp_path / "study"


def snakemake(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_what_is_laid_out_is_right_as_it_is(study: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(study)
    config = Config.read(Path("config.yaml"))
    assert "my-testbed" in look_up(config, "config.yaml", DATA_ROOT).testbeds
    checks = run_checks(FINDER.load("my_algorithm.py:MyAlgorithm"), PROBLEM.checks)
    assert all(check.passed for check in checks), checks


def test_nothing_is_written_over(study: Path):
    (study / "config.yaml").write_text("mine")
    for name in ("Snakefile", "README.md"):
        (study / name).unlink()
    with pytest.raises(InputError, match=r"config\.yaml: is there already"):
        init.run(init.Options(study))
    assert (study / "config.yaml").read_text() == "mine"
    assert not (study / "Snakefile").exists()
    with pytest.raises(InputError, match="is a file"):
        init.run(init.Options(study / "config.yaml"))


def test_a_study_must_not_take_a_name_of_the_data_folder(study: Path):
    taken = study / "testbeds" / "laptop-jetson.yaml"
    taken.write_text((DATA_ROOT / "testbeds" / "laptop-jetson.yaml").read_text())
    with pytest.raises(InputError, match="'laptop-jetson' is a testbed of the data folder"):
        find_testbeds(DATA_ROOT, study / "testbeds")
    profiles = study / "profiles"
    profiles.mkdir()
    (profiles / "jetson-nano.json").write_text("{}")
    with pytest.raises(InputError, match="'jetson-nano' has a committed profile"):
        profile_file("jetson-nano", profiles, (ROOT / PROFILES).resolve())
    assert profile_file("mine", profiles, PROFILES) == PROFILES / "mine.json"


def test_a_file_of_a_configuration_is_looked_for_here_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert found("data/zoo.json", tmp_path / "share") == tmp_path / "share/data/zoo.json"
    (tmp_path / "data").mkdir()
    (tmp_path / "data/zoo.json").touch()
    assert found("data/zoo.json", tmp_path / "share") == Path("data/zoo.json")


def test_the_workflow_is_planned_from_outside_the_repository(study: Path):
    plan = snakemake(study, "--dry-run", "--quiet=rules", "results/canonical/placements.csv")
    assert plan.returncode == 0, plan.stderr
    (study / "config.yaml").write_text((study / "config.yaml").read_text().replace("my-testbed", "my-testbet"))
    refused = snakemake(study, "--dry-run")
    assert refused.returncode != 0
    assert (
        "config.yaml: testbeds[0]: unknown testbed 'my-testbet'; did you mean 'my-testbed'"
        in refused.stdout + refused.stderr
    )


def test_another_directory_is_planned_with_the_repositorys_workflow(tmp_path: Path):
    plan = snakemake(ROOT, "--directory", str(tmp_path), "--dry-run", "--quiet=rules", "instances")
    assert plan.returncode == 0, plan.stderr


@pytest.mark.slow
def test_a_study_runs_whole_and_draws_its_own_algorithm(study: Path):
    done = snakemake(study, "--quiet=rules")
    assert done.returncode == 0, done.stderr
    placed = pd.read_csv(study / "results/canonical/placements.csv").set_index("method")
    own, optimum = placed.loc["my_algorithm.py:MyAlgorithm"], placed.loc["optimum-highs"]
    assert own["objective_s"] >= optimum["objective_s"]
    latencies = pd.read_csv(study / "figures/latency_by_method.csv")
    assert latencies["my_algorithm.py:MyAlgorithm_s"].tolist() == [pytest.approx(own["objective_s"])]
    again = snakemake(study, "--quiet=rules")
    assert "Nothing to be done" in again.stderr + again.stdout
    assert {path.name for path in study.iterdir()} == {path.name for path in STUDY.iterdir()} | {
        *("results", "figures", ".snakemake", "__pycache__")
    } - (set() if (study / "__pycache__").exists() else {"__pycache__"})
