"""The command line as a process: what it loads, its exit codes, its one line of error, and what it leaves behind."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from splitshare.cli import main
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.version import __version__
from tests.commands.options import option_modules
from tests.replay.examples import fields

HEAVY = ("torch", "pandas", "numpy", "numba", "transformers", "matplotlib", "pyarrow", "scipy", "gurobipy")


def splitshare(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "splitshare.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


def one_line(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    return answer.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance, a placement of it by the command, and a trace for it, made once."""
    directory = tmp_path_factory.mktemp("made")
    instance, placement = directory / "instance.json", directory / "placement.json"
    PlacementInstance.parse(fields(), "example").write(instance)
    (directory / "trace.csv").write_text("request_id,arrival_s,request\n0,0.0,pair\n1,0.1,single\n")
    answer = splitshare("solve", instance, "--algorithm", "s2m3-greedy", "-o", placement)
    assert answer.returncode == 0, answer.stderr
    return directory


@pytest.fixture
def files(made: Path, tmp_path: Path) -> dict[str, Path]:
    """Copies of them that a test may spoil."""
    return {path.stem: Path(shutil.copy(path, tmp_path)) for path in sorted(made.iterdir())}


def test_answering_needs_none_of_the_heavy_libraries():
    code = (
        "import sys, splitshare.cli\n"
        "try:\n    splitshare.cli.main()\n"
        f"finally:\n    print('heavy:', [m for m in {HEAVY} if m in sys.modules])"
    )
    for option in ("--version", "--help"):
        answer = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.endswith("heavy: []\n")


def test_the_version_and_the_stages_are_told():
    assert splitshare("--version").stdout == f"splitshare {__version__}\n"
    told = splitshare("--help").stdout
    for stage in ("describe", "profile", "derive", "instances", "solve", "evaluate", "trace", "simulate", "figures"):
        assert f"  {stage} " in told


def test_a_placement_is_solved_evaluated_and_replayed(files: dict[str, Path], tmp_path: Path):
    placement = Placement.read(files["placement"])
    answer = splitshare("evaluate", files["instance"], files["placement"])
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["objective"] == placement.objective
    output = tmp_path / "requests.csv"
    answer = splitshare("simulate", files["instance"], files["placement"], files["trace"], "-o", output)
    assert answer.returncode == 0, answer.stderr
    assert len(output.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["solv"],
        ["solve"],
        ["solve", "x.json", "--algorithm", "local"],
        ["solve", "x.json", "--algorithm", "local", "-o", "y.json", "--solver", "cplex"],
        ["solve", "x.json", "--algorithm", "local", "-o", "y.json", "--seed", "-1"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]):
    answer = splitshare(*arguments)
    assert answer.returncode == 2
    assert "Usage:" in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr


def test_every_number_of_the_command_line_has_a_range():
    ranges = 0
    for module in option_modules():
        for name, hint in get_type_hints(module.Options, include_extras=True).items():
            if get_origin(hint) is Annotated and re.search(r"\b(int|float)\b", str(get_args(hint)[0])):
                option = get_args(hint)[1]
                assert None not in {option.min, option.max}, (module.__name__, name)
                assert option.min < option.max < 1e19
                ranges += 1
            assert hint not in {int, float}, "an option without a range"
    assert ranges > 40


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e308", "-1", "0x10"])
def test_a_number_out_of_range_is_2(files: dict[str, Path], tmp_path: Path, number: str):
    for option in ("--rate-per-s", "--horizon-s"):
        given = {"--rate-per-s": "1", "--horizon-s": "1"} | {option: number}
        options = [word for pair in given.items() for word in pair]
        answer = splitshare("trace", files["instance"], "-o", tmp_path / "t.csv", "--kind", "poisson", *options)
        assert answer.returncode == 2
        assert option in answer.stderr
        assert "Traceback" not in answer.stderr
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize(
    "length", [["--requests", 5_000_000_000], ["--requests", 10**12], ["--horizon-s", "1e9", "--rate-per-s", "1e12"]]
)
def test_a_trace_that_does_not_fit_into_memory_is_1(files: dict[str, Path], tmp_path: Path, length: list[object]):
    rate = [] if "--rate-per-s" in length else ["--rate-per-s", 1000]
    answer = splitshare("trace", files["instance"], "-o", tmp_path / "t.csv", "--kind", "poisson", *rate, *length)
    assert answer.returncode == 1
    assert "GB of memory" in one_line(answer)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("MemoryError()", "no more could be had"),
        ("__import__('numpy').empty(1 << 55)", "Unable to allocate"),
        ("__import__('torch').empty(1 << 55)", "not enough memory|allocate"),
        ("__import__('pyarrow').allocate_buffer(1 << 60)", "malloc"),
    ],
)
def test_running_out_of_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys, raised: str, told: str):
    def work() -> None:
        value = eval(raised)
        raise value if isinstance(value, BaseException) else AssertionError("there was room")

    monkeypatch.setattr("splitshare.cli.app", work)
    with pytest.raises(SystemExit) as ended:
        main()
    line = capsys.readouterr().err
    assert ended.value.code == 1
    assert re.fullmatch(rf"error: out of memory \(.*({told}).*\); ask for less at a time\n", line), line


