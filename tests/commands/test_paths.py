"""Where results go: nothing takes the place of an input, or of another result; found before any work."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.testing import CliRunner

from splitshare import commands, stages
from splitshare.cli import app
from splitshare.commands import paths
from splitshare.commands.arguments import OutputFileOrFolder, OutputFolder
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
        ("simulate i.json p.json t.csv -o .", "--output: . is a folder, and a file is wanted; name one"),
        ("simulate i.json p.json t.csv -o r.csv --stages .", "--stages: . is a folder, and a file is wanted"),
        ("onloading limit i.json --least-served 1 -o .", "--output: . is a folder, and a file is wanted"),
        ("onloading regions i.json -o .", "--output: . is a folder, and a file is wanted"),
        ("onloading suite i.json -o t.csv", "--output: t.csv is a file, and a folder is wanted"),
        ("compare --algorithm heft -o t.csv", "--output: t.csv is a file, and a folder is wanted"),
    ],
)
def test_a_result_has_a_place_of_its_own(asked: str, problem: str, here: Path) -> None:
    before = {file.name: file.read_bytes() for file in here.iterdir()}
    done = CliRunner().invoke(app, asked.split())
    assert problem in str(done.exception) + done.output
    assert {file.name: file.read_bytes() for file in here.iterdir()} == before


def _options_of_commands() -> Iterator[tuple[str, type]]:
    root = Path(commands.__file__).parent
    for file in sorted(root.rglob("*.py")):
        name = ".".join(file.relative_to(root).with_suffix("").parts)
        module = importlib.import_module(f"{commands.__name__}.{name}")
        if hasattr(module, "Options"):
            yield name, module.Options


def test_commands_that_write_into_a_folder_say_that_it_is_one() -> None:
    """By what their stages do with it."""
    either = set()
    for name, options in _options_of_commands():
        hints = get_type_hints(options, include_extras=True)
        hint = hints.get("output", hints.get("output_dir"))
        source = (Path(stages.__file__).parent / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")
        if hint == OutputFileOrFolder:
            either.add(name)
        elif re.search(r"options\.output(_dir)? /", source):
            assert hint == OutputFolder, name
        elif re.search(r"\.write\(options\.output\)|(csv|text)\(.*options\.output[,)]", source):
            assert hint != OutputFolder, name
    assert either == {"solve"}


def test_folders_may_be_named_twice(here: Path) -> None:
    """Results beside inputs, in one folder, are what many do."""
    done = CliRunner().invoke(app, ["solve", "i.json", "--algorithm", "heft", "-o", "answer.json"])
    assert done.exit_code == 0, str(done.exception)
    asked = ["adapt", "i.json", "--horizon-s", "5", "-o", "out", "--plot", "out"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception)
    assert {"policies.csv", "adaptation.png"} <= {file.name for file in Path("out").iterdir()}
    assert paths.FOLDERS <= paths.RESULTS
