import copy
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.records import Testbed, Workload
from splitshare.catalog.testbeds import read_testbed
from splitshare.errors import InputError
from splitshare.files import canonical_json, sha256_bytes
from splitshare.placement.generate import StaleProfileWarning, build_instance, stale_rows, with_precision
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pinned import digests
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile
from tests.placement.tiny_catalogue import DESCRIPTIONS, profile, write_catalogue

DATA = Path(__file__).parents[2] / "data"

TESTBED = Testbed.parse(
    {
        "schema": "splitshare.testbed/1",
        "name": "home",
        "title": "Home",
        "devices": [
            {"name": "pc", "device_type": "big", "models_memory_bytes": 900},
            {"name": "pi", "device_type": "small"},
        ],
        "links": [{"a": "pc", "b": "pi", "latency_s": 0.5, "bandwidth_bytes_per_s": 10, "cell": "air"}],
        "source": "pi",
    },
    "home.yaml",
)

BIG = profile("big", see=0.1, read=0.2, match=0.01, answer=0.02, read_3=0.6, memory_bytes=1000)
SMALL = profile("small", see=1.0, read=2.0, match=0.1, answer=0.2, read_3=None, memory_bytes=500)

EXPECTED: dict[str, Any] = {
    "schema": "splitshare.placement-instance/1",
    "name": "both.home",
    "origin": {"workload": "both", "testbed": "home"},
    "objective": "mean",
    "devices": [{"name": "pc", "memory_bytes": 900}, {"name": "pi", "memory_bytes": 350}],
    "links": [{"a": "pc", "b": "pi", "latency_s": 0.5, "bandwidth_bytes_per_s": 10, "cell": "air"}],
    "modules": [
        {
            "name": "see@w",
            "kind": "vision-encoder",
            "memory_bytes": 400,
            "output_bytes": 8,
            "compute_s": {"pc": 0.1, "pi": 1.0},
        },
        {
            "name": "read@w",
            "kind": "text-encoder",
            "memory_bytes": 80,
            "output_bytes": 8,
            "compute_s": {"pc": 0.2, "pi": 2.0},
        },
        {
            "name": "match@w",
            "kind": "head",
            "memory_bytes": 4,
            "output_bytes": 12,
            "compute_s": {"pc": 0.01, "pi": 0.1},
        },
        {
            "name": "answer@w",
            "kind": "head",
            "memory_bytes": 40,
            "output_bytes": 20,
            "compute_s": {"pc": 0.02, "pi": 0.2},
        },
    ],
    "requests": [
        {
            "name": "finder",
            "task": "find",
            "model": "finder",
            "source": "pi",
            "rate_per_s": 1,
            "encoders": [
                {"module": "see@w", "input_bytes": 600},
                {
                    "module": "read@w",
                    "input_bytes": 90,
                    "output_bytes": 24,
                    "compute_s": {"pc": 0.6, "pi": None},
                },
            ],
            "head": "match@w",
            "result_bytes": 12,
        },
        {
            "name": "talker",
            "task": "ask",
            "model": "talker",
            "source": "pi",
            "rate_per_s": 1,
            "encoders": [{"module": "see@w", "input_bytes": 600}, {"module": "read@w", "input_bytes": 30}],
            "head": "answer@w",
            "result_bytes": 20,
        },
    ],
}


@pytest.fixture
def catalog(tmp_path) -> Catalog:
    write_catalogue(tmp_path)
    return load_catalog(tmp_path)


def build(catalog: Catalog, *, big=BIG, small=SMALL, descriptions=DESCRIPTIONS, **options) -> PlacementInstance:
    profiles = {"big": big, "small": small}
    return build_instance(catalog, catalog.workload("both"), TESTBED, profiles, descriptions, **options)


def test_the_instance_is_the_one_written_by_hand(catalog):
    assert build(catalog) == PlacementInstance.parse(EXPECTED, "by hand")


def test_the_objective_can_be_the_largest_latency(catalog):
    assert build(catalog, objective="max").objective == "max"


def test_cached_prompts_are_encoders_that_requests_do_without(catalog):
    """The finder's text tower is not asked; it stays for the talker, whose question is not known beforehand."""
    expected = copy.deepcopy(EXPECTED)
    del expected["requests"][0]["encoders"][1]
    assert build(catalog, cached_prompts=True) == PlacementInstance.parse(expected, "by hand")


def test_a_tower_that_only_encodes_prompts_is_not_placed_where_they_are_cached(catalog):
    profiles = {"big": BIG, "small": SMALL}
    finder = Workload(name="find", title="Find", models=("finder",))
    instance = build_instance(catalog, finder, TESTBED, profiles, DESCRIPTIONS, cached_prompts=True)
    assert [m.name for m in instance.modules] == ["see@w", "match@w"]


