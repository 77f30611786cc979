"""Algorithms of other packages are found by their entry points, and their files without importing them."""

import sys
from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.placement.contract import FINDER
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.stages import list as listing
from tests.replay.examples import example

ALGORITHM = """
from dataclasses import dataclass


@dataclass
class Whole:
    \"\"\"Everything on one device.\"\"\"

    name: str = "whole"
    device: str = "b"

    def place(self, instance, *, seed, time_limit):
        return {module.name: self.device for module in instance.modules}
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of an installed package with the algorithm ``whole``."""
    (tmp_path / "elsewhere.py").write_text(ALGORITHM)
    about = tmp_path / "elsewhere-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[splitshare.placement]\nwhole = elsewhere:Whole\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "elsewhere", raising=False)
    return tmp_path / "elsewhere.py"


def test_an_installed_algorithm_is_found_by_name(outside: Path):
    assert "whole" in FINDER.names()
    assert FINDER.source("whole") == outside
    assert "elsewhere" not in sys.modules
    instance: PlacementInstance = example()
    placed = solve(instance, FINDER.load("whole"))
    assert placed.assignment == {module.name: ("b",) for module in instance.modules}
    assert ("whole", "placement: Everything on one device.") in listing.run(listing.Options("algorithms"))
    with pytest.raises(InputError, match="device"):
        FINDER.load("whole", ["device"])


def test_ours_have_no_file_elsewhere(outside: Path):
    assert FINDER.source("s2m3-greedy") is None
    assert FINDER.source("none-such") is None


def test_an_algorithm_that_cannot_be_loaded_is_listed_with_the_reason(outside: Path):
    outside.write_text("import none_such_package\n")
    rows = dict(listing.run(listing.Options("algorithms")))
    assert rows["whole"] == ("placement: cannot be loaded: ModuleNotFoundError: No module named 'none_such_package'")
