import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from splitshare.profiling.describe import describe_module
from splitshare.profiling.job import Job
from splitshare.profiling.timing import CpuMeter, OutOfMemoryError, measure_batches, memory_errors
from tests.modules.small import small_catalogue

MEGABYTE = 10**6
VISION = "clip-vit-b16-vision@clip-vit-b16"


PEAK = """
import sys
import torch
from splitshare.profiling.timing import CpuMeter

def allocate(bytes_):
    torch.ones(bytes_ // 4)  # touched, and let go

size = int(sys.argv[1])

def twice():  # a sum over time must not count
    allocate(size)
    allocate(size)

allocate(300 * 10**6)  # nor an earlier peak
print(CpuMeter(held_bytes=5 * 10**6).peak_bytes(twice))
"""


@pytest.mark.parametrize("megabytes", [20, 80])
def test_peak_memory_is_what_was_touched_at_once(megabytes: int):
    # In a process of its own, as the profiler measures: here, what other tests left of the heap would count too.
    size = megabytes * MEGABYTE
    done = subprocess.run([sys.executable, "-c", PEAK, str(size)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == pytest.approx(5 * MEGABYTE + size, abs=2 * MEGABYTE)


def test_seconds_are_wall_clock():
    assert CpuMeter(0).seconds(lambda: time.sleep(0.02)) == pytest.approx(0.02, abs=0.01)


def test_a_failed_allocation_is_out_of_memory_and_a_mistake_is_not():
    with pytest.raises(OutOfMemoryError, match="allocate"), memory_errors():
        torch.empty(2**55)
    with pytest.raises(RuntimeError, match="size"), memory_errors():
        torch.ones(2) @ torch.ones(3)


def job(root: Path, scratch: Path, budget_s: float, device: str = "cpu") -> Job:
    return Job(
        catalog_root=str(root),
        module=VISION,
        budget_s=budget_s,
        threads=1,
        torch_device=device,
        seed=0,
        scratch=str(scratch),
    )


def test_runs_are_repeated_until_the_budget_is_spent(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    weights = describe_module(catalog, VISION, []).parameter_bytes
    times = list(measure_batches(catalog, job(tmp_path / "data", tmp_path, budget_s=0.05), [1, 4]))
    assert [t.batch for t in times] == [1, 4]
    for measured in times:
        assert 3 <= len(measured.seconds) <= 200
        assert sum(measured.seconds) >= 0.04 or len(measured.seconds) == 200
        assert measured.peak_memory_bytes is not None
        assert measured.peak_memory_bytes >= weights
        assert measured.load_s > 0
    assert not list(tmp_path.glob("*.safetensors")), "the file of weights is removed"


def test_one_run_is_enough_where_it_takes_longer_than_the_budget(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    (times,) = measure_batches(catalog, job(tmp_path / "data", tmp_path, budget_s=1e-9), [2])
    assert len(times.seconds) == 1


@pytest.mark.gpu
def test_cuda_is_measured_by_the_same_code(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    weights = describe_module(catalog, VISION, []).parameter_bytes
    for measured in measure_batches(catalog, job(tmp_path / "data", tmp_path, 0.05, "cuda"), [1, 4]):
        assert len(measured.seconds) >= 3
        assert all(0 < seconds < 1 for seconds in measured.seconds)
        assert measured.peak_memory_bytes is not None
        assert weights <= measured.peak_memory_bytes < weights + 100 * MEGABYTE
