"""A machine's profile is kept under a name of its hardware, taken while nothing else runs."""

import platform
from pathlib import Path

import pytest

from splitshare.errors import InputError, WorkError
from splitshare.profiling.records import ModuleProfile
from splitshare.stages import record_profile
from tests.modules.small import small_catalogue

HEAD = "cosine-512@clip-vit-b16"


def test_a_profile_is_kept_under_the_name_of_the_hardware(tmp_path: Path):
    small_catalogue(tmp_path / "data")
    path = record_profile.run(
        record_profile.Options(
            catalog_root=tmp_path / "data",
            output=tmp_path / "profiles",
            modules=[HEAD],
            budget_s=0.01,
            threads=1,
            busiest_share=1.0,
        )
    )
    profile = ModuleProfile.read(path)
    assert path == tmp_path / "profiles" / f"{profile.device.name}.json"
    assert profile.device.name.endswith("-1-threads")
    assert {(row.module, row.provenance) for row in profile.rows} == {(HEAD, "measured")}
    assert platform.node() not in path.read_text()


def test_a_busy_machine_is_not_measured(tmp_path: Path):
    small_catalogue(tmp_path / "data")
    with pytest.raises(WorkError, match=r"other work takes .* of the processors"):
        record_profile.run(
            record_profile.Options(catalog_root=tmp_path / "data", output=tmp_path, modules=[HEAD], busiest_share=-1.0)
        )
    assert not list(tmp_path.glob("*.json"))


def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path):
    small_catalogue(tmp_path / "data")
    with pytest.raises(InputError, match="--device-name: name"):
        record_profile.run(
            record_profile.Options(
                catalog_root=tmp_path / "data",
                output=tmp_path,
                device_name="my machine",
                modules=[HEAD],
                busiest_share=1.0,
            )
        )
    assert not list(tmp_path.glob("*.json"))
