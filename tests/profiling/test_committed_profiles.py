"""The committed profiles of devices that nobody measured follow from the data by the rules, byte for byte."""

from pathlib import Path

import pytest

from splitshare.commands import derive

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture(scope="module")
def modules(descriptions, tmp_path_factory):
    path = tmp_path_factory.mktemp("descriptions") / "modules.json"
    descriptions.write(path)
    return path


@pytest.mark.parametrize("device", sorted((DATA / "devices").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_committed_profile_is_derived_anew(device, modules, tmp_path):
    output = tmp_path / f"{device.stem}.json"
    derive.run(device=device, modules=modules, catalog_root=DATA, output=output)
    assert output.read_bytes() == (ROOT / "profiles" / output.name).read_bytes(), "run `splitshare derive`"
