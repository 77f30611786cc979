"""GPUs of this machine as devices of the local testbed."""

import sys
from pathlib import Path

import pytest

from splitshare.catalog.gpus import HOST_BANDWIDTH_BYTES_PER_S, machine_types, with_gpus
from splitshare.catalog.testbeds import read_testbed
from splitshare.errors import InputError
from splitshare.profiling import machine
from splitshare.stages import local_testbed

TESTBEDS = Path(__file__).parents[2] / "data" / "testbeds"
LOCAL = TESTBEDS / "local.yaml"


def test_types_say_where_torch_computes():
    assert machine_types(["cuda:0", "cuda:1"], "cpu") == {
        "this-machine": "cpu",
        "this-machine-gpu-0": "cuda:0",
        "this-machine-gpu-1": "cuda:1",
    }


def test_a_gpu_reaches_its_machine_fast_and_the_others_as_its_machine_does(tmp_path):
    output = tmp_path / "local.yaml"
    local_testbed.run(local_testbed.Options(testbed=LOCAL, output=output, gpus=2))
    before, after = read_testbed(LOCAL), read_testbed(output)
    assert [d.name for d in after.devices] == [
        *(d.name for d in before.devices),
        "this-machine-gpu-0",
        "this-machine-gpu-1",
    ]
    links = {frozenset((link.a, link.b)): link for link in after.links}
    assert len(links) == len(after.links) == 3 + 2 * 3 + 1
    for gpu in ("this-machine-gpu-0", "this-machine-gpu-1"):
        assert links[frozenset((gpu, "this-machine"))].bandwidth_bytes_per_s == HOST_BANDWIDTH_BYTES_PER_S
        for jetson in ("jetson-1", "jetson-2"):
            own, host = links[frozenset((gpu, jetson))], links[frozenset(("this-machine", jetson))]
            assert (own.latency_s, own.bandwidth_bytes_per_s) == (host.latency_s, host.bandwidth_bytes_per_s)
    assert after.source == before.source
    assert after.title == "This machine and two Jetson-class devices, and 2 GPUs of this machine"


def test_without_gpus_it_stays_as_it_is(tmp_path):
    output = tmp_path / "local.yaml"
    local_testbed.run(local_testbed.Options(testbed=LOCAL, output=output))
    assert read_testbed(output) == read_testbed(LOCAL)


def test_a_testbed_without_this_machine_has_no_gpus_of_it():
    elsewhere = read_testbed(TESTBEDS / "laptop-jetson.yaml")
    assert with_gpus(elsewhere, 0, "x") is elsewhere
    with pytest.raises(InputError, match="devices: none has the device type 'this-machine', whose GPUs these would be"):
        with_gpus(elsewhere, 1, "laptop-jetson.yaml")


def test_torch_is_asked_for_gpus_where_a_driver_is(monkeypatch):
    import torch

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert machine.gpus_here() == ()
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/kfd")
    assert machine.gpus_here() == ("cuda:0", "cuda:1")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert machine.gpus_here() == ("mps",)