def test_other_errors_of_a_runtime_are_not_called_that(monkeypatch: pytest.MonkeyPatch):
    def work() -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("splitshare.cli.app", work)
    with pytest.raises(RuntimeError, match="ours"):
        main()


@pytest.mark.parametrize(
    "address", ["127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1", ":80"]
)
def test_a_port_that_there_is_not_is_2(address: str):
    answer = splitshare("worker", "x", "--listen", address)
    assert answer.returncode == 2
    assert one_line(answer).startswith(f"error: --listen: {address}: ")


def edited(edit: Callable[[Any], object]) -> Callable[[str], bytes]:
    """What turns the text of an instance into one with a mistake."""

    def spoilt(text: str) -> bytes:
        value = json.loads(text)
        edit(value)
        return json.dumps(value).encode()

    return spoilt


def replaced(old: str, new: str) -> Callable[[str], bytes]:
    return lambda text: text.replace(old, new, 1).encode()


NAME = '"name": "example"'
BROKEN: dict[str, tuple[Callable[[str], bytes], str]] = {
    "missing field": (
        edited(lambda value: value["devices"][1].pop("memory_bytes")),
        "devices[1].memory_bytes: is missing; add it",
    ),
    "wrong type": (
        edited(lambda value: value["modules"][0].update(memory_bytes="big")),
        "modules[0].memory_bytes: input should be a valid number, not 'big'",
    ),
    "negative": (
        edited(lambda value: value["links"][2].update(latency_s=-0.1)),
        "links[2].latency_s: input should be greater than or equal to 0, not -0.1",
    ),
    "NaN": (
        edited(lambda value: value["requests"][0].update(result_bytes=float("nan"))),
        "NaN is not a JSON number; write a finite number",
    ),
    "infinite": (
        replaced("1000000.0", "1e999"),
        "links[0].bandwidth_bytes_per_s: input should be a finite number, not inf",
    ),
    "unknown device": (
        edited(lambda value: value["requests"][0].update(source="aa")),
        "requests[0].source: unknown device 'aa'; did you mean 'a'?",
    ),
    "unreachable pair": (
        edited(lambda value: value.update(links=[link for link in value["links"] if link["a"] != "a"])),
        "requests[0].encoders[0].module: no path of links from 'a' over a device for 'vision'",
    ),
    "unknown key": (
        edited(lambda value: value["devices"][0].update(memory_byte=1.0)),
        "devices[0].memory_byte: unknown key; did you mean 'memory_bytes'?",
    ),
    "duplicate key": (replaced(NAME, f"{NAME}, {NAME}"), "the key 'name' stands twice in one object; keep one"),
    "truncated": (lambda text: text[: len(text) // 2].encode(), "the file seems cut off"),
    "empty": (lambda text: b"", "the file seems cut off"),
    "not UTF-8": (lambda text: text.encode("utf-16"), "not UTF-8 text (invalid start byte at byte 0)"),
}
"""Mistakes in an instance file, and what is told of each."""


@pytest.fixture(params=BROKEN)
def told(request: pytest.FixtureRequest, files: dict[str, Path]) -> str:
    """Spoils the instance; what has to be told of it."""
    spoil, message = BROKEN[request.param]
    files["instance"].write_bytes(spoil(files["instance"].read_text()))
    return message


def arguments_of(command: str, files: dict[str, Path], output: Path) -> list[str]:
    instance, placement, trace = (str(files[name]) for name in ("instance", "placement", "trace"))
    return {
        "solve": ["solve", instance, "--algorithm", "s2m3-greedy", "-o", str(output)],
        "evaluate": ["evaluate", instance, placement],
        "simulate": ["simulate", instance, placement, trace, "-o", str(output), "--stages", f"{output}.stages.csv"],
    }[command]


def test_a_broken_instance_is_one_line_and_leaves_nothing(files: dict[str, Path], tmp_path: Path, told: str):
    before = sorted(tmp_path.rglob("*"))
    answer = splitshare(*arguments_of("solve", files, tmp_path / "out" / "output.json"))
    assert answer.returncode == 2
    line = one_line(answer)
    assert line.startswith(f"error: {files['instance']}: ")
    assert told in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["evaluate", "simulate"])
def test_other_commands_refuse_it_alike(
    files: dict[str, Path],
    tmp_path: Path,
    command: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """The same entry point, in this process: starting one for each costs seconds."""
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["splitshare", *arguments_of(command, files, tmp_path / "out" / "output.csv")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"error: {files['instance']}: ")
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", ["solve", "evaluate", "simulate"])
def test_a_file_that_is_none_is_told(files: dict[str, Path], tmp_path: Path, command: str):
    files["instance"].unlink()
    arguments = arguments_of(command, files, tmp_path / "output.csv")
    answer = splitshare(*arguments)
    assert (answer.returncode, one_line(answer)) == (2, f"error: {files['instance']}: no such file; check the path\n")
    files["instance"].mkdir()
    answer = splitshare(*arguments)
    assert answer.returncode == 2
    assert one_line(answer) == f"error: {files['instance']}: cannot be read: Is a directory\n"
    assert not (tmp_path / "output.csv").exists()


def test_one_broken_instance_among_several_leaves_nothing(files: dict[str, Path], tmp_path: Path):
    other = tmp_path / "other.json"
    other.write_bytes(files["instance"].read_bytes()[:-20])
    answer = splitshare("solve", files["instance"], other, "--algorithm", "local", "-o", tmp_path / "out")
    assert answer.returncode == 2
    assert str(other) in one_line(answer)
    assert not (tmp_path / "out").exists()


def test_a_placement_of_another_instance_is_refused(files: dict[str, Path], tmp_path: Path):
    PlacementInstance.parse(fields(name="another"), "another").write(files["instance"])
    answer = splitshare("evaluate", files["instance"], files["placement"])
    assert answer.returncode == 2
    assert "instance_sha256: belongs to another instance" in one_line(answer)


def test_a_placement_that_states_another_objective_is_refused(files: dict[str, Path], tmp_path: Path):
    """Within rounding it is the evaluator's; null states none."""
    right = json.loads(files["placement"].read_text())
    for objective, exit_code in ((1.01, 2), (1 - 2e-6, 2), (1 + 1e-9, 0), (None, 0)):
        stated = objective and right["objective"] * objective
        files["placement"].write_text(json.dumps(right | {"objective": stated}))
        commands: list[tuple[str | Path, ...]] = [("evaluate", files["instance"], files["placement"])]
        if objective in {None, 1.01}:
            replay = (files["instance"], files["placement"], files["trace"], "-o", tmp_path / "x.parquet")
            commands.append(("simulate", *replay))
        for command in commands:
            answer = splitshare(*command)
            assert answer.returncode == exit_code, answer.stderr
            if exit_code:
                problem = f"is {stated!r}, where the evaluator finds {right['objective']!r}; write that, or null"
                assert f"placement.json: objective: {problem}" in one_line(answer)


def test_an_infeasible_instance_is_an_answer(files: dict[str, Path], tmp_path: Path):
    devices = [{"name": name, "memory_bytes": 0.5} for name in "abc"]
    PlacementInstance.parse(fields(devices=devices), "tight").write(files["instance"])
    for options in (["--algorithm", "s2m3-greedy"], ["--algorithm", "optimum", "--solver", "highs"]):
        output = tmp_path / "tight.json"
        answer = splitshare("solve", files["instance"], *options, "-o", output)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.endswith(": infeasible, no placement\n")
        written = json.loads(output.read_text())
        assert (written["status"], written["assignment"], written["objective"]) == ("infeasible", None, None)


def test_gurobi_without_a_licence_says_so_and_stops(files: dict[str, Path], tmp_path: Path):
    output = tmp_path / "optimum.json"
    answer = splitshare(
        *("solve", files["instance"], "--algorithm", "optimum", "--solver", "gurobi", "-o", output),
        GRB_LICENSE_FILE=str(tmp_path / "no.lic"),
    )
    assert answer.returncode == 1
    line = one_line(answer)
    assert "solver gurobi: no usable licence" in line
    assert "--solver highs" in line
    assert not output.exists()


def test_a_place_that_cannot_be_written_is_one_line(files: dict[str, Path]):
    below_a_file = files["trace"] / "below" / "output.json"
    answer = splitshare("solve", files["instance"], "--algorithm", "local", "-o", below_a_file)
    assert answer.returncode == 2
    assert f"--output: {below_a_file} lies under {files['trace']}, which is a file" in one_line(answer)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--algorithm", "s2m3-gredy"], "--algorithm: unknown algorithm 's2m3-gredy'; did you mean 's2m3-greedy'?"),
        (["--algorithm", "local", "--solver", "highs"], "--solver: highs: has no meaning for local; leave it out"),
        (["--algorithm", "none.py:Mine"], "none.py: no such file"),
    ],
)
def test_a_wrong_algorithm_is_named(files: dict[str, Path], tmp_path: Path, options: list[str], told: str):
    answer = splitshare("solve", files["instance"], *options, "-o", tmp_path / "out.json")
    assert answer.returncode == 2
    assert told in one_line(answer)
    assert not (tmp_path / "out.json").exists()
