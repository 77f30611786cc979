import math

import pytest

from splitshare.errors import InputError, WorkError
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.algorithms.whole_models import WholeModels
from splitshare.placement.contract import load, shipped
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import evaluate
from splitshare.placement.random_instances import Shape, random_fields, random_instances
from splitshare.placement.run import solve
from splitshare.placement.variants import apply_variant, without_sharing
from tests.placement import judge
from tests.replay import examples

INSTANCES = [*random_instances(range(8)), *random_instances(range(8, 25), Shape(half_precision=0.5))]


def in_the_cloud(instance):
    """The instance with its last device a cloud."""
    *edge, last = instance.devices
    return instance.with_changes(devices=(*edge, last.model_copy(update={"tier": "cloud"})))


@pytest.mark.parametrize("name", shipped())
def test_contract(name):
    """Feasible by the judge or reported so, the same twice, the instance left alone, never better than the optimum."""
    placed = 0
    for instance in (in_the_cloud(i) if name == "cloud" else i for i in INSTANCES[:12]):
        digest = instance.sha256()
        algorithm = load(name)
        placement, again = (solve(instance, algorithm, seed=1, time_limit_s=10) for _ in range(2))
        assert placement.assignment == again.assignment
        assert instance.sha256() == digest
        solved = apply_variant(instance, placement.variant)
        if placement.assignment is None:
            assert placement.status == "infeasible"
            continue
        placed += 1
        assert placement.objective is not None
        assert placement.objective == pytest.approx(judge.worth(solved, placement.assignment), rel=1e-12)
        if len(solved.modules) <= 5 and not solved.replication:
            best = judge.optimum(solved)
            assert best is not None
            assert placement.objective >= best * (1 - 1e-9)
    assert placed > 0


def _chain(compute, memory=1000.0):
    """One request, encoders e0.. and a head, on a near and a far device (compute: module -> near, far)."""
    fields = random_fields(1, routing="parallel", objective="mean", replication=False)
    fields["devices"] = [{"name": "near", "memory_bytes": memory}, {"name": "far", "memory_bytes": 1000}]
    fields["links"] = [{"a": "near", "b": "far", "latency_s": 1.0, "bandwidth_bytes_per_s": 1e9}]
    fields["modules"] = [
        {
            "name": m,
            "kind": "e",
            "memory_bytes": 10,
            "output_bytes": 0,
            "compute_s": {"near": near, "far": far},
        }
        for m, (near, far) in compute.items()
    ]
    *encoders, head = compute
    fields["requests"] = [
        {"name": "k", "task": "t", "model": "m", "source": "near", "rate_per_s": 1, "result_bytes": 0}
        | {"encoders": [{"module": e, "input_bytes": 0} for e in encoders], "head": head}
    ]
    return PlacementInstance.parse(fields, "chain")


def test_greedy_follows_its_reading_step_by_step():
    """Heaviest first; the partial latency ignores the way to a head that is not placed yet."""
    instance = _chain({"light": (3.0, 0.1), "heavy": (5.0, 3.5), "head": (0.1, 0.1)})
    placed = S2M3Greedy().place(instance, seed=0, time_limit=None)
    # heavy: near 5, far 1 + 3.5. light: far is ready at 1, runs first (ties by list order): far max(1.1, 4.6) = 4.6
    # against near max(3, 4.5) = 4.5. head: near max(3, 4.5 + 1) + 0.1 = 5.6, far max(3 + 1, 4.5) + 0.1 + 1 = 5.6:
    # a tie up to rounding, decided by the evaluator's sums.
    assert placed is not None
    assert placed["heavy"] == ("far",)
    assert placed["light"] == ("near",)
    assert list(placed) == ["heavy", "light", "head"]


def test_greedy_dead_end_is_infeasible_though_a_placement_exists():
    fields = random_fields(1, routing="parallel", objective="mean", replication=False)
    fields["devices"] = [{"name": "fast", "memory_bytes": 10}, {"name": "slow", "memory_bytes": 6}]
    fields["links"] = [{"a": "fast", "b": "slow", "latency_s": 0.0, "bandwidth_bytes_per_s": 1e9}]
    fields["modules"] = [
        {
            "name": name,
            "kind": "e",
            "memory_bytes": size,
            "output_bytes": 0,
            "compute_s": {"fast": s, "slow": 9 * s},
        }
        for name, size, s in (("small", 6, 3.0), ("large", 10, 2.0))
    ]
    fields["requests"] = [
        {"name": "k", "task": "t", "model": "m", "source": "fast", "rate_per_s": 1, "result_bytes": 0}
        | {"encoders": [{"module": "small", "input_bytes": 0}], "head": "large"}
    ]
    instance = PlacementInstance.parse(fields, "dead end")
    # The small but slow module comes first and takes the only room for the large one.
    placement = solve(instance, S2M3Greedy())
    assert (placement.status, placement.assignment) == ("infeasible", None)
    assert judge.optimum(instance) == pytest.approx(9 * 3.0 + 2.0)


