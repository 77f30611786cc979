"""Where the documentation lists files or names, the list and what is there agree, both ways."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
import yaml

from splitshare.commands.gallery import Options
from splitshare.config import Config
from splitshare.figures.registry import figures as declared
from splitshare.onloading.contract import FINDER as ONLOADING
from splitshare.placement.contract import FINDER as PLACEMENT
from splitshare.records import Record
from splitshare.stages import gallery

ROOT = Path(__file__).parents[2]


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table that follows ``heading``, without those above the line."""
    text = (ROOT / page).read_text()
    section = text[text.index(heading) + len(heading) :].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def listed(page: str, heading: str) -> list[str]:
    """Names in the first column of the table that follows ``heading``."""
    return [name for row in rows(page, heading) for name in spans(row[0])]


def files_of(cell: str) -> list[str]:
    """Files that a cell names; ``d/a.csv``, ``.txt``, ``b.csv`` are ``d/a.csv``, ``d/a.txt`` and ``d/b.csv``."""
    found: list[str] = []
    for span in spans(cell):
        before = Path(found[-1]) if found else Path()
        if span.startswith("."):
            found.append(str(before.with_suffix(span)))
        else:
            found.append(span if "/" in span else str(before.parent / span))
    return found


def test_what_lies_in_paper_figures_is_what_is_declared() -> None:
    files = {name for spec in declared().values() if "canonical" in spec.scopes for name in spec.files()}
    assert {path.name for path in (ROOT / "paper_figures").iterdir()} == files | {"README.md"}


def test_the_gallery_tells_the_captions_that_lie_beside_it(tmp_path: Path) -> None:
    """A figure drawn again without its gallery would be found by a whole reproduction only."""
    gallery.run(Options(folder=ROOT / "paper_figures", output=tmp_path / "README.md"))
    assert (tmp_path / "README.md").read_text() == (ROOT / "paper_figures/README.md").read_text()


def test_every_recorded_baseline_is_in_its_readme_once() -> None:
    folder = ROOT / "data" / "baselines"
    table = rows("data/baselines/README.md", "# Recorded baselines")
    named = [name for row in table for name in files_of(row[0])]
    folders = [name for name in named if name.endswith("/")]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"README.md"}
    single = {path for path in there if not path.startswith(tuple(folders))}
    assert Counter(name for name in named if name not in folders) == Counter(single)
    assert all(any((folder / name).iterdir()) for name in folders)
    (emulation,) = (row for row in table if row[0] == "`emulation/`")
    patterns = spans(emulation[1])
    kept = list((folder / "emulation").iterdir())
    assert [path.name for path in kept if sum(path.match(pattern) for pattern in patterns) != 1] == []
    assert [pattern for pattern in patterns if not any(path.match(pattern) for path in kept)] == []


def test_every_algorithm_is_on_the_page_of_its_problem_once() -> None:
    heading = "## The algorithms that are here"
    assert Counter(listed("docs/placement-problem.md", heading)) == Counter(PLACEMENT.shipped())
    assert Counter(listed("docs/onloading-problem.md", heading)) == Counter(ONLOADING.shipped())


def test_every_package_is_in_the_house_once() -> None:
    there = {f"splitshare.{path.parent.name}" for path in (ROOT / "src/splitshare").glob("*/__init__.py")}
    named = listed("docs/house.md", "Data flows one way")
    single = [name for name in named if name.startswith("splitshare.")]
    assert Counter(single) == Counter(
        there | {"splitshare.cli", "splitshare.interface", "splitshare.benchmarks.embedded"}
    )


def test_every_page_is_reached_from_the_readme() -> None:
    """By a link of its own; those that are written by the site's build, and its tools, are left out."""
    readme = (ROOT / "README.md").read_text()
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/notebooks").glob("*.ipynb")]
    assert [page.name for page in pages if f"({page.relative_to(ROOT)})" not in readme] == []


def test_every_extra_is_in_the_first_steps() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert Counter(listed("docs/first-steps.md", "extras, and a command that lacks one says which")) == Counter(
        set(extras) - {"dev"}
    )


@pytest.mark.parametrize("folder", ["data/published", "data/traces"])
def test_every_file_of_data_that_others_published_has_a_heading_and_its_columns(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text()
    tables = sorted((ROOT / folder).glob("*.csv"))
    assert Counter(re.findall(r"^## `(.+)`$", text, flags=re.MULTILINE)) == Counter(path.name for path in tables)
    assert {path.name for path in (ROOT / folder).iterdir()} == {path.name for path in tables} | {"README.md"}
    for path in tables:
        told = text.split(f"## `{path.name}`")[1].split("\n## ")[0]
        columns = set(pd.read_csv(path, nrows=1, comment="#").columns)
        assert columns - set(spans(told)) - {"model"} == set(), path.name


def test_every_benchmark_has_a_card() -> None:
    benchmarks = yaml.safe_load((ROOT / "data/catalogue/benchmarks.yaml").read_text())["benchmarks"]
    cards = {path.name for path in (ROOT / "data/benchmarks").iterdir()}
    assert cards == {f"{benchmark['name']}.md" for benchmark in benchmarks}
    for benchmark in benchmarks:
        assert benchmark["test"]["dataset"] in (ROOT / "data/benchmarks" / f"{benchmark['name']}.md").read_text()


def test_every_zoo_is_described() -> None:
    text = (ROOT / "docs/onloading-problem.md").read_text().split("## Zoos, suite and record")[1]
    assert [path.stem for path in (ROOT / "data/zoos").iterdir() if f"`{path.stem}`" not in text] == []


def keys(record: Any) -> set[str]:
    """Names of a record's fields and of those within, with dots."""
    found = set()
    for name, field in record.model_fields.items():
        key = field.alias or name
        found.add(key)
        stack = [field.annotation]
        while stack:
            kind = stack.pop()
            stack += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, Record):
                found |= {f"{key}.{inner}" for inner in keys(kind)}
    return found


def written(value: dict[str, Any]) -> set[str]:
    found = set(value)
    for key, inner in value.items():
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, dict):
                found |= {f"{key}.{name}" for name in written(part)}
    return found


def test_every_key_of_the_configuration_stands_in_one() -> None:
    """The committed configurations are where the keys are explained."""
    shown: set[str] = set()
    for path in (*(ROOT / "config").glob("*.yaml"), *(ROOT / "workflow" / "study").glob("*.yaml")):
        shown |= written(yaml.safe_load(path.read_text()))
    assert shown == keys(Config)
