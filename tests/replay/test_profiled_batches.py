"""Batch curves of a recorded instance, against the profiles' files read plainly; and the command line around them."""

import json
from pathlib import Path

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.placement.instance import PlacementInstance
from splitshare.profiling.read import read_profiles
from splitshare.replay.batching import BatchCurves
from splitshare.replay.profiled_batches import profiled_curves
from splitshare.stages import batch_curves as stage

ROOT = Path(__file__).parents[2]
TYPES = {"laptop": "laptop-i7-12700h", "jetson": "jetson-nano"}
VISION, TEXT = "clip-vit-b16-vision@clip-vit-b16", "clip-text-512-to-512@clip-vit-b16"


@pytest.fixture(scope="module")
def instance() -> PlacementInstance:
    recorded = read_lines(PlacementInstance, ROOT / "data" / "baselines" / "instances" / "s2m3.jsonl")
    return next(i for i in recorded if i.name == "five-tasks.laptop-jetson")


def profile_files() -> list[Path]:
    return [ROOT / "profiles" / f"{name}.json" for name in TYPES.values()]


def test_curves_are_the_profiles_rows(instance: PlacementInstance, tmp_path: Path) -> None:
    instance.write(tmp_path / "instance.json")
    said: list[str] = []
    stage.run(
        stage.Options(
            instance=tmp_path / "instance.json",
            testbed=ROOT / "data" / "testbeds" / "laptop-jetson.yaml",
            profiles=profile_files(),
            catalog_root=ROOT / "data",
            output=tmp_path / "curves.json",
        ),
        echo=said.append,
    )
    curves = BatchCurves.read(tmp_path / "curves.json")
    for device, kind in TYPES.items():
        rows = json.loads((ROOT / "profiles" / f"{kind}.json").read_text())["rows"]
        seconds = {(row["module"], row["batch"]): row.get("compute_median_s") for row in rows}
        for request in ("clip-vit-b16", "vqa-vit-b16", "align-vit-b16", "probe-vit-b16"):
            found = curves.seconds(VISION, device, request, 8)
            assert found == pytest.approx({size: seconds[VISION, size] for size in (1, 2, 4, 8)})
        # A question is one input; the prompts of 101 classes are 101, and nobody has measured 202.
        assert list(curves.seconds(TEXT, device, "vqa-vit-b16", 4)) == [1, 2, 4]
        assert curves.seconds(TEXT, device, "clip-vit-b16", 8) == pytest.approx({1: seconds[TEXT, 101]})
    (line,) = said
    assert TEXT in line
    assert VISION not in line
    shared = next(c for c in curves.curves if c.module == VISION and c.device == "jetson")
    assert shared.provenance == "assumed"
    assert shared.source == "profiles/jetson-nano.json, rows at batch 1, 2, 4, 8"


def test_curves_of_something_else_are_refused(instance: PlacementInstance) -> None:
    catalog, profiles = load_catalog(ROOT / "data"), read_profiles(profile_files())
    testbed = read_testbed(ROOT / "data" / "testbeds" / "laptop-jetson.yaml")
    swapped = dict(zip(profiles, reversed(profiles.values()), strict=True))
    with pytest.raises(InputError, match="was built of another profile of"):
        profiled_curves(instance, testbed, swapped, catalog)
    with pytest.raises(InputError, match="no profile of 'jetson-nano'"):
        profiled_curves(instance, testbed, {k: v for k, v in profiles.items() if k != "jetson-nano"}, catalog)
    renamed = testbed.model_copy(update={"devices": testbed.devices[:1]})
    with pytest.raises(InputError, match=r"laptop-jetson\.yaml: devices: has no 'jetson'"):
        profiled_curves(instance, renamed, profiles, catalog)
    request = instance.requests[0].model_copy(update={"model": "caption-vit-gpt2"})
    other = instance.model_copy(update={"requests": (request,)})
    with pytest.raises(InputError, match=r"requests\.clip-vit-b16\.encoders\[0\]\.module: .* has no such encoder"):
        profiled_curves(other, testbed, profiles, catalog)
