"""What the README and the tables of contents promise is there, and what is there is in them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def listed(page, heading):
    """Names in the first column of the table that follows ``heading``."""
    text = (ROOT / page).read_text()
    section = text[text.index(heading) + len(heading) :]
    rows = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_every_table_and_figure_is_in_the_readme_and_there():
    names = listed("README.md", "## Tables and figures")
    assert sorted(names) == sorted({path.stem for path in (ROOT / "paper_figures").iterdir()})


def test_every_recorded_baseline_is_in_its_readme_once():
    names = [name.split("/")[0] for name in listed("data/baselines/README.md", "# Recorded baselines")]
    single = [name for name in names if name not in {"instances", "random-test.jsonl", ".csv", ".json"}]
    assert len(single) == len(set(single))
    folder = ROOT / "data" / "baselines"
    there = {path.name for path in folder.iterdir()} - {"README.md", "placements.csv", "onloading_instances.json"}
    assert there == set(single) | {"instances"}


@pytest.mark.parametrize("target", ["smoke", "reproduce"])
@pytest.mark.parametrize("given", [[], ["CORES=1"]])
def test_make_smoke_runs_the_smallest_configuration_and_reproduce_the_default(target, given):
    told = subprocess.run(["make", "-n", target, *given], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    config = {"smoke": "config/smoke.yaml", "reproduce": "config/config.yaml"}[target]
    assert re.findall(r"--config-file (\S+)", told) == [config]
    assert f"--cores {'1' if given else 'all'}" in told


def test_every_make_target_of_the_readme_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {t for page in pages for t in re.findall(r"(?:`|\$ )make ([a-z][a-z-]*)", page.read_text())}
    targets = set(re.findall(r"^([a-z][a-z -]*):.* ## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    there = {target for line in targets for target in line.split()}
    assert named <= there
