import shutil
from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.profiling.records import ModuleProfile
from splitshare.stages import derive
from tests.placement.tiny_catalogue import DESCRIPTIONS, write_catalogue

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def files(tmp_path, descriptions):
    write_catalogue(tmp_path)
    for folder in ("published", "devices"):
        shutil.copytree(DATA / folder, tmp_path / folder)
    descriptions.write(tmp_path / "measured.json")
    DESCRIPTIONS.write(tmp_path / "modules.json")
    return {
        "device": DATA / "devices" / "jetson-nano.yaml",
        "modules": tmp_path / "modules.json",
        "measured_modules": tmp_path / "measured.json",
        "catalog_root": tmp_path,
        "output": tmp_path / "profiles" / "jetson-nano.json",
    }


def test_a_row_for_every_module_and_batch(files):
    derive.run(derive.Options(**files))
    made = ModuleProfile.read(files["output"])
    assert made.device.name == "jetson-nano"
    assert set(made.by_key) == {(m.module, w.batch, None) for m in DESCRIPTIONS.modules for w in m.work}
    assert all(row.definition_sha256 == "d" * 64 for row in made.rows)


def test_a_match_comes_from_the_catalogue(files):
    """``see`` is matched with a tower of other size in the catalogue: the laptop's rule reads and refuses it."""
    path = files["catalog_root"] / "catalogue" / "architectures.yaml"
    path.write_text(
        path.read_text().replace("kind: vision-encoder", "kind: vision-encoder\n    published: resnet50_clip")
    )
    with pytest.raises(InputError, match=r"architectures.see.published: 'resnet50_clip' has 38.32 M parameters"):
        derive.run(derive.Options(**files | {"device": DATA / "devices" / "laptop-i7-12700h.yaml"}))
    assert not files["output"].exists()


@pytest.mark.parametrize("argument", ["device", "modules", "measured_modules", "catalog_root"])
def test_a_missing_file_is_told(files, tmp_path, argument):
    with pytest.raises(InputError, match="no such file"):
        derive.run(derive.Options(**files | {argument: tmp_path / "nowhere.yaml"}))


def test_a_device_file_is_called_by_its_device(files, tmp_path):
    renamed = tmp_path / "nano.yaml"
    renamed.write_text(files["device"].read_text())
    with pytest.raises(InputError, match=r"nano.yaml: name: is 'jetson-nano', but the file is called nano.yaml"):
        derive.run(derive.Options(**files | {"device": renamed}))


def test_descriptions_with_a_misspelt_key_are_refused(files):
    path = files["modules"]
    path.write_text(path.read_text().replace('"flops"', '"flop"', 1))
    with pytest.raises(InputError, match=r"modules\[0\].work\[0\].flop: unknown key; did you mean 'flops'"):
        derive.run(derive.Options(**files))


def test_modules_that_nobody_measured_need_those_that_were(files):
    with pytest.raises(InputError, match=r"nvidia-h100-80gb-hbm3.json: rows: none is of a described module"):
        derive.run(derive.Options(**files | {"measured_modules": None, "catalog_root": DATA}))


def test_a_device_that_was_measured_is_not_derived(files):
    with pytest.raises(InputError, match="the device was measured"):
        derive.run(derive.Options(**files | {"device": DATA / "devices" / "amd-epyc-2-threads.yaml"}))
