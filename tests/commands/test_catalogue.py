"""`splitshare catalogue` as a person runs it, and what takes its catalogue."""

from pathlib import Path

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import device_file, published_towers_file
from splitshare.errors import WorkError
from splitshare.modules.whole import whole_class
from splitshare.places import DATA
from splitshare.profiling.describe import describe_catalog
from splitshare.profiling.records import ModuleDescriptions
from splitshare.stages import catalogue
from tests.benchmarks.hub.server import REVISION, Repository, serve
from tests.checkpoints.tiny import build, save
from tests.commands.test_shared import run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {name: save(build(name), root / name) for name in ("vit", "whisper", "vilt")}


def test_a_model_of_the_hub_is_described_from_its_pinned_commit(folders, tmp_path):
    with serve({"owner/vit": Repository({path.name: path.read_bytes() for path in folders["vit"].iterdir()})}) as hub:
        there = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf-home"), "HF_HUB_OFFLINE": "0"}
        written = run(tmp_path, "catalogue", "owner/vit", "-o", "models", **there)
        assert written.returncode == 0, written.stderr
        assert "owner-vit: equal bit for bit to the whole" in written.stdout
    assert f"owner/vit@{REVISION}" in (tmp_path / "models/catalogue/checkpoints.yaml").read_text()
    offline = {"HF_HOME": str(tmp_path / "hf-home"), "HF_HUB_OFFLINE": "1"}
    described = run(tmp_path, "describe", "--data", "models", "-o", "modules.json", **offline)
    assert described.returncode == 0, described.stderr
    modules = ModuleDescriptions.read(tmp_path / "modules.json").modules
    assert sum(module.parameters for module in modules) == sum(p.numel() for p in build("vit").parameters())


def test_what_is_wrong_is_one_line_and_nothing_is_written(folders, tmp_path):
    for models, code, told in (
        (["nowhere"], 2, "nowhere: is no folder with a model"),
        (["../nowhere"], 2, "is no folder with a model"),
        ([str(folders["vit"]), str(folders["vilt"])], 1, "vilt cannot be split"),
    ):
        refused = run(tmp_path, "catalogue", *models, "-o", "models")
        assert (refused.returncode, refused.stderr.count("\n")) == (code, 1), refused.stderr
        assert told in refused.stderr
        assert not (tmp_path / "models").exists()


def test_items_that_a_model_is_not_made_for_are_told(folders, tmp_path):
    catalogue.run(catalogue.Options([str(folders["vit"])], tmp_path / "models", cache=tmp_path / "digests"))
    path = tmp_path / "models" / "catalogue" / "models.yaml"
    path.write_text(path.read_text().replace("role: vision,", "role: vision, items: 2,"))
    with pytest.raises(WorkError, match="the model takes 1 of vision with a request, and the catalogue says 2"):
        describe_catalog(load_catalog(tmp_path / "models"))


def test_other_commands_say_that_it_is_a_checkpoint(folders, tmp_path):
    catalogue.run(catalogue.Options([str(folders["whisper"])], tmp_path / "models", cache=tmp_path / "digests"))
    catalog = load_catalog(tmp_path / "models")
    with pytest.raises(WorkError, match="whisper is a checkpoint; `splitshare catalogue` holds its modules"):
        whole_class(catalog, catalog.model("whisper"))


def test_devices_and_published_figures_are_the_programs_where_a_data_root_has_none(tmp_path):
    assert device_file(tmp_path, "jetson-nano") == DATA / "devices" / "jetson-nano.yaml"
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "jetson-nano.yaml").touch()
    assert device_file(tmp_path, "jetson-nano") == tmp_path / "devices" / "jetson-nano.yaml"
    assert published_towers_file(tmp_path).is_file()
