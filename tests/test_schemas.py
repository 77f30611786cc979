"""The published JSON Schemas are those of the records, and another validator accepts our files by them."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.records import Record
from splitshare.replay.batching import Batching
from splitshare.replay.emulator.program import build_program
from splitshare.replay.emulator.real_testbed import RunningWorkers
from splitshare.schemas import CONTRACTS, contract_of
from splitshare.stages import schemas as stage
from splitshare.stages import solve
from tests.onloading.examples import tiny
from tests.replay.examples import fields
from tests.replay.test_batching import curves_of

ROOT = Path(__file__).parents[1]
COMMITTED = {path.name: path for path in sorted((ROOT / "schemas").glob("*.json"))}
FILES = [
    *sorted((ROOT / "config").glob("*.yaml")),
    *sorted((ROOT / "data" / "catalogue").glob("*.yaml")),
    *sorted((ROOT / "data" / "embedded" / "catalogue").glob("*.yaml")),
    *sorted((ROOT / "data" / "devices").glob("*.yaml")),
    *sorted((ROOT / "data" / "testbeds").glob("*.yaml")),
    *sorted((ROOT / "data" / "zoos").glob("*.json")),
    *sorted((ROOT / "profiles").glob("*.json")),
    *sorted((ROOT / "data" / "baselines").glob("*.json")),
]


def load(path: Path) -> Any:
    """Read with the plain parsers, not with ours."""
    return yaml.safe_load(path.read_text()) if path.suffix == ".yaml" else json.loads(path.read_text())


def schema_for(value: Any) -> Any:
    """The committed schema that a file names."""
    return load(COMMITTED[f"{value['schema'].removeprefix('splitshare.').partition('/')[0]}.json"])


def test_the_committed_schemas_are_those_of_the_records(tmp_path: Path):
    stage.run(stage.Options(tmp_path))
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(made) == len(CONTRACTS)
    assert made == {name: path.read_bytes() for name, path in COMMITTED.items()}, "run `make schemas`"


@pytest.mark.parametrize("name", COMMITTED)
def test_a_schema_is_one(name: str):
    jsonschema.Draft202012Validator.check_schema(load(COMMITTED[name]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_committed_file_fits_its_schema_and_a_spoilt_one_does_not(path: Path):
    value = load(path)
    schema = schema_for(value)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(value)
    for key in value:
        without = {k: v for k, v in value.items() if k != key}
        assert validator.is_valid(without) is (key not in schema["required"])
    assert not validator.is_valid(value | {"unheard_of": 1})
    assert not validator.is_valid(value | {"schema": "splitshare.other/1"})


def test_instances_and_placements_fit_theirs(tmp_path: Path):
    instance = tmp_path / "instance.json"
    PlacementInstance.parse(fields(), "example").write(instance)
    output = tmp_path / "placement.json"
    solve.run(
        solve.Options([instance], algorithms=["s2m3-greedy"], solver=None, seed=0, time_limit_s=None, output=output)
    )
    for path in (instance, output):
        jsonschema.Draft202012Validator(schema_for(load(path))).validate(load(path))


def test_onloading_instances_and_decisions_fit_theirs(tmp_path: Path):
    instance, output = tmp_path / "instance.json", tmp_path / "decision.json"
    tiny(batching=True).write(instance)
    solve.run(
        solve.Options([instance], algorithms=["j3o-batching"], solver=None, seed=0, time_limit_s=None, output=output)
    )
    for path in (instance, output):
        jsonschema.Draft202012Validator(schema_for(load(path))).validate(load(path))


def test_files_of_the_emulator_fit_theirs(tmp_path: Path):
    instance = PlacementInstance.parse(fields(routing="sequential"), "example")
    curves = curves_of(instance, {2: 1.5, 4: 2.5})
    routes = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "b")}
    assignment = {"vision": ("b",), "text": ("c",), "head": ("a", "b")}
    program = build_program(instance, routes, assignment, epoch=1, batching=Batching(4, curves))
    workers = RunningWorkers.parse(
        {"schema": "splitshare.running-workers/1", "workers": {"a": "10.0.0.1:4000"}, "tls_ca": "ca.pem"}, "workers"
    )
    for record in (curves, program, workers):
        record.write(tmp_path / "record.json")
        value = load(tmp_path / "record.json")
        jsonschema.Draft202012Validator(schema_for(value)).validate(value)
        assert type(record).read(tmp_path / "record.json") == record


def test_schema_and_record_agree_about_single_mistakes():
    """Mistakes that do not span fields: both refuse, or both accept."""
    right = fields()
    record: type[Record] = PlacementInstance
    validator = jsonschema.Draft202012Validator(load(COMMITTED["placement-instance.json"]))
    edits: list[tuple[list[str | int], Any]] = [
        (["devices", 0, "memory_bytes"], -1),
        (["devices", 0, "memory_bytes"], 0),
        (["devices", 0, "memory_bytes"], "1"),
        (["devices", 0, "memory_bytes"], True),
        (["devices", 0, "tier"], "fog"),
        (["devices", 0, "tier"], "cloud"),
        (["devices"], []),
        (["links", 0, "bandwidth_bytes_per_s"], 0),
        (["modules", 0, "name"], "../up"),
        (["modules", 0, "compute_s", "b"], None),
        (["modules", 0, "compute_s"], None),
        (["requests", 0, "encoders"], []),
        (["requests", 0, "head_compute_s"], {"a": -1.0}),
        (["replication"], "yes"),
        (["objective"], "median"),
        (["objective"], "max"),
    ]
    accepted = 0
    for where, value in edits:
        changed = copy.deepcopy(right)
        target: Any = changed
        for part in where[:-1]:
            target = target[part]
        target[where[-1]] = value
        try:
            record.parse(changed, "x")
            fits = True
        except InputError as error:
            # Only this file as a whole knows that renaming a module leaves its users behind.
            fits = False
            assert "unknown module" not in str(error)  # noqa: PT017 - refused or not, as the schema says
        accepted += fits
        assert validator.is_valid(changed) is fits, (where, value)
    assert 0 < accepted < len(edits)


def test_contracts_have_names_of_their_own():
    names = [contract_of(record) for record in CONTRACTS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("splitshare.") for name in names)
