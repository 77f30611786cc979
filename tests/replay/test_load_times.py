"""Seconds of loading of a recorded instance, against the profiles' files read plainly; and the command around them."""

import json
from pathlib import Path

import pytest

from splitshare.catalog.testbeds import read_testbed
from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.read import read_profiles
from splitshare.replay.serving.files import read_load_times
from splitshare.replay.serving.profiled import profiled_load_times
from splitshare.stages import load_times as stage

ROOT = Path(__file__).parents[2]
TESTBED = ROOT / "data" / "testbeds" / "laptop-jetson.yaml"
MEASURED = ROOT / "profiles" / "amd-epyc-2-threads.json"
DERIVED = [ROOT / "profiles" / f"{name}.json" for name in ("laptop-i7-12700h", "jetson-nano")]


@pytest.fixture(scope="module")
def instance() -> PlacementInstance:
    recorded = read_lines(PlacementInstance, ROOT / "data" / "baselines" / "instances" / "s2m3.jsonl")
    return next(i for i in recorded if i.name == "five-tasks.laptop-jetson")


def test_what_was_measured_is_taken_and_the_rest_assumed(instance: PlacementInstance) -> None:
    profiles = read_profiles([MEASURED, DERIVED[1]])
    as_laptop = {"laptop-i7-12700h": profiles["amd-epyc-2-threads"], "jetson-nano": profiles["jetson-nano"]}
    table = profiled_load_times(instance, read_testbed(TESTBED), as_laptop, 1e8)
    rows = json.loads(MEASURED.read_text())["rows"]
    measured = {row["module"]: row["load_s"] for row in rows if row["batch"] == 1 and "load_s" in row}
    laptop, jetson = (table[table["device"] == name] for name in ("laptop", "jetson"))
    assert set(laptop["module"]) == {module.name for module in instance.modules}
    assert laptop["load_s"].tolist() == [measured[name] for name in laptop["module"]]
    assert set(laptop["source"]) == {"measured: profiles/amd-epyc-2-threads.json"}
    sizes = [instance.modules_by_name[name].memory_bytes for name in jetson["module"]]
    assert jetson["load_s"].tolist() == [size / 1e8 for size in sizes]
    assert jetson["source"].str.startswith("assumed: ").all()


def test_nothing_is_assumed_unless_it_is_said(instance: PlacementInstance, tmp_path: Path) -> None:
    instance.write(tmp_path / "instance.json")
    said: list[str] = []

    def run(bytes_per_s: float | None) -> None:
        asked = stage.Options(
            instance=tmp_path / "instance.json",
            testbed=TESTBED,
            profiles=DERIVED,
            output=tmp_path / "loads.csv",
            bytes_per_s=bytes_per_s,
        )
        stage.run(asked, echo=said.append)

    with pytest.raises(InputError, match="only what was measured has them; assume --bytes-per-s"):
        run(None)
    assert not (tmp_path / "loads.csv").exists()
    run(2e8)
    read = read_load_times(tmp_path / "loads.csv", instance)
    assert said == [f"0 of {len(read)} measured, the others assumed"]
    name = instance.modules[0].name
    assert read["jetson", name] == pytest.approx(instance.modules[0].memory_bytes / 2e8)