def test_a_model_of_prompts_alone_keeps_them(catalog):
    """A request without encoders would be no request."""
    models = {
        name: model.model_copy(
            update={"encoders": tuple(e for e in model.encoders if e.items == "classes") or model.encoders}
        )
        for name, model in catalog.models.items()
    }
    reading = replace(catalog, models=models)
    instance = build(reading, cached_prompts=True)
    assert [[e.module for e in r.encoders] for r in instance.requests] == [["read@w"], ["see@w", "read@w"]]


def test_seconds_have_nine_significant_digits(catalog):
    noisy = profile("big", see=0.1234567891234, read=0.2, match=0.01, answer=0.02, read_3=0.6, memory_bytes=1000)
    assert build(catalog, big=noisy).modules[0].compute_s["pc"] == 0.123456789


def with_rows(full: ModuleProfile, rows) -> ModuleProfile:
    """A new record: ``model_copy`` would keep the look-up table of the old rows."""
    return ModuleProfile(schema_=full.schema_, device=full.device, rows=tuple(rows))


def without(full: ModuleProfile, module: str, batch: int) -> ModuleProfile:
    return with_rows(full, (r for r in full.rows if (r.module, r.batch) != (module, batch)))


@pytest.mark.parametrize(
    ("provenance", "mend"),
    [
        ("measured", "remeasure it with `splitshare profile`"),
        ("assumed", "derive it anew with `splitshare derive data/devices/small.yaml`"),
    ],
)
def test_a_missing_row_names_profile_module_and_command(catalog, provenance, mend):
    rows = tuple(r.model_copy(update={"provenance": provenance}) for r in SMALL.rows)
    small = without(with_rows(SMALL, rows), "read@w", 3)
    with pytest.raises(InputError) as caught:
        build(catalog, small=small)
    assert str(caught.value) == f"profiles/small.json: rows: no row of read@w at batch 3; {mend}"


def test_a_runnable_row_needs_its_time(catalog):
    rows = tuple(r.model_copy(update={"compute_median_s": None}) for r in BIG.rows)
    with pytest.raises(InputError, match=r"profiles/big.json: rows: see@w at batch 1 is runnable but has no compute"):
        build(catalog, big=with_rows(BIG, rows))


def test_a_module_that_is_not_described_names_the_command(catalog):
    few = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=DESCRIPTIONS.modules[:1])
    with pytest.raises(InputError, match="no 'read@w'; describe the catalogue anew with `splitshare describe`"):
        build(catalog, descriptions=few)


def test_a_batch_that_is_not_described_names_the_command(catalog):
    one = tuple(m.model_copy(update={"work": m.work[:1]}) for m in DESCRIPTIONS.modules)
    with pytest.raises(InputError, match="read@w: not described at batch 3; describe"):
        build(catalog, descriptions=ModuleDescriptions(schema_=DESCRIPTIONS.schema_, modules=one))


def test_a_device_without_profile_is_refused(catalog):
    with pytest.raises(InputError, match=r"home.yaml: devices\[1\].device_type: no profile of 'small'"):
        build_instance(catalog, catalog.workload("both"), TESTBED, {"big": BIG}, DESCRIPTIONS)


def test_a_stale_profile_warns_and_is_used(catalog):
    rows = tuple(
        r.model_copy(update={"definition_sha256": "e" * 64}) if (r.module, r.batch) == ("read@w", 1) else r
        for r in BIG.rows
    )
    old = with_rows(BIG, rows)
    with pytest.warns(StaleProfileWarning, match=r"profiles/big.json: read@w has changed since") as caught:
        instance = build(catalog, big=old)
    assert len(caught) == 1
    assert instance == build(catalog)
    workloads = [catalog.workload("both"), catalog.workload("both")]
    assert len(stale_rows(catalog, workloads, [TESTBED, TESTBED], {"big": old, "small": SMALL}, DESCRIPTIONS)) == 1


def test_digests_are_those_of_the_files_but_for_their_origin(catalog, tmp_path):
    instance = build(catalog)
    instance.write(tmp_path / "x.json")
    said = json.loads((tmp_path / "x.json").read_text())
    assert said.pop("origin") == {"workload": "both", "testbed": "home"}
    assert digests([instance]) == {"both.home": sha256_bytes(canonical_json(said).encode())}
    assert PlacementInstance.read(tmp_path / "x.json").sha256() == instance.sha256()


