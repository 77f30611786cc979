"""`splitshare emulate` as a user calls it: batches, refusals."""

import json
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from splitshare.cli import main
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.batching import BatchCurves, Batching
from splitshare.replay.generators import poisson_trace
from splitshare.replay.metrics import OVERALL
from splitshare.replay.simulator import simulate
from tests.commands.test_replay import placement
from tests.replay.examples import example, fields, request, trace_of
from tests.replay.test_batching import curves_of

pytestmark = pytest.mark.alone

SLACK_S = 0.06
"""What a busy machine may add to a request."""


class CommandLine:
    """The command line in this process and a directory of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], directory: Path) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd
        monkeypatch.chdir(directory)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self._monkeypatch.setattr("sys.argv", ["splitshare", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        output, errors = self._capfd.readouterr()
        return int(ended.value.code or 0), output, errors

    def refuses(self, complaint: str, *arguments: str) -> None:
        """See that it ends with code 2 and one line, before it has said anything."""
        code, output, errors = self(*arguments)
        assert code == 2
        assert complaint in errors
        assert errors.count("\n") == 1
        assert not output


@pytest.fixture
def splitshare(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[CommandLine]:
    before = signal.getsignal(signal.SIGTERM)
    yield CommandLine(monkeypatch, capfd, tmp_path)
    signal.signal(signal.SIGTERM, before)  # an emulation takes it over


def write(directory: Path, instance: PlacementInstance, arrivals: list[tuple[float, str, float]]) -> list[str]:
    """An instance, a placement (vision on b, text on c, head on a) and a trace, as arguments."""
    instance.write(directory / "instance.json")
    placement(instance.sha256()).write(directory / "placement.json")
    trace = trace_of(instance, arrivals)
    names = [trace.classes[k] for k in trace.request_class]
    table = {"request_id": trace.request_id, "arrival_s": trace.arrival_s, "request": names, "size": trace.size}
    pd.DataFrame(table).to_csv(directory / "trace.csv", index=False)
    return ["instance.json", "placement.json", "trace.csv", "-o", "requests.parquet"]


def test_emulated_batches_are_the_simulated_ones(splitshare: CommandLine, tmp_path: Path) -> None:
    """Inputs wait for the link and reach b every 0.08 s from 0.081 s on; vision takes 0.2 s, two 0.3 s, four 0.5 s.

    The first runs until 0.281 s, the two that wait then until 0.581 s, two of the next three until 0.881 s (there is no
    time for three), the last until 1.081 s.
    """
    instance = example(requests=[request("pair", {"vision": 1, "text": 1}), request("single", {"vision": 80_000})])
    arrivals = [(0.02 * i, "single", 1.0) for i in range(6)]
    files = write(tmp_path, instance, arrivals)
    curves_of(instance, {2: 1.5, 4: 2.5}).write(tmp_path / "curves.json")
    batches = ["--max-batch", "4", "--batch-curves", "curves.json", "--stages", "stages.parquet"]
    tables = {}
    for command, more in (("simulate", []), ("emulate", ["--any-links"])):
        code, _, errors = splitshare(command, *files, *batches, *more)
        assert code == 0, errors
        tables[command] = pd.read_parquet(tmp_path / "requests.parquet"), pd.read_parquet(tmp_path / "stages.parquet")
    by_hand = {
        "start_s": [0.081, 0.281, 0.281, 0.581, 0.581, 0.881],
        "finish_s": [0.281, 0.581, 0.581, 0.881, 0.881, 1.081],
    }
    for command, slack_s in (("simulate", 1e-9), ("emulate", SLACK_S)):
        requests, stages = tables[command]
        vision = stages[stages["stage"] == "encode"]
        for column, expected in by_hand.items():
            assert vision[column].tolist() == pytest.approx(expected, abs=slack_s)
        assert vision["busy_s"].tolist() == pytest.approx([0.2, 0.15, 0.15, 0.15, 0.15, 0.2], abs=slack_s)
        assert (requests["status"] == "ok").all()
    emulated = tables["emulate"][1]
    together = emulated[emulated["stage"] == "encode"].groupby("start_s").size().tolist()
    assert together == [1, 2, 2, 1]
    late_s = tables["emulate"][0]["latency_s"] - tables["simulate"][0]["latency_s"]
    assert 0 < late_s.min() <= late_s.median() < SLACK_S


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only on Linux")
def test_memory_of_workers_is_told_and_reported(splitshare: CommandLine, tmp_path: Path) -> None:
    files = write(tmp_path, example(), [(0.0, "single", 1.0)])
    code, said, errors = splitshare("emulate", *files, "--any-links", "--report", "report.json")
    assert code == 0, errors
    report = json.loads((tmp_path / "report.json").read_text())
    sizes = report["worker_memory_bytes"]
    assert set(sizes) == {"a", "b", "c"}
    together = sum(sizes.values()) + report["relay_memory_bytes"]
    assert f"{max(sizes.values()) / 1e6:.1f} at most" in said
    assert f"{together / 1e6:.0f} MB together" in said


@pytest.mark.parametrize("command", ["simulate", "emulate"])
def test_batches_without_their_seconds_are_refused(splitshare: CommandLine, tmp_path: Path, command: str) -> None:
    files = write(tmp_path, example(), [(0.0, "single", 1.0)])
    curves_of(example(), {2: 1.5}).write(tmp_path / "curves.json")
    slower = example(modules=[m | {"compute_s": {"b": 1.0, "c": 1.0}} for m in fields()["modules"]])
    curves_of(slower, {2: 1.5}).write(tmp_path / "other.json")
    for options, complaint in [
        (["--max-batch", "2"], "--batch-curves: batches take times that the instance does not hold"),
        (["--max-batch", "2", "--batch-curves", "other.json"], "other.json: curves: one request of"),
        (["--max-batch", "2", "--batch-curves", "nowhere.json"], "nowhere.json"),
        (["--batch-curves", "curves.json"], "--batch-curves: curves.json: one by one nothing runs in batches"),
    ]:
        splitshare.refuses(complaint, command, *files, *options)


def for_fidelity(directory: Path) -> list[str]:
    """An instance whose encoder ``b`` is asked most of, a placement of it and its batches, as arguments."""
    instance = example(requests=[request("single", {"vision": 1000})])
    instance.write(directory / "one.json")
    placement(instance.sha256()).write(directory / "hand" / "one.json")
    curves_of(instance, {2: 1.1, 4: 1.2}).write(directory / "curves" / "one.json")
    return shlex.split("one.json --placements . --method hand --load 0.95 --requests 30 --seed 5 -o out")


def test_fidelity_of_batches(splitshare: CommandLine, tmp_path: Path) -> None:
    """Both replays form them: four take hardly longer than one, so nobody waits for long."""
    arguments = for_fidelity(tmp_path)
    batches = ["--max-batch", "4", "--batch-curves", "curves", "--any-links"]
    code, _, errors = splitshare("fidelity", *arguments, *batches)
    assert code == 0, errors
    table = pd.read_csv(tmp_path / "out" / "fidelity.csv")
    assert (table["max_batch"] == 4).all()
    mean = table[(table["metric"] == "mean_s") & (table["request"] == OVERALL)].iloc[0]
    instance = PlacementInstance.read(tmp_path / "one.json")
    routes = {"single": Route(("b",), "a")}
    trace = poisson_trace(instance, 0.95 / 0.2, requests=30, seed=5)  # vision's 0.2 s
    one_by_one_s = simulate(instance, routes, trace).requests["latency_s"].mean()
    batching = Batching(4, BatchCurves.read(tmp_path / "curves" / "one.json"))
    assert mean["simulated"] == pytest.approx(
        simulate(instance, routes, trace, batching=batching).requests["latency_s"].mean()
    )
    assert 0.9 * mean["simulated"] < mean["emulated"] < 0.5 * one_by_one_s


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--max-batch", "2"], "--batch-curves: batches take times that the instance does not hold"),
        (["--max-batch", "2", "--batch-curves", "nowhere"], "nowhere/one.json"),
        (["--batch-curves", "curves"], "--batch-curves: curves/one.json: one by one nothing runs in batches"),
        (["--max-batch", "2", "--compute", "real"], "--max-batch: 2: what real modules take in batches is not told"),
        (["--crash", "d"], "--crash: d: example has no such device"),
        (["two.json"], "two.json: no such file"),  # though the first could be emulated
    ],
)
def test_what_fidelity_cannot_compare_is_refused_before_anything_is_started(
    splitshare: CommandLine, tmp_path: Path, options: list[str], complaint: str
) -> None:
    splitshare.refuses(complaint, "fidelity", *for_fidelity(tmp_path), *options)


def test_a_signal_without_a_link_is_refused_before_anything_is_started(splitshare: CommandLine, tmp_path: Path) -> None:
    from_a: dict[str, Any] = {"links": [link for link in fields()["links"] if link["a"] == "a"]}
    files = write(tmp_path, example(routing="sequential", **from_a), [(0.0, "single", 1.0)])
    complaint = "placement.json: requests.pair: with sequential routing 'c' waits for 'b', but no link joins them"
    splitshare.refuses(complaint, "emulate", *files)
    assert splitshare("simulate", *files)[0] == 0  # it counts no signals


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--runs", "runs.csv"], "--runs: runs.csv: recorded modules compute nothing; give --compute real"),
        (["--torch-device", "cuda"], "--torch-device: cuda: recorded modules compute nothing; give --compute real"),
        (["--compute", "real", "--torch-device", "tpu"], "--torch-device: 'tpu'"),
        (["--runs", "a.txt", "--compute", "real"], "a.txt: the suffix chooses the format; end the name in "),
    ],
)
def test_times_of_real_modules_are_asked_for_wrongly(splitshare, options, complaint):
    splitshare.refuses(complaint, "emulate", "instance.json", "placement.json", "trace.csv", "-o", "out.csv", *options)
