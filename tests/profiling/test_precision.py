"""Floating point types of modules: described, measured, derived, kept in a profile."""

from dataclasses import replace
from pathlib import Path

import pytest

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.errors import InputError
from splitshare.profiling.definition import definition_sha256
from splitshare.profiling.describe import describe_catalog
from splitshare.profiling.measure import MeasuringSettings, measure_module
from splitshare.profiling.records import ModuleProfile
from splitshare.results.memory import module_bytes
from splitshare.stages import merge_profiles, record_profile
from tests.modules.small import small_catalogue

HEAD = "cosine-512@clip-vit-b16"


@pytest.fixture
def small(tmp_path: Path) -> Catalog:
    return small_catalogue(tmp_path / "data")


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_the_bytes_and_as_many_operations(small, precision):
    own, half = describe_catalog(small), describe_catalog(small, precision=precision)
    assert (own.precision, half.precision) == (None, precision)
    for before, after in zip(own.modules, half.modules, strict=True):
        assert after.dtype == precision
        assert 2 * after.parameter_bytes == before.parameter_bytes
        assert after.definition_sha256 == before.definition_sha256, "the type is told beside it"
        for a, b in zip(after.work, before.work, strict=True):
            assert (a.flops, a.weight_passes) == (b.flops, b.weight_passes)
            if before.kind.endswith("encoder"):
                assert 2 * a.output_bytes == b.output_bytes


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
def test_bytes_by_precision_are_those_of_modules_built_in_it(descriptions, precision):
    catalog = load_catalog()
    names = ["vicuna-7b@llava-1.5-7b", "clip-vit-b16-vision@clip-vit-b16", "vqa-classifier@ours-vqa"]
    names = [name for name in names if name in descriptions.by_name]
    assert len(names) >= 2
    for module in describe_catalog(catalog, names, precision).modules:
        assert module_bytes(descriptions.by_name[module.module], precision) == module.parameter_bytes
        assert module_bytes(module, None) == module.parameter_bytes


def test_a_module_is_measured_in_it(small, tmp_path):
    settings = MeasuringSettings(budget_s=0.01, threads=1, precision="bfloat16")
    measured = measure_module(tmp_path / "data", HEAD, settings)
    digest = definition_sha256(small.module(HEAD))
    assert {(r.precision, r.definition_sha256, r.runnable) for r in measured.rows} == {("bfloat16", digest, True)}


def recorded(tmp_path: Path, **changes) -> ModuleProfile:
    options = record_profile.Options(
        catalog_root=tmp_path / "data",
        output=tmp_path / "profiles",
        modules=[HEAD],
        budget_s=0.01,
        threads=1,
        busiest_share=1.0,
    )
    return ModuleProfile.read(record_profile.run(replace(options, **changes)))


def test_a_kept_profile_keeps_its_rows_at_other_precisions(small, tmp_path):
    own = recorded(tmp_path)
    both = recorded(tmp_path, precision="float16")
    assert both.at_precision(None) == own.rows
    half = both.at_precision("float16")
    assert {(r.module, r.batch) for r in half} == {(r.module, r.batch) for r in own.rows}
    anew = recorded(tmp_path)
    assert anew.at_precision("float16") == half
    assert anew.at_precision(None) != own.rows
    assert len(anew.rows) == 2 * len(own.rows)

    path = tmp_path / "profiles" / f"{both.device.name}.json"
    both.model_copy(update={"device": both.device.model_copy(update={"versions": {"torch": "1"}})}).write(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="rows at other precisions would be lost; write elsewhere"):
        recorded(tmp_path)
    assert path.read_bytes() == before


def test_rows_of_other_threads_are_not_mixed(small, tmp_path):
    recorded(tmp_path, device_name="mine", precision="float16")
    with pytest.raises(InputError, match="has other threads"):
        recorded(tmp_path, device_name="mine", threads=2)


def test_profiles_at_two_precisions_are_joined_and_one_twice_is_not(small, tmp_path):
    rows = measure_module(tmp_path / "data", HEAD, MeasuringSettings(budget_s=0.01, threads=1)).rows

    def at(precision):
        fields = {
            "schema": "splitshare.module-profile/1",
            "device": {"name": "here", "memory_bytes": 1e9},
            "rows": [r.model_dump() | {"precision": precision} for r in rows],
        }
        path = tmp_path / f"{precision}.json"
        ModuleProfile.parse(fields, path).write(path)
        return path

    own, half = at(None), at("float16")
    merge_profiles.run(merge_profiles.Options(profiles=[own, half], output=tmp_path / "both.json"))
    both = ModuleProfile.read(tmp_path / "both.json")
    assert {row.precision for row in both.rows} == {None, "float16"}
    assert both.by_key[HEAD, 1, "float16"] == both.at_precision("float16")[0]
    with pytest.raises(InputError, match=rf"rows\[0\]: {HEAD} at batch 1 in float16 is there already"):
        merge_profiles.run(merge_profiles.Options(profiles=[half, half], output=tmp_path / "twice.json"))
