"""Where results go: nothing takes the place of an input, or of another result; found before any work."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.commands import paths
from splitshare.replay.traces import write_trace
from tests.commands.test_replay import placement
from tests.replay.examples import example, trace_of


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    example().write(Path("i.json"))
    placement(example().sha256()).write(Path("p.json"))
    write_trace(trace_of(example(), [(0.0, "single", 1.0), (2.0, "pair", 1.0)]), Path("t.csv"))
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("solve i.json --algorithm heft -o i.json", "--output: i.json is INSTANCE... too"),
        ("solve i.json --algorithm heft -o .", "--output: .: holds i.json, whose place the answer would take"),
        ("simulate i.json p.json t.csv -o t.csv", "--output: t.csv is TRACE too"),
        ("simulate i.json p.json t.csv -o ./x/../t.csv", "is TRACE too"),
        ("simulate i.json p.json t.csv -o r.csv --stages r.csv", "is --stages too"),
        ("simulate i.json p.json t.csv -o r.csv --perfetto p.json", "--perfetto: p.json is PLACEMENT too"),
        ("simulate i.json p.json t.csv -o r.csv --stages t.csv/s.csv", "--stages: t.csv/s.csv lies under"),
        ("trace i.json --kind recorded --arrivals t.csv -o t.csv", "--output: t.csv is --arrivals too"),
        ("closed-loop i.json p.json --users 1 --think-s 1 -o c.csv --trace c.csv", "is --trace too"),
        ("capacity i.json p.json -o t.csv", "--output: t.csv is a file, and a folder is wanted"),
        ("adapt i.json --horizon-s 5 -o t.csv", "--output: t.csv is a file, and a folder is wanted"),
        ("trace i.json --kind poisson --rate-per-s 1 --requests 5 -o n.csv --plot t.csv", "--plot: t.csv is a file"),
    ],
)
def test_a_result_has_a_place_of_its_own(asked: str, problem: str, here: Path) -> None:
    before = {file.name: file.read_bytes() for file in here.iterdir()}
    done = CliRunner().invoke(app, asked.split())
    assert problem in str(done.exception) + done.output
    assert {file.name: file.read_bytes() for file in here.iterdir()} == before


def test_folders_may_be_named_twice(here: Path) -> None:
    """Results beside inputs, in one folder, are what many do."""
    done = CliRunner().invoke(app, ["solve", "i.json", "--algorithm", "heft", "-o", "answer.json"])
    assert done.exit_code == 0, str(done.exception)
    asked = ["adapt", "i.json", "--horizon-s", "5", "-o", "out", "--plot", "out"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception)
    assert {"policies.csv", "adaptation.png"} <= {file.name for file in Path("out").iterdir()}
    assert paths.FOLDERS <= paths.RESULTS
