from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError
from splitshare.places import DATA
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.describe import describe_catalog
from splitshare.profiling.records import ModuleProfile
from splitshare.profiling.stale import stale_rows
from splitshare.stages import merge_profiles, profile
from tests.modules.small import edit, small_catalogue

HEADS = ["cosine-512@clip-vit-b16", "vqa-classifier@ours-vqa"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], str]:
    """Profiles of two modules, and what was told on standard error while the first was measured."""
    root = tmp_path_factory.mktemp("profile")
    catalog = small_catalogue(root / "data")
    files = [root / "0.json", root / "1.json"]
    with redirect_stderr(StringIO()) as told:
        profile.run(
            profile.Options(
                catalog_root=root / "data",
                output=files[0],
                modules=HEADS[:1],
                budget_s=0.01,
                threads=1,
                device_name="here",
            )
        )
    first = ModuleProfile.read(files[0])
    # Joining and staleness look at names and digests only, so the second profile repeats the first one's times.
    change = {"module": HEADS[1], "definition_sha256": definition_sha256(catalog.module(HEADS[1]))}
    first.model_copy(update={"rows": tuple(row.model_copy(update=change) for row in first.rows)}).write(files[1])
    return files, told.getvalue()


def test_profiles_of_one_device_are_joined_in_the_order_given(measured: Any, tmp_path: Path):
    files, _ = measured
    merge_profiles.run(merge_profiles.Options(profiles=files, output=tmp_path / "all.json"))
    joined = ModuleProfile.read(tmp_path / "all.json")
    assert joined.device.name == "here"
    assert [row.module for row in joined.rows] == [head for head in HEADS for _ in (1, 2, 4, 8)]
    assert joined.rows == tuple(row for file in files for row in ModuleProfile.read(file).rows)


def test_profiles_that_do_not_go_together_are_refused(measured: Any, tmp_path: Path):
    files, _ = measured
    output = tmp_path / "all.json"
    with pytest.raises(InputError, match=r"rows\[0\].*already"):
        merge_profiles.run(merge_profiles.Options(profiles=[files[0], files[0]], output=output))
    other = tmp_path / "other.json"
    other.write_text(files[1].read_text().replace('"here"', '"there"'))
    with pytest.raises(InputError, match=r"other\.json: device: differs"):
        merge_profiles.run(merge_profiles.Options(profiles=[files[0], other], output=output))
    with pytest.raises(InputError, match="none given"):
        merge_profiles.run(merge_profiles.Options(profiles=[], output=output))
    assert not output.exists()


def test_rows_are_stale_once_their_module_is_defined_otherwise(measured: Any, tmp_path: Path):
    files, _ = measured
    small_catalogue(tmp_path)
    merge_profiles.run(merge_profiles.Options(profiles=files, output=tmp_path / "all.json"))
    recorded = ModuleProfile.read(tmp_path / "all.json")
    assert stale_rows(recorded, describe_catalog(load_catalog(tmp_path), HEADS)) == []
    edit(tmp_path, "architectures", lambda c: c["architectures"]["vqa-classifier"]["params"].update(hidden=21))
    stale = stale_rows(recorded, describe_catalog(load_catalog(tmp_path), HEADS))
    assert {row.module for row in stale} == {"vqa-classifier@ours-vqa"}
    assert len(stale) == 4


def test_an_unknown_module_is_told_before_anything_is_measured(tmp_path: Path):
    with pytest.raises(InputError, match="cosine-512@clip-vit-b16"):
        profile.run(profile.Options(catalog_root=DATA, output=tmp_path / "x.json", modules=["cosine-513@clip-vit-b16"]))
    assert not list(tmp_path.iterdir())


def test_progress_is_a_line_a_module_where_nobody_watches(measured: Any):
    _, told = measured
    assert told.count("\n") == 1
    assert HEADS[0] in told
