"""The cards of the data: every folder has one, and digests and counts are those of the files."""

import json
import re
import tomllib
from collections import Counter

import yaml

from splitshare.benchmarks.embedded.easy_vqa import DATA_SHA256
from splitshare.files import sha256_file
from tests.docs.test_lists import ROOT, rows, spans

PAGE = ROOT / "data/README.md"


def test_every_folder_has_a_card() -> None:
    headings = " ".join(re.findall(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE))
    folders = {path.name for path in (ROOT / "data").iterdir() if path.is_dir()} | {"profiles"}
    assert {name.rstrip("/") for name in spans(headings)} == folders


def test_digests_are_those_of_the_files() -> None:
    told = re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", PAGE.read_text(), flags=re.MULTILINE)
    others = {path for path in (ROOT / "data").glob("*/*.csv") if path.parent.name in {"published", "traces"}}
    others |= set((ROOT / "data/assignment").iterdir())
    assert {ROOT / "data" / name for name, _ in told} == others
    for name, digest in told:
        assert sha256_file(ROOT / "data" / name) == digest
    assert PAGE.read_text().count(DATA_SHA256) == 2
    assert DATA_SHA256 in (ROOT / "data/zoos/trained.json").read_text()


def test_what_profiles_rest_on_is_told_as_it_is() -> None:
    told = {name: row[1] for row in rows("data/README.md", "and seconds and bytes") for name in spans(row[0])}
    for path in (ROOT / "profiles").glob("*.json"):
        counts = Counter(row["provenance"] for row in json.loads(path.read_text())["rows"])
        text = told.pop(path.stem)
        assert set(re.findall(r"measured|published|derived|assumed", text.split(";")[0].split(", by")[0])) == set(
            counts
        )
        numbers = {int(number) for number in re.findall(r"\b(\d+)(?: rows| derived| assumed)", text)}
        assert not numbers or numbers == set(counts.values()), path.name
    assert told == {}


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changes = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## \[(\d[^\]]*)\] - (\d{4}-\d\d-\d\d)$", changes, re.MULTILINE)
    assert released[0] == (project, str(citation["date-released"]))
    assert citation["version"] == project
