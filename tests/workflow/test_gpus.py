"""A run that measures a second device of this machine: the CPU again, in the place of a GPU."""

from pathlib import Path

import pytest

from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.records import ModuleProfile
from tests.workflow.repository import Repository, rules

pytestmark = pytest.mark.slow

CONFIG = "config/smoke.yaml"
INSTANCE = "results/smoke/local/instances/clip-rn50.local.json"
GPU = "this-machine-gpu-0"


def test_it_stands_in_the_local_testbed_as_a_device_of_its_own(tmp_path: Path):
    repository = Repository(tmp_path, CONFIG)
    own = repository.root / "config/smoke.yaml"
    own.write_text(own.read_text().replace("gpus: auto", "gpus: [cpu]"))
    answer = repository.run(INSTANCE, timeout_s=600)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    instance = PlacementInstance.read(repository.root / INSTANCE)
    assert [device.name for device in instance.devices] == ["this-machine", "jetson-1", "jetson-2", GPU]
    profile = ModuleProfile.read(repository.root / f"results/smoke/local/{GPU}.json")
    assert profile.device.name == GPU
    for module in instance.modules:
        assert module.compute_s[GPU] == pytest.approx(profile.by_key[module.name, 1, None].compute_median_s, rel=1e-8)
    link = instance.link_between(GPU, "this-machine")
    assert link is not None
    assert link.bandwidth_bytes_per_s == 12e9
    own.write_text(own.read_text().replace("gpus: [cpu]", "gpus: []"))
    assert "local_testbed" in rules(repository.plan()), "a device that is gone leaves the testbed"
