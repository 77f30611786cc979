"""Joules from counters as Linux and NVML show them, made up here: no counter, no joules."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from splitshare.catalog.loader import load_catalog
from splitshare.profiling import energy, timing
from splitshare.profiling.energy import NvmlCounter, RaplCounter, energy_counter, joules_a_run
from splitshare.profiling.job import BatchTimes, Job
from splitshare.profiling.measure import MeasuringSettings, measure_module
from splitshare.profiling.timing import measure_batches

ROOT = Path(__file__).parents[2]


def zone(powercap: Path, number: str, name: str, microjoules: int, most: int = 262_143_328_850) -> Path:
    folder = powercap / f"intel-rapl:{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path):
    first, second = zone(tmp_path, "0", "package-0", 5_000_000), zone(tmp_path, "1", "package-1", 7_000_000)
    core = zone(tmp_path, "0:0", "core", 1)
    counter = RaplCounter.found(tmp_path)
    assert counter is not None
    counter.start()
    assert counter.joules() == 0.0
    (first / "energy_uj").write_text("6500000")
    (second / "energy_uj").write_text("7250000")
    (core / "energy_uj").write_text("9000000")
    assert counter.joules() == pytest.approx(1.75)


def test_a_counter_that_wraps_goes_on(tmp_path: Path):
    package = zone(tmp_path, "0", "package-0", 999_999, most=1_000_000)
    counter = RaplCounter.found(tmp_path)
    assert counter is not None
    counter.start()
    (package / "energy_uj").write_text("500000")
    assert counter.joules() == pytest.approx(0.500002)


@pytest.mark.parametrize("spoilt", ["name", "energy_uj"])
def test_a_counter_that_cannot_be_read_is_none(tmp_path: Path, spoilt: str):
    assert RaplCounter.found(tmp_path / "nowhere") is None
    (zone(tmp_path, "0", "package-0", 1) / spoilt).unlink()
    assert RaplCounter.found(tmp_path) is None


class MadeUp:
    """A counter of so many watts by a clock that runs advance."""

    source = "made up"

    def __init__(self, watts: float) -> None:
        self.watts, self.now, self.before = watts, 0.0, 0.0

    def start(self) -> None:
        self.before = self.now

    def joules(self) -> float:
        return self.watts * (self.now - self.before)

    def run(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("seconds", "runs"), [(0.03, 67), (5.0, 3)])
def test_joules_are_those_of_a_window_of_runs(seconds: float, runs: int):
    counter = MadeUp(40.0)
    counter.run(100)
    waited = []
    found = joules_a_run(
        lambda: counter.run(seconds), lambda: waited.append(counter.now), counter, window_s=2, now_s=lambda: counter.now
    )
    assert found.energy_j == pytest.approx(40 * seconds)
    assert found.runs == runs
    assert len(waited) == 2  # before it begins and before it is read


def test_a_gpu_is_asked_by_its_own_number(monkeypatch: pytest.MonkeyPatch):
    class NVMLError(Exception):
        pass

    asked: list[str] = []
    count = iter([1_000_000, 2_000_000, 2_012_345])

    def handle_of(uuid: str) -> str:
        asked.append(uuid)
        return "handle"

    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=handle_of,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(count),
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid=f"of {device}"))
    counter = energy_counter("cuda:1")
    assert isinstance(counter, NvmlCounter)
    counter.start()
    assert counter.joules() == pytest.approx(12.345)
    assert asked == ["GPU-of cuda:1"]

    def refuse(handle: object) -> int:
        raise NVMLError("not supported")

    library.nvmlDeviceGetTotalEnergyConsumption = refuse
    assert energy_counter("cuda:1") is None
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as if it were not installed
    assert energy_counter("cuda:1") is None


def test_other_devices_tell_nothing():
    assert energy_counter("mps") is None
    assert energy_counter("meta") is None


@pytest.mark.parametrize("counter", [MadeUp(1.0), None])
def test_what_was_counted_is_told_with_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counter):
    monkeypatch.setattr(timing, "energy_counter", lambda torch_device: counter)
    monkeypatch.setattr(energy, "WINDOW_S", 0.01)
    root = ROOT / "data" / "embedded"
    job = Job(
        catalog_root=str(root),
        module="linear-64-to-24@together",
        budget_s=0.01,
        longest_run_s=10.0,
        threads=1,
        torch_device="cpu",
        seed=0,
        scratch=str(tmp_path),
    )
    (measured,) = measure_batches(load_catalog(root).module(job.module), job, [1])
    assert isinstance(measured, BatchTimes)
    told = (measured.energy_j, measured.energy_source)
    assert told == ((None, None) if counter is None else (0.0, "made up"))  # its clock stands still


@pytest.mark.skipif(RaplCounter.found() is None, reason="this machine does not show RAPL to this user")
def test_a_module_takes_joules_here():
    rows = measure_module(ROOT / "data" / "embedded", "linear-64-to-24@together", MeasuringSettings(budget_s=0.05)).rows
    assert all(row.energy_j is not None and row.energy_j > 0 for row in rows)
