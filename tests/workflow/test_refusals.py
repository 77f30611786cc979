"""A configuration that is wrong is refused in one line, before anything is written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.repository import Repository

CONFIG = "config/config.yaml"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


def files(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("solvers:", "solver:", ": solver: unknown key; did you mean 'solvers'?"),
        ("  budget_s: ", "  budget: ", ": profiling.budget: unknown key; did you mean 'budget_s'?"),
        ("requests: 2000", "requests: many", ": replay.requests: input should be a valid integer, not 'many'"),
        ("requests: 2000", "requests: -1", ": replay.requests: input should be greater than or equal to 1, not -1"),
        ("seed: 0\n", "", ": seed: is missing"),
        ("- clip-rn50", "- clip-rn5", ": workloads[0]: unknown workload 'clip-rn5'; did you mean 'clip-rn50'?"),
        (
            "- laptop-two",
            "- labtop-two",
            ": testbeds[1]: unknown testbed 'labtop-two-jetsons'; did you mean 'laptop-two",
        ),
        ("testbed: local", "testbed: locale", ": local_testbed: unknown testbed 'locale'; did you mean 'local'?"),
        ("no-sharing", "no-shearing", ": algorithms[1]: unknown algorithm 'no-shearing'; did you mean 'no-sharing'?"),
        ("    method: s2m3-greedy", "    method: best", ": replay: timeline.method: 'best' is not replayed"),
        ("seed: 0\n", "seed: [0\n", ": not valid YAML at line "),
    ],
)
def test_a_wrong_configuration_is_one_line_and_leaves_nothing(repository: Repository, old: str, new: str, told: str):
    with repository.edited(lambda text: text.replace(old, new), CONFIG):
        before = files(repository.root)
        answer = repository.run("all")
        assert files(repository.root) == before
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"error: {CONFIG}{told}")
    assert answer.stderr.count("\n") == 1


def test_a_missing_configuration_is_told(repository: Repository):
    answer = repository.run("all", "--config-file", "config/none.yaml")
    assert (answer.returncode, answer.stderr) == (2, "error: config/none.yaml: no such file; check the path\n")


def test_a_mistake_in_the_catalogue_names_its_file_and_field(repository: Repository):
    with repository.edited(lambda text: text.replace("weights: ", "wheights: ", 1), "data/catalogue/models.yaml"):
        answer = repository.run("all")
    field = "models[0].encoders[0].wheights"
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"error: data/catalogue/models.yaml: {field}: unknown key; did you mean 'weights'?")
    assert answer.stderr.count("\n") == 1


def test_snakemake_by_itself_refuses_it_in_the_same_words(repository: Repository):
    with repository.edited(lambda text: text.replace("solvers:", "solver:"), CONFIG):
        answer = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run"],
            cwd=repository.root,
            env=repository.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert answer.returncode == 1
    assert f"{CONFIG}: solver: unknown key; did you mean 'solvers'?" in answer.stdout + answer.stderr
