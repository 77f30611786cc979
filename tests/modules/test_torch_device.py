import pytest
import torch

from splitshare.errors import InputError
from splitshare.modules.torch_device import described, torch_device


def test_the_cpu_is_always_there():
    assert torch_device("cpu") == torch.device("cpu")
    assert described(torch_device("cpu")) == "cpu"


def test_auto_is_the_cpu_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: None)
    assert torch_device("auto") == torch.device("cpu")


def test_auto_is_what_there_is_beside_the_cpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: torch.device("mps"))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda *size, device: None)
    assert torch_device("auto") == torch.device("mps")


@pytest.mark.parametrize("name", ["tpu", "meta", "cpu:1", "cuda:99", "cuda:x", "mps:1", ""])
def test_what_is_no_device_or_not_here_is_refused(name: str):
    with pytest.raises(InputError, match=r"^--torch-device"):
        torch_device(name)


@pytest.mark.gpu
def test_a_gpu_is_told_by_its_name():
    device = torch_device("auto")
    assert device.type == "cuda"
    assert torch.cuda.get_device_name(device) in described(device)
