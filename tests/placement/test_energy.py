"""Joules of requests, by hand."""

import numpy as np
import pandas as pd
import pytest

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.records import Testbed
from splitshare.placement.energy import energy_j, tells_energy
from splitshare.placement.generate import build_instance
from splitshare.placement.instance import Assignment, Placement
from splitshare.placement.objective import Route, evaluate
from splitshare.placement.variants import apply_variant
from splitshare.problems.placement import PROBLEM
from splitshare.records import Versions
from splitshare.replay.metrics import OVERALL, request_metrics, with_energy
from splitshare.replay.simulator import simulate
from tests.placement.tiny_catalogue import DESCRIPTIONS, profile, write_catalogue
from tests.replay.examples import example, fields, trace_of

JOULES = {"vision": {"b": 4.0, "c": 1.0}, "text": {"b": 2.0}, "head": {"b": 0.5, "c": 0.25}}
ON_B: Assignment = {"vision": ("b",), "text": ("b",), "head": ("b",)}


def telling(**changes):
    modules = [module | {"energy_j": JOULES[module["name"]]} for module in fields()["modules"]]
    return example(modules=modules, **changes)


def test_joules_are_those_of_the_modules_where_they_run():
    instance = telling()
    routes = evaluate(instance, ON_B).routes
    assert energy_j(instance, routes) == {"pair": 4 + 2 + 0.5, "single": 4 + 0.5}


def test_a_device_that_does_not_count_makes_the_sum_unknown():
    instance = telling()
    routes = {"pair": Route(("c", "c"), "b"), "single": Route(("c",), "c")}
    assert energy_j(instance, routes) == {"pair": None, "single": 1.25}
    assert tells_energy(instance)
    assert not tells_energy(example())
    assert set(energy_j(example(), routes).values()) == {None}


def test_an_encoder_with_seconds_of_its_own_has_joules_of_its_own():
    requests = [dict(request) for request in fields()["requests"]]
    for request in requests:
        request["encoders"] = [dict(encoder) for encoder in request["encoders"]]
    names = [request["name"] for request in requests]
    requests[names.index("single")]["encoders"][0] |= {"compute_s": {"b": 9.0}, "energy_j": {"b": 40.0}}
    requests[names.index("pair")]["encoders"][0] |= {"compute_s": {"b": 9.0}}  # of a batch that nobody counted
    instance = telling(requests=requests)
    assert energy_j(instance, evaluate(instance, ON_B).routes) == {"pair": None, "single": 40.5}


def test_joules_leave_what_an_instance_was_before_as_it_was():
    assert "energy_j" not in example().to_json()
    assert telling().sha256() != example().sha256()


def test_a_variant_keeps_them():
    instance = telling()
    apart = apply_variant(instance, "sequential-routing")
    assert energy_j(apart, evaluate(apart, ON_B).routes) == energy_j(instance, evaluate(instance, ON_B).routes)


def test_instances_take_them_from_profiles(tmp_path):
    write_catalogue(tmp_path)
    small = profile("small", see=1.0, read=2.0, match=0.1, answer=0.2, read_3=6.0, memory_bytes=1000)
    joules = {("see@w", 1): 3.0, ("read@w", 1): 1.0, ("read@w", 3): 2.5, ("match@w", 1): 0.5}
    rows = tuple(row.model_copy(update={"energy_j": joules.get((row.module, row.batch))}) for row in small.rows)
    catalog = load_catalog(tmp_path)
    testbed = Testbed.parse(
        {
            "schema": "splitshare.testbed/1",
            "name": "one",
            "title": "one",
            "devices": [{"name": "pi", "device_type": "small", "models_memory_bytes": 900}],
            "links": [],
            "source": "pi",
        },
        "one",
    )
    for known, expected in ((small.model_copy(update={"rows": rows}), True), (small, False)):
        instance = build_instance(catalog, catalog.workload("both"), testbed, {"small": known}, DESCRIPTIONS)
        assert tells_energy(instance) is expected
        assignment = {module.name: ("pi",) for module in instance.modules}
        found = energy_j(instance, evaluate(instance, assignment).routes)
        # The head that answers was not counted; of the prompts, three are read at once.
        assert found == {"finder": 3.0 + 2.5 + 0.5 if expected else None, "talker": None}


def test_evaluating_and_replaying_tell_them():
    instance = telling()
    worth = evaluate(instance, ON_B)
    placement = Placement(
        schema_="splitshare.placement/1",
        instance_sha256=instance.sha256(),
        algorithm="by hand",
        status="feasible",
        assignment=ON_B,
        objective=worth.objective,
        bound=None,
        build_s=0.0,
        solve_s=0.0,
        versions=Versions(splitshare="0", python="3"),
    )
    score = PROBLEM.score
    assert score(instance, placement)["energy_j"] == {"pair": 6.5, "single": 4.5}
    assert "energy_j" not in score(example(), placement)
    trace = trace_of(instance, [(0.0, "single", 1.0), (5.0, "pair", 2.0), (9.0, "single", 3.0)])
    metrics = request_metrics(simulate(instance, worth.routes, trace).requests)
    table = with_energy(metrics, trace, energy_j(instance, worth.routes)).set_index("request")["energy_j"]
    assert table.to_dict() == pytest.approx({"pair": 13.0, "single": 9.0, OVERALL: (4.5 + 13.0 + 13.5) / 3})
    unknown = with_energy(metrics, trace, {"pair": None, "single": 4.5}).set_index("request")["energy_j"]
    assert unknown["single"] == 9.0
    assert unknown[["pair", OVERALL]].isna().all()
    assert isinstance(table, pd.Series)
    assert np.isfinite(table).all()
