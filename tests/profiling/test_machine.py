import pytest

from splitshare.profiling.machine import available_memory_bytes, busy_share, type_name
from splitshare.profiling.records import ProfiledDevice


@pytest.mark.parametrize(
    ("cpu", "gpu", "expected"),
    [
        ("AMD EPYC", None, "amd-epyc-2-threads"),
        ("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", None, "intel-xeon-platinum-8481c-2-threads"),
        ("AMD Ryzen 9 5950X 16-Core Processor", None, "amd-ryzen-9-5950x-2-threads"),
        ("12th Gen Intel(R) Core(TM) i7-12700H", None, "12th-gen-intel-core-i7-12700h-2-threads"),
        ("AMD EPYC", "NVIDIA GeForce RTX 3090", "nvidia-geforce-rtx-3090"),
        (None, None, "cpu-2-threads"),
        ("@", None, "cpu-2-threads"),
    ],
)
def test_a_device_type_is_named_after_its_hardware(cpu: str | None, gpu: str | None, expected: str):
    assert type_name(ProfiledDevice(name="x", cpu=cpu, gpu=gpu, threads=2, memory_bytes=1)) == expected


def test_the_share_of_other_work_is_a_share():
    assert 0 <= busy_share(0.1) <= 1


@pytest.mark.gpu
def test_memory_of_a_cuda_device_is_what_is_free_on_it():
    import torch

    held = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    assert available_memory_bytes("cuda") <= torch.cuda.mem_get_info()[1] - held.nbytes