@pytest.mark.parametrize("testbed", ["laptop-jetson", "desktop-laptop-two-jetsons"])
def test_memory_is_enough_for_every_workload_and_tight_on_the_jetson(testbed, descriptions):
    """By brute force over the large modules; the heads fit beside them wherever they stand."""
    catalog = load_catalog(DATA)
    sizes = {m.module: m.parameter_bytes for m in descriptions.modules}
    memory = [d.models_memory_bytes or 0 for d in read_testbed(DATA / "testbeds" / f"{testbed}.yaml").devices]
    for workload in catalog.workloads.values():
        needed = [sizes[name] for name in catalog.modules(workload.models)]
        large = [size for size in needed if size > 5e7]
        heads = sum(needed) - sum(large)
        assert any(
            all(
                sum(size for size, at in zip(large, hosts, strict=True) if at == n) + heads <= memory[n]
                for n in set(hosts)
            )
            for hosts in itertools.product(range(len(memory)), repeat=len(large))
        ), workload.name
    assert sum(sizes[name] for name in catalog.modules(["align-vit-b16"])) > min(memory)


HALF_ROWS = {"see@w": 150, "read@w": 40, "match@w": 2, "answer@w": 20}


def in_half(full: ModuleProfile) -> ModuleProfile:
    """The profile with rows in float16 beside its own: a quarter of the time, sizes of their own."""
    rows = [
        r.model_copy(
            update={
                "precision": "float16",
                "compute_median_s": None if r.compute_median_s is None else r.compute_median_s / 4,
                "parameter_bytes": HALF_ROWS[r.module],
            }
        )
        for r in full.rows
    ]
    return with_rows(full, (*full.rows, *rows))


def at(testbed: Testbed, **precisions) -> Testbed:
    devices = tuple(d.model_copy(update={"precision": precisions.get(d.name)}) for d in testbed.devices)
    return testbed.model_copy(update={"devices": devices})


def build_at(catalog: Catalog, testbed: Testbed) -> PlacementInstance:
    profiles = {"big": in_half(BIG), "small": in_half(SMALL)}
    return build_instance(catalog, catalog.workload("both"), testbed, profiles, DESCRIPTIONS)


def test_a_device_holds_and_computes_in_its_precision(catalog):
    """The small device's memory and seconds are those of its half rows; what is sent stays as it is."""
    expected = copy.deepcopy(EXPECTED)
    expected["devices"][1]["precision"] = "float16"
    for module in expected["modules"]:
        module["memory_bytes_on"] = {"pi": HALF_ROWS[module["name"]]}
        module["compute_s"]["pi"] /= 4
    instance = build_at(catalog, at(TESTBED, pi="float16"))
    assert instance == PlacementInstance.parse(expected, "by hand")
    assert instance.sha256() != build(catalog).sha256()
    assert [instance.modules[0].bytes_on(d) for d in ("pc", "pi")] == [400, 150]


def test_with_all_devices_alike_a_module_has_one_size(catalog):
    testbed = with_precision(TESTBED, "float16")
    instance = build_at(catalog, testbed)
    assert {m.name: (m.memory_bytes, m.memory_bytes_on) for m in instance.modules} == {
        name: (size, None) for name, size in HALF_ROWS.items()
    }
    assert (testbed.name, instance.name) == ("home-float16", "both.home-float16")
    assert with_precision(TESTBED, None) is TESTBED


def test_stale_rows_are_those_of_the_devices_precision(catalog):
    """A changed definition of rows in float16 is told of where a device computes in it, and nowhere else."""

    def aged(row):
        return row.model_copy(update={"definition_sha256": "e" * 64}) if row.precision else row

    profiles = {name: with_rows(p, map(aged, in_half(p).rows)) for name, p in (("big", BIG), ("small", SMALL))}
    both = catalog.workload("both")
    assert stale_rows(catalog, [both], [TESTBED], profiles, DESCRIPTIONS) == []
    told = stale_rows(catalog, [both], [at(TESTBED, pi="float16")], profiles, DESCRIPTIONS)
    assert len(told) == 4
    assert all(line.startswith("profiles/small.json: ") and "--precision float16" in line for line in told)


def test_a_profile_without_that_precision_names_the_command(catalog):
    with pytest.raises(InputError) as caught:
        build_instance(
            catalog,
            catalog.workload("both"),
            with_precision(TESTBED, "bfloat16"),
            {"big": BIG, "small": SMALL},
            DESCRIPTIONS,
        )
    assert str(caught.value) == (
        "profiles/big.json: rows: no row of see@w at batch 1 in bfloat16; measure them with "
        "`splitshare profile --precision bfloat16` and join both with `splitshare merge-profiles`"
    )


def test_descriptions_at_a_precision_are_no_ground_for_an_instance(catalog):
    half = DESCRIPTIONS.model_copy(update={"precision": "float16"})
    with pytest.raises(InputError, match="precision: is float16, and sizes of what is sent are those of the catalogue"):
        build(catalog, descriptions=half)
