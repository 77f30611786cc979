import threading
import time
from pathlib import Path

import psutil
import pytest

from splitshare.errors import InputError, WorkError
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.job import BatchTimes, ReportLine, read_report
from splitshare.profiling.machine import available_memory_bytes, this_machine, usable_device
from splitshare.profiling.measure import MeasuringSettings, measure_module
from splitshare.profiling.records import ProfileRow
from tests.modules.small import edit, small_catalogue

pytestmark = pytest.mark.alone

HEAD = "cosine-512@clip-vit-b16"
QUICK = MeasuringSettings(budget_s=0.02, threads=1)


def test_a_module_is_measured_at_every_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    catalog = small_catalogue(tmp_path / "data")
    monkeypatch.chdir(tmp_path)  # the worker finds a catalogue that is named relative to where one stands
    rows = measure_module(Path("data"), HEAD, QUICK).rows
    assert [row.batch for row in rows] == [1, 2, 4, 8]
    for row in rows:
        assert row.runnable
        assert row.provenance == "measured"
        assert row.definition_sha256 == definition_sha256(catalog.module(HEAD))
        assert (row.parameter_bytes, row.output_bytes) == (4, row.batch * 101 * 4)
        assert row.compute_p10_s is not None
        assert row.compute_median_s is not None
        assert row.compute_p90_s is not None
        assert 0 < row.compute_p10_s <= row.compute_median_s <= row.compute_p90_s
        assert row.runs is not None
        assert row.runs >= 3
    assert not measuring(), "no process is left behind"


def measuring() -> list[psutil.Process]:
    """Measuring processes that live now (another test's may have left multiprocessing's own helper behind)."""
    return [p for p in psutil.Process().children() if "splitshare.profiling.worker" in p.cmdline()]


def assert_not_runnable(rows: list[ProfileRow], reason: str) -> None:
    assert [row.batch for row in rows] == [1, 2, 4, 8]
    for row in rows:
        assert not row.runnable
        assert row.reason is not None
        assert reason in row.reason
        assert row.compute_median_s is None
        assert row.output_bytes > 0, "what the architecture tells is kept"


def test_what_does_not_fit_is_recorded_as_not_runnable(tmp_path: Path):
    small_catalogue(tmp_path)
    assert_not_runnable(measure_module(tmp_path, HEAD, QUICK, memory_bytes=10**9).rows, "needs about 1.1 GB of memory")


def test_a_killed_process_leaves_a_row_and_no_crash(tmp_path: Path):
    small_catalogue(tmp_path)
    rows: list[ProfileRow] = []
    slow = MeasuringSettings(budget_s=60, threads=1)
    thread = threading.Thread(target=lambda: rows.extend(measure_module(tmp_path, HEAD, slow).rows))
    thread.start()
    deadline = time.monotonic() + 30
    while not (children := measuring()) and time.monotonic() < deadline:
        time.sleep(0.01)
    report = Path(next(a for a in children[0].cmdline() if a.endswith("report.jsonl")))
    while not (report.exists() and report.read_text().count("\n")) and time.monotonic() < deadline:
        time.sleep(0.01)
    children[0].kill()
    thread.join(timeout=30)
    assert len(rows) == 4
    # MAX_RUNS bounds a head's runs, so the first batches may be done by now; what is missing says why.
    assert all(row.runnable or "SIGKILL" in (row.reason or "") for row in rows)
    assert not rows[-1].runnable


def test_a_process_that_takes_too_long_is_stopped(tmp_path: Path):
    small_catalogue(tmp_path)
    with pytest.raises(WorkError, match=r"cosine-512@clip-vit-b16 failed: stopped after 0\.05 s"):
        measure_module(tmp_path, HEAD, MeasuringSettings(threads=1, timeout_s=0.05))
    assert not measuring()


def test_a_mistake_in_the_architecture_is_no_want_of_memory(tmp_path: Path):
    small_catalogue(tmp_path)
    edit(tmp_path, "architectures", lambda c: c["architectures"]["cosine-512"]["params"].update(embedding="16"))
    with pytest.raises(WorkError, match=r"params\.embedding"):
        measure_module(tmp_path, HEAD, QUICK)


def test_a_report_that_was_cut_off_gives_its_whole_lines(tmp_path: Path):
    times = BatchTimes(batch=1, seconds=(0.25,), peak_memory_bytes=10, load_s=0.5, warm_up_runs=2, settled=True)
    line = ReportLine(measured=times)
    text = line.model_dump_json(exclude_none=True) + "\n"
    report = tmp_path / "report.jsonl"
    assert read_report(report) == []
    report.write_text(text + text[: len(text) // 2])
    assert read_report(report) == [line]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("budget_s", 0.0),
        ("longest_run_s", float("inf")),
        ("budget_s", float("nan")),
        ("threads", 0),
        ("timeout_s", -1.0),
    ],
)
def test_settings_that_cannot_be_measured_with_are_refused(option: str, value: float):
    with pytest.raises(InputError, match=option.replace("_", "-")):
        MeasuringSettings(**{option: value})  # type: ignore[arg-type]


def test_this_machine_is_described():
    device = this_machine("here", threads=2, torch_device="cpu")
    assert (device.name, device.threads, device.gpu) == ("here", 2, None)
    assert device.cpu
    assert device.memory_bytes == psutil.virtual_memory().total
    assert set(device.versions) == {"python", "numpy", "torch", "transformers"}
    assert 0 < available_memory_bytes() <= device.memory_bytes


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "cpu:0x"])
def test_a_device_that_is_not_there_is_told(name: str):
    with pytest.raises(InputError, match="--torch-device"):
        usable_device(name)
