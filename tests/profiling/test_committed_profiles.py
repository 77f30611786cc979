"""The committed profiles: derived ones follow from the data byte for byte, measured ones are whole and current."""

import platform
from pathlib import Path

import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Testbed
from splitshare.catalog.testbeds import read_device
from splitshare.errors import InputError
from splitshare.placement.generate import build_instance
from splitshare.profiling.records import (
    LayerCheck,
    ModuleDescriptions,
    ModuleProfile,
    ProfiledDevice,
    ProfileRow,
)
from splitshare.profiling.stale import stale_rows
from splitshare.stages import derive

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
DEVICES = {path: read_device(path).profile.rule for path in sorted((DATA / "devices").glob("*.yaml"))}
DERIVED = [path for path, rule in DEVICES.items() if not rule.startswith("measured-")]
PROFILES = sorted((ROOT / "profiles").glob("*.json"))
MEASURED = [path for path in PROFILES if path.stem not in {device.stem for device in DERIVED}]


@pytest.fixture(scope="module")
def modules(descriptions, tmp_path_factory):
    path = tmp_path_factory.mktemp("descriptions") / "modules.json"
    descriptions.write(path)
    return path


@pytest.mark.parametrize("device", DERIVED, ids=lambda path: path.stem)
def test_the_committed_profile_is_derived_anew(device, modules, tmp_path):
    output = tmp_path / f"{device.stem}.json"
    derive.run(derive.Options(device=device, modules=modules, catalog_root=DATA, output=output))
    assert output.read_bytes() == (ROOT / "profiles" / output.name).read_bytes(), "run `splitshare derive`"


def require_kept(profile: ModuleProfile, descriptions: ModuleDescriptions) -> None:
    """What a measured profile must be to be kept."""
    wanted = {(module.module, work.batch, None) for module in descriptions.modules for work in module.work}
    assert profile.by_key.keys() == wanted, "run `make record-machine-profile` again: the catalogue has changed"
    assert not stale_rows(profile, descriptions), "run `make record-machine-profile` again: modules have changed"
    assert {row.provenance for row in profile.rows} == {"measured"}
    device = profile.device
    assert device.cpu
    assert device.threads
    assert {"torch", "transformers"} <= device.versions.keys()
    for row in profile.rows:
        assert (row.compute_median_s is None) is (row.reason is not None), "what has no time says why"
        assert row.runnable or row.compute_median_s is None
        if row.method == "whole" and row.compute_median_s is not None:
            assert row.compute_p10_s is not None
            assert row.compute_p90_s is not None
            assert row.compute_p10_s <= row.compute_median_s <= row.compute_p90_s
    decoders = {module.module for module in descriptions.modules if module.kind == "decoder"}
    for row in profile.rows:
        if row.module in decoders and row.compute_median_s is not None:
            assert row.prefill_s is not None
            assert row.per_token_s is not None
    whole = {r.module for r in profile.rows if r.module in decoders and r.method == "whole" and r.compute_median_s}
    assert {check.module for check in profile.layer_checks} == whole, "the layer method's error is told"


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_a_measured_profile_is_whole_and_current(path, descriptions):
    profile = ModuleProfile.read(path)
    assert profile.device.name == path.stem
    assert platform.node() not in path.read_text()
    require_kept(profile, descriptions)
    require_usable(profile, descriptions)


def require_usable(profile: ModuleProfile, descriptions: ModuleDescriptions) -> None:
    """Every workload can be asked of a testbed that names the device beside a committed one.

    But for those with a module that runs there and has no times yet: they are refused, by its name.
    """
    catalog = load_catalog(DATA)
    nano = ModuleProfile.read(ROOT / "profiles" / "jetson-nano.json")
    value = {
        "schema": "splitshare.testbed/1",
        "name": "pair",
        "title": "The measured machine and a small device",
        "devices": [{"name": "one", "device_type": profile.device.name}, {"name": "two", "device_type": "jetson-nano"}],
        "links": [{"a": "one", "b": "two", "latency_s": 0.001, "bandwidth_bytes_per_s": 1e7}],
        "source": "two",
    }
    profiles = {profile.device.name: profile, "jetson-nano": nano}
    untimed = {row.module for row in profile.rows if row.batch == 1 and row.runnable and row.compute_median_s is None}
    for workload in catalog.workloads.values():
        heads = {catalog.models[model].head.module for model in workload.models}
        if heads & untimed:
            with pytest.raises(InputError, match=f"{min(heads & untimed)} at batch 1 is runnable but has no"):
                build_instance(catalog, workload, Testbed.parse(value, "pair"), profiles, descriptions)
            continue
        instance = build_instance(catalog, workload, Testbed.parse(value, "pair"), profiles, descriptions)
        for module in instance.modules:
            row = profile.by_key[module.name, 1, None]
            seconds = module.compute_s["one"]
            assert (seconds is None) is (not row.runnable)
            if seconds is not None:
                assert seconds == pytest.approx(row.compute_median_s)


@pytest.fixture
def made_up(descriptions) -> ModuleProfile:
    """A profile of all modules as a measuring machine writes it, with made-up times; the 7B decoder does not fit."""
    catalog = load_catalog(DATA)
    rows = []
    for module in descriptions.modules:
        for work in module.work:
            times: dict[str, object] = {"compute_median_s": 0.5, "compute_p10_s": 0.4, "compute_p90_s": 0.6, "runs": 3}
            if module.kind == "decoder":
                times |= {"prefill_s": 0.12, "per_token_s": 0.02}
            if module.parameter_bytes > 1e10:
                times = {"runnable": False, "reason": "needs about 15 GB of memory, 8 GB are available"}
            elif work.batch not in {1} | catalog.module(module.module).asked_batches:
                times = {"reason": "not measured: a run would take too long, and no request asks for it"}
            row = ProfileRow(
                module=module.module,
                batch=work.batch,
                provenance="measured",
                source="made up",
                definition_sha256=module.definition_sha256,
                parameter_bytes=module.parameter_bytes,
                output_bytes=work.output_bytes,
            )
            rows.append(row.model_copy(update=times))
    check = LayerCheck(
        module="gpt2-decoder@vit-gpt2",
        batch=1,
        part="request",
        layers=12,
        measured_layers=(1, 3),
        whole_s=0.5,
        by_layers_s=0.6,
    )
    return ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=ProfiledDevice(
            name="made-up", cpu="made up", threads=2, memory_bytes=8e9, versions={"torch": "2", "transformers": "5"}
        ),
        layer_checks=(check,),
        rows=tuple(rows),
    )


def test_a_profile_taken_whole_is_kept_and_can_stand_in_a_testbed(made_up, descriptions, tmp_path):
    made_up.write(tmp_path / "made-up.json")
    profile = ModuleProfile.read(tmp_path / "made-up.json")
    require_kept(profile, descriptions)
    require_usable(profile, descriptions)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p: {"rows": p.rows[1:]}, "the catalogue has changed"),
        (
            lambda p: {"rows": (p.rows[0].model_copy(update={"definition_sha256": "0" * 64}), *p.rows[1:])},
            "modules have changed",
        ),
        (lambda p: {"rows": (p.rows[0].model_copy(update={"compute_median_s": None}), *p.rows[1:])}, "says why"),
        (lambda p: {"layer_checks": ()}, "error is told"),
    ],
)
def test_a_profile_that_is_not_whole_or_not_current_is_not_kept(made_up, descriptions, change, complaint):
    with pytest.raises(AssertionError, match=complaint):
        require_kept(made_up.model_copy(update=change(made_up)), descriptions)
