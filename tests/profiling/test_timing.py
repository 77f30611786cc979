import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from splitshare.catalog.loader import Catalog
from splitshare.modules.build import build_module
from splitshare.profiling import timing
from splitshare.profiling.describe import describe_module
from splitshare.profiling.job import BatchTimes, Job, LeftOut
from splitshare.profiling.meters import CpuMeter, meter_of
from splitshare.profiling.timing import OutOfMemoryError, measure_batches, memory_errors
from tests.modules.small import small_catalogue

pytestmark = pytest.mark.alone

MEGABYTE = 10**6
VISION = "clip-vit-b16-vision@clip-vit-b16"
TEXT = "clip-text-512-to-512@clip-vit-b16"
CAPTION = "gpt2-decoder@vit-gpt2"


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


def test_seconds_on_an_accelerator_last_until_it_is_done(monkeypatch: pytest.MonkeyPatch):
    """Of a device that takes calls at once and is busy for a while after."""
    told = []

    def done(device: torch.device) -> None:
        told.append(str(device))
        time.sleep(0.02)

    monkeypatch.setattr(torch.accelerator, "synchronize", done)
    seconds = meter_of(torch.device("mps"), 0).seconds(lambda: told.append("called"))
    assert told == ["mps", "called", "mps"]
    assert seconds == pytest.approx(0.02, abs=0.015), "what was begun before does not count"


def test_a_failed_allocation_is_out_of_memory_and_a_mistake_is_not():
    with pytest.raises(OutOfMemoryError, match="allocate"), memory_errors():
        torch.empty(2**55)
    with pytest.raises(RuntimeError, match="size"), memory_errors():
        torch.ones(2) @ torch.ones(3)


def job(
    root: Path, scratch: Path, budget_s: float, device: str = "cpu", module: str = VISION, longest_run_s: float = 10
) -> Job:
    return Job(
        catalog_root=str(root),
        module=module,
        budget_s=budget_s,
        longest_run_s=longest_run_s,
        threads=1,
        torch_device=device,
        seed=0,
        scratch=str(scratch),
    )


def measured(catalog: Catalog, what: Job, batches: list[int]) -> list[BatchTimes]:
    """The batches that were not left out."""
    return [
        found for found in measure_batches(catalog.module(what.module), what, batches) if isinstance(found, BatchTimes)
    ]


def test_runs_are_repeated_until_the_budget_is_spent(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    weights = describe_module(catalog.module(VISION), []).parameter_bytes
    times = measured(catalog, job(tmp_path / "data", tmp_path, budget_s=0.05), [1, 4])
    assert [t.batch for t in times] == [1, 4]
    for found in times:
        assert 3 <= len(found.seconds) <= 200
        assert sum(found.seconds) >= 0.04 or len(found.seconds) == 200
        assert found.prefill_s is None
        assert found.peak_memory_bytes is not None
        assert found.peak_memory_bytes >= weights
        assert found.load_s > 0
    assert not list(tmp_path.glob("*.safetensors")), "the file of weights is removed"


def test_only_a_run_over_the_limit_is_enough_by_itself(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    (times,) = measured(catalog, job(tmp_path / "data", tmp_path, budget_s=1e-9), [2])
    assert len(times.seconds) == 3, "runs have a spread, whatever the budget"
    (times,) = measured(catalog, job(tmp_path / "data", tmp_path, budget_s=1e-9, longest_run_s=1e-9), [2])
    assert (len(times.seconds), times.warm_up_runs, times.settled) == (1, 0, False)


def test_a_first_batch_is_timed_once_clocks_are_up(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    start = time.perf_counter()
    first, second = measured(catalog, job(tmp_path / "data", tmp_path, budget_s=1e-9), [1, 2])
    assert time.perf_counter() - start >= timing.CLOCKS_UP_S
    assert first.warm_up_runs > second.warm_up_runs


def test_a_decoder_s_runs_are_whole_requests_with_their_prefill(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    (times,) = measured(catalog, job(tmp_path / "data", tmp_path, budget_s=0.05, module=CAPTION), [2])
    assert times.prefill_s is not None
    assert len(times.prefill_s) == len(times.seconds) >= 3
    # 20 passes, of which the first reads the image too: none of them is more than half of the whole
    assert all(0 < first < total / 2 for first, total in zip(times.prefill_s, times.seconds, strict=True))


def test_a_batch_that_takes_too_long_is_left_out_unless_a_request_asks_for_it(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    told = job(tmp_path / "data", tmp_path, budget_s=1e-9, module=TEXT, longest_run_s=1e-9)
    found = list(measure_batches(catalog.module(told.module), told, [1, 2, 50, 101]))
    assert [f.batch for f in found] == [1, 2, 50, 101]
    assert [isinstance(f, LeftOut) for f in found] == [False, True, False, False]
    assert isinstance(found[1], LeftOut)
    assert "limit of 1e-09 s" in found[1].reason


def test_weights_are_loaded_from_several_files_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A decoder, whose embedding and output layer are one matrix under two names."""
    catalog = small_catalogue(tmp_path / "data")
    told = job(tmp_path / "data", tmp_path, budget_s=1e-9, module=CAPTION)
    files: list[set[str]] = []

    def noted(tensors: dict[str, torch.Tensor], path: Path) -> None:
        files.append(set(tensors))
        save_file(tensors, path)

    monkeypatch.setattr(timing, "save_file", noted)
    monkeypatch.setattr(timing, "SHARD_BYTES", 10**4)
    measured(catalog, told, [1])
    names = build_module(catalog.module(CAPTION)).state_dict().keys() - {"language_model.lm_head.weight"}
    assert len(files) > 5
    assert set.union(*files) == names
    assert sum(map(len, files)) == len(names), "no weight is loaded twice"
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.gpu
def test_cuda_is_measured_by_the_same_code(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    weights = describe_module(catalog.module(VISION), []).parameter_bytes
    for found in measured(catalog, job(tmp_path / "data", tmp_path, 0.05, "cuda"), [1, 4]):
        assert len(found.seconds) >= 3
        assert all(0 < seconds < 1 for seconds in found.seconds)
        assert found.peak_memory_bytes is not None
        assert weights <= found.peak_memory_bytes < weights + 100 * MEGABYTE
