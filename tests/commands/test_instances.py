import logging

import pytest
import yaml

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.stages import instances
from tests.placement.tiny_catalogue import DESCRIPTIONS, profile, write_catalogue

TESTBED = {
    "schema": "splitshare.testbed/1",
    "name": "alone",
    "title": "Alone",
    "devices": [{"name": "pc", "device_type": "big"}],
    "links": [],
    "source": "pc",
}


@pytest.fixture
def files(tmp_path):
    """The arguments of a run over files on disk; everything is described, profiled and right."""
    write_catalogue(tmp_path / "data")
    DESCRIPTIONS.write(tmp_path / "modules.json")
    big = profile("big", see=0.1, read=0.2, match=0.01, answer=0.02, read_3=0.6, memory_bytes=1000)
    big.write(tmp_path / "big.json")
    (tmp_path / "alone.yaml").write_text(yaml.safe_dump(TESTBED))
    return {
        "catalog_root": tmp_path / "data",
        "descriptions": tmp_path / "modules.json",
        "profiles": [tmp_path / "big.json"],
        "workloads": ["talk", "both"],
        "testbeds": [tmp_path / "alone.yaml"],
        "output_dir": tmp_path / "out",
    }


def written(files):
    return sorted(path.name for path in files["output_dir"].glob("*")) if files["output_dir"].exists() else []


def test_one_file_an_instance(files):
    made = instances.run(instances.Options(**files))
    assert [i.name for i in made] == ["talk.alone", "both.alone"]
    assert written(files) == ["both.alone.json", "talk.alone.json"]
    assert PlacementInstance.read(files["output_dir"] / "both.alone.json") == made[1]


def test_a_second_run_writes_the_same_bytes(files):
    instances.run(instances.Options(**files))
    before = {path: path.read_bytes() for path in files["output_dir"].glob("*")}
    instances.run(instances.Options(**files))
    assert before == {path: path.read_bytes() for path in files["output_dir"].glob("*")}


def test_no_workload_named_means_all(files):
    assert [i.name for i in instances.run(instances.Options(**files | {"workloads": []}))] == [
        "both.alone",
        "talk.alone",
    ]


def test_an_unknown_workload_names_the_nearest_and_writes_nothing(files):
    with pytest.raises(InputError, match="no workload 'talks'; did you mean 'talk'"):
        instances.run(instances.Options(**files | {"workloads": ["both", "talks"]}))
    assert written(files) == []


def test_a_profile_is_called_by_its_device(files, tmp_path):
    (tmp_path / "large.json").write_text((tmp_path / "big.json").read_text())
    with pytest.raises(InputError, match=r"large.json: device.name: is 'big', but the file is called large.json"):
        instances.run(instances.Options(**files | {"profiles": [tmp_path / "large.json"]}))


def test_two_profiles_of_one_device_are_refused(files, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "big.json").write_text((tmp_path / "big.json").read_text())
    with pytest.raises(InputError, match="'big' has two profiles"):
        instances.run(
            instances.Options(**files | {"profiles": [tmp_path / "big.json", tmp_path / "other" / "big.json"]})
        )


def test_a_missing_profile_names_the_testbed_file(files):
    with pytest.raises(InputError, match=r"alone.yaml: devices\[0\].device_type: no profile of 'big'"):
        instances.run(instances.Options(**files | {"profiles": []}))


@pytest.mark.filterwarnings("error")
def test_a_stale_profile_is_told_once_a_module(files, tmp_path, caplog):
    path = tmp_path / "big.json"
    path.write_text(path.read_text().replace("d" * 64, "e" * 64))
    with caplog.at_level(logging.WARNING):
        made = instances.run(instances.Options(**files))
    assert len(made) == 2
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 4
    assert told[0].startswith("profiles/big.json: see@w has changed since this profile was made; remeasure it")
