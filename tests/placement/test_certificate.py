import itertools
import json
import math
import re
import sys

import pytest

from splitshare import cli
from splitshare.errors import WorkError
from splitshare.placement.algorithms.first_fit import FirstFit
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.certificate import Certificate, certificate_of, objections
from splitshare.placement.instance import Assignment, PlacementInstance
from splitshare.placement.random_instances import random_instances
from splitshare.placement.run import solve
from tests.placement import judge
from tests.replay.examples import example, fields


def certificate(instance, assignment, worth, /, **changes):
    plain = {
        "schema": "splitshare.certificate/1",
        "instance": instance.name,
        "instance_sha256": instance.sha256(),
        "assignment": {module: list(hosts) for module, hosts in assignment.items()},
        "objective": worth,
        "bound": worth,
        "proved_by": ["by hand"],
        "tolerance": 1e-6,
    }
    return Certificate.parse(plain | changes, "certificate")


def test_optima_of_both_solvers_are_certified():
    instance = next(i for i in random_instances(range(9), replication=False) if judge.optimum(i))
    optima = [solve(instance, Optimum(solver=solver)) for solver in ("highs", "gurobi")]
    held = certificate_of(instance, optima)
    assert objections(instance, held) == []
    assert held.objective == pytest.approx(judge.optimum(instance), rel=1e-9)
    assert [name.split()[0] for name in held.proved_by] == ["highs", "gurobi"]
    assert held.bound == min(o.bound for o in optima if o.bound is not None)


def test_solvers_that_contradict_each_other_certify_nothing():
    """A worse optimum must not hide behind the better bound."""
    instance = next(i for i in random_instances(range(9), replication=False) if judge.optimum(i))
    first, second = (solve(instance, Optimum(solver=solver)) for solver in ("gurobi", "highs"))
    assert second.objective is not None
    worse = second.model_copy(update={"objective": second.objective * 1.02, "bound": second.objective * 1.02})
    for optima in ([first, worse], [worse, first]):
        with pytest.raises(WorkError, match="one of them is wrong"):
            certificate_of(instance, optima)


def test_what_is_no_proof_is_not_certified():
    instance = example()
    with pytest.raises(WorkError, match=r"first-fit \(feasible\) proved no optimum"):
        certificate_of(instance, [solve(instance, FirstFit())])
    other = example(name="other")
    with pytest.raises(WorkError, match="proved no optimum"):
        certificate_of(other, [solve(instance, Optimum())])


def test_its_arithmetic_is_the_judges():
    """On every kind of instance, for placements that are no optima too: right worths hold, others do not."""
    compared = 0
    for instance in random_instances(range(60)):
        for assignment in itertools.islice(judge.assignments(instance), 0, 200, 3):
            worth = judge.worth(instance, assignment)
            if math.isinf(worth):
                (found,) = objections(instance, certificate(instance, assignment, 1.0))
                assert "cannot be answered" in found
                continue
            assert objections(instance, certificate(instance, assignment, worth, tolerance=1e-12)) == []
            for wrong in (worth * (1 + 1e-5), worth * (1 - 1e-5)):
                (found,) = objections(instance, certificate(instance, assignment, wrong))
                assert found.startswith("objective: the placement is worth")
            compared += 1
    assert compared > 300


EXAMPLE: Assignment = {"vision": ("b",), "text": ("c",), "head": ("a",)}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"objective": 0.1, "bound": 0.1}, "objective: the placement is worth"),
        ({"bound": 0.2}, "bound: 0.2 s leaves room for better"),
        ({"bound": 9.0}, "bound: 9.0 s is above the objective"),
        ({"tolerance": 0.5, "objective": 0.4}, "tolerance: 0.5 is more than 1e-06"),
        ({"instance_sha256": "0" * 64}, "instance_sha256: is of another instance"),
        ({"assignment": {"vision": ["b"], "text": ["b"], "head": ["a"]}}, "objective: the placement is worth"),
        ({"assignment": {"vision": ["b"], "text": ["c"]}}, "assignment.head: is missing"),
        ({"assignment": {"vision": ["b"], "text": ["c"], "head": ["z"]}}, r"assignment.head: \['z'\] is not a set"),
        ({"assignment": {"vision": ["b"], "text": ["c"], "head": []}}, r"assignment.head: \[\] is not a set"),
        ({"assignment": {"vision": ["b"], "text": ["c"], "head": ["a"], "hat": ["a"]}}, "no such module"),
        ({"assignment": {"vision": ["b", "c"], "text": ["c"], "head": ["a"]}}, "does not allow replication"),
        ({"assignment": {"vision": ["a"], "text": ["c"], "head": ["a"]}}, "'pair' cannot be answered"),
    ],
)
def test_tampering_is_seen(change, complaint):
    instance = example()
    worth = judge.worth(instance, EXAMPLE)
    assert objections(instance, certificate(instance, EXAMPLE, worth)) == []
    found = objections(instance, certificate(instance, EXAMPLE, worth, **change))
    assert re.search(complaint, found[0])


def test_memory_is_added_up():
    devices = [{"name": name, "memory_bytes": size} for name, size in (("a", 1.0), ("b", 1.25), ("c", 9.0))]
    tight = PlacementInstance.parse(fields(devices=devices), "tight")
    together = EXAMPLE | {"text": ("b",)}
    (found,) = objections(tight, certificate(tight, together, judge.worth(tight, together)))
    assert found == "assignment: 2 bytes on 'b', which has 1"


@pytest.fixture
def files(tmp_path):
    instance = example()
    instance.write(tmp_path / "instance.json")
    certificate_of(instance, [solve(instance, Optimum())]).write(tmp_path / "certificate.json")
    return tmp_path / "instance.json", tmp_path / "certificate.json"


def _verify(monkeypatch, *paths):
    monkeypatch.setattr(sys, "argv", ["splitshare", "verify", *map(str, paths)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_command_line_tells_by_its_exit_code(files, tmp_path, monkeypatch, capsys):
    instance, path = files
    assert _verify(monkeypatch, instance, path) == 0
    assert "example: holds, " in capsys.readouterr().out

    plain = json.loads(path.read_text())
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(plain | {"objective": plain["objective"] * 0.99}))
    assert _verify(monkeypatch, instance, wrong) == 1
    assert "wrong.json: does not hold: objective: the placement is worth" in capsys.readouterr().err

    wrong.write_text(json.dumps(plain | {"objectiv": 1.0}))
    assert _verify(monkeypatch, instance, wrong) == 2
    assert "objectiv: unknown key; did you mean 'objective'" in capsys.readouterr().err
    assert _verify(monkeypatch, instance, tmp_path / "missing.json") == 2
