"""The real catalogue, described once for all tests that need it: counting its operations takes a while."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.config import Config
from splitshare.placement.generate import build_instance
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.read import read_profiles
from splitshare.profiling.records import ModuleDescriptions
from splitshare.stopping import SIGNALS

ROOT = Path(__file__).parents[1]

pytest.register_assert_rewrite("tests.onloading.held", "tests.onloading.knapsacks")

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"):  # `make test` is no part of what tests make
    os.environ.pop(name, None)
# No test finds a command of this environment because it happens to be activated: `make test` does not activate it.
BIN = str(Path(sys.executable).parent)
os.environ["PATH"] = os.pathsep.join(folder for folder in os.get_exec_path() if folder != BIN)

os.environ["HF_HUB_OFFLINE"] = "1"  # no test asks the hub by mistake; those with a hub of their own start processes


@pytest.fixture(autouse=True)
def _signals_are_left_as_they_were() -> Iterator[None]:
    """A test that calls ``main`` does not decide how later ones in its process are interrupted."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    if any(signal.getsignal(number) is not handler for number, handler in before.items()):
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device that computes nothing, torch's meta device, from which tensors can be fetched: zeros of their shape.

    A kernel whose operands lie on two devices is refused there as on a GPU, so a tensor that was left behind is found.
    """
    import torch

    fetched, zeros = torch.Tensor.cpu, torch.zeros
    monkeypatch.setattr(torch.Tensor, "cpu", lambda t: zeros(t.shape, dtype=t.dtype) if t.is_meta else fetched(t))
    return "meta"


@pytest.fixture(scope="session")
def descriptions() -> ModuleDescriptions:
    """Every module of ``data/catalogue``."""
    from splitshare.profiling.describe import describe_catalog  # imports torch

    return describe_catalog(load_catalog(ROOT / "data"))


@pytest.fixture(scope="session")
def canonical(descriptions) -> list[PlacementInstance]:
    """The instances of the default configuration, from the committed profiles."""
    config = Config.read(ROOT / "config" / "config.yaml")
    catalog = load_catalog(ROOT / "data")
    profiles = read_profiles(sorted((ROOT / "profiles").glob("*.json")))
    testbeds = [read_testbed(ROOT / "data" / "testbeds" / f"{name}.yaml") for name in config.testbeds]
    return [
        build_instance(catalog, catalog.workload(name), testbed, profiles, descriptions)
        for testbed in testbeds
        for name in config.workloads
    ]