def test_no_sharing_gives_each_request_its_own_modules():
    for instance in INSTANCES:
        own = without_sharing(instance)
        used = [name for r in own.requests for name in dict.fromkeys((*(e.module for e in r.encoders), r.head))]
        assert len(used) == len(set(used))
        unused = {m.name for m in own.modules} - set(used)
        assert unused <= {m.name for m in instance.modules}


def test_names_of_copies_are_no_longer_than_names_may_be():
    """Beside a module that is called like the first copy would be."""
    for end in ("", "x" * 110):
        used = {"first": ["text", "text+first"], "second": ["text"]}
        instance = examples.example(
            modules=[examples.module(name, a=1.0) for name in (f"text{end}", f"text+first{end}", "head")],
            requests=[
                examples.request(name, {f"{one}{end}": 1.0 for one in modules}) for name, modules in used.items()
            ],
        )
        placement = solve(instance, load("no-sharing"))
        assert placement.assignment is not None
        assert len(placement.assignment) == len(without_sharing(instance).modules) == 5
        assert all(len(name) <= 120 for name in placement.assignment)


def test_no_sharing_leaves_an_unshared_instance_as_it_is():
    fields = random_fields(2)
    fields["requests"] = fields["requests"][:1]
    instance = PlacementInstance.parse(fields, "one request")
    assert without_sharing(instance).sha256() == instance.sha256()


def test_whole_models_stand_on_one_device_each_and_one_alone_on_the_best():
    for instance in INSTANCES:
        placement = solve(instance, WholeModels())
        if placement.assignment is None:
            continue
        own = without_sharing(instance)
        for request in own.requests:
            hosts = {placement.assignment[name] for name in (*(e.module for e in request.encoders), request.head)}
            assert len(hosts) == 1
            assert len(next(iter(hosts))) == 1
    alone = [i for i in INSTANCES if len(i.requests) == 1 and not i.replication]
    alone += [PlacementInstance.parse(random_fields(seed) | {"replication": False}, "x") for seed in range(30)]
    seen = 0
    for instance in alone:
        only = instance.with_changes(requests=instance.requests[:1])
        request = only.requests[0]
        names = {*(e.module for e in request.encoders), request.head}
        if names != {module.name for module in only.modules}:
            continue
        roomy = [d for d in only.devices if sum(m.bytes_on(d.name) for m in only.modules) <= d.memory_bytes]
        worths = [judge.worth(only, dict.fromkeys(names, (device.name,))) for device in roomy]
        possible = [worth for worth in worths if math.isfinite(worth)]
        placement = solve(only, WholeModels())
        assert placement.objective == (pytest.approx(min(possible)) if possible else None)
        seen += 1
    assert seen > 3


def test_sequential_routing_is_never_faster_on_the_same_placement():
    for instance in random_instances(range(20), routing="parallel", replication=False):
        sequential = apply_variant(instance, "sequential-routing")
        placement = solve(instance, S2M3Greedy())
        if placement.assignment is not None:
            parallel_s = evaluate(instance, placement.assignment).objective
            # First come, first served may swap two encoders, but never idles longer than one after another.
            assert evaluate(sequential, placement.assignment).objective >= parallel_s - 1e-12


ALGORITHM = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass
class Mine:
    name: ClassVar[str] = "mine"
    device: str = "near"

    def place(self, instance, *, seed, time_limit):
        return {m.name: self.device for m in instance.modules}
"""


def test_an_algorithm_from_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(ALGORITHM)
    placement = solve(_chain({"e": (1.0, 1.0), "h": (2.0, 1.0)}), load(f"{path}:Mine"))
    assert placement.objective == 3.0
    assert solve(_chain({"e": (1.0, 1.0), "h": (2.0, 1.0)}, memory=5.0), load(f"{path}:Mine")).status == "infeasible"


@pytest.mark.parametrize(
    ("spec", "text", "complaint"),
    [
        ("s2m3-gredy", None, "did you mean 's2m3-greedy'"),
        ("missing.py:Mine", None, "no such file"),
        ("mine.py:Thine", ALGORITHM, "no such class; did you mean 'Mine'"),
        ("mine.py:Mine", "import nothing_of_this_name", "does not load: ModuleNotFoundError"),
        ("mine.py:Mine", "class Mine: pass", "no attribute `name`"),
    ],
)
def test_algorithms_that_cannot_be_loaded(tmp_path, monkeypatch, spec, text, complaint):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=complaint):
        load(spec)


def test_changing_the_instance_is_caught():
    class Vandal:
        name = "vandal"

        def place(self, instance, *, seed, time_limit):
            instance.modules[0].compute_s["near"] = 0.0

    with pytest.raises(WorkError, match="vandal: changed the instance"):
        solve(_chain({"e": (1.0, 1.0), "h": (2.0, 1.0)}), Vandal())
