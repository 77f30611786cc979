"""The 95 canonical instances: what they are made of, that they can be placed, and that their optima are optima."""

import itertools
import math

import pytest

from splitshare.placement.algorithms.cloud import Cloud
from splitshare.placement.algorithms.local import Local
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import solve
from splitshare.solvers.milp import SOLVERS
from tests.placement import judge


def named(canonical, name):
    return next(i for i in canonical if i.name == name)


def with_memory(instance: PlacementInstance, **memory_bytes: float) -> PlacementInstance:
    devices = tuple(
        d.model_copy(update={"memory_bytes": memory_bytes.get(d.name, d.memory_bytes)}) for d in instance.devices
    )
    return instance.with_changes(devices=devices)


def test_there_are_95_of_them(canonical):
    pairs = [i.name.split(".") for i in canonical]
    workloads, testbeds = ({pair[n] for pair in pairs} for n in (0, 1))
    assert (len(workloads), len(testbeds)) == (19, 5)
    assert sorted(map(tuple, pairs)) == sorted(itertools.product(workloads, testbeds))
    assert {d.tier for i in canonical for d in i.devices} == {"edge"}
    assert {r.rate_per_s for i in canonical for r in i.requests} == {1.0}
    assert {r.source for i in canonical for r in i.requests} == {"jetson", "jetson-1"}


def test_all_of_them_can_be_placed(canonical):
    """The greedy's placement is worth to the judge, who checks memory, what the evaluator says."""
    for instance in canonical:
        placement = solve(instance, S2M3Greedy())
        assert placement.assignment is not None, instance.name
        used = dict.fromkeys((d.name for d in instance.devices), 0.0)
        for module in instance.modules:
            (host,) = placement.assignment[module.name]
            used[host] += module.memory_bytes
        assert all(used[d.name] <= d.memory_bytes for d in instance.devices), instance.name
        assert placement.objective == pytest.approx(judge.worth(instance, placement.assignment), rel=1e-12)


def test_memory_is_tight_on_the_small_devices(canonical):
    """No Jetson holds every workload, and one is too small for a single module of some."""
    for testbed in ("laptop-jetson", "laptop-two-jetsons"):
        instances = [i for i in canonical if i.name.endswith(f".{testbed}")]
        for device in (d for d in instances[0].devices if d.name.startswith("jetson")):
            together = [sum(m.memory_bytes for m in i.modules) > device.memory_bytes for i in instances]
            assert any(together)
            assert not all(together)
    largest = {i.name: max(m.memory_bytes for m in i.modules) for i in canonical}
    jetson = next(d for d in named(canonical, "llava-7b.laptop-jetson").devices if d.name == "jetson")
    assert sum(size > jetson.memory_bytes for size in largest.values()) >= 5


def test_a_shared_tower_sends_what_its_model_takes(canonical):
    """Pooled to the cosine head, 576 patch states of 1024 float32 to the decoder, from one tower."""
    instance = named(canonical, "five-tasks-large.laptop-jetson")
    tower = "clip-vit-l14-336-vision@clip-vit-l14-336"
    sent = {
        request.name: instance.encoder_output_bytes(request, position)
        for request in instance.requests
        for position, use in enumerate(request.encoders)
        if use.module == tower
    }
    assert sent == {"clip-vit-l14-336": 768 * 4, "llava-7b": 576 * 1024 * 4}


def test_a_shared_text_tower_reads_what_its_task_brings(canonical):
    """101 class prompts of 77 int64 tokens for retrieval, 50 for alignment, one question for VQA."""
    instance = named(canonical, "four-tasks.laptop-jetson")
    uses = {
        request.name: (use.input_bytes, instance.encoder_compute_s(request, position)["laptop"])
        for request in instance.requests
        for position, use in enumerate(request.encoders)
        if use.module == "clip-text-512-to-512@clip-vit-b16"
    }
    prompt, once_s = uses["vqa-vit-b16"]
    assert once_s is not None
    launches_s = []
    for name, prompts in (("clip-vit-b16", 101), ("align-vit-b16", 50)):
        size_bytes, seconds = uses[name]
        assert size_bytes == prompts * prompt
        assert seconds is not None
        launches_s.append((prompts * once_s - seconds) / (prompts - 1))  # a batch's operations are handed over once
    assert launches_s[0] == pytest.approx(launches_s[1], rel=1e-3)
    assert 0 < launches_s[0] < once_s / 5


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_decoder_without_a_home_is_infeasible(canonical, solver):
    """A 7B decoder in bfloat16 needs 14 GB: a laptop with 8 GB for models cannot help the Jetson."""
    instance = with_memory(named(canonical, "llava-7b.laptop-jetson"), laptop=8e9)
    for algorithm in (S2M3Greedy(), Optimum(solver=solver)):
        placement = solve(instance, algorithm)
        assert (placement.status, placement.assignment, placement.objective) == ("infeasible", None, None)


@pytest.mark.parametrize("solver", SOLVERS)
def test_modules_that_fit_one_by_one_and_not_together_are_infeasible(canonical, solver):
    instance = named(canonical, "four-tasks.laptop-jetson")
    sizes = sorted((m.memory_bytes for m in instance.modules), reverse=True)
    # Three towers, and two devices that hold any one of them but no two.
    room = sizes[0]
    assert sizes[1] + sizes[2] > room
    placement = solve(with_memory(instance, laptop=room, jetson=room), Optimum(solver=solver))
    assert placement.status == "infeasible"


def test_local_and_cloud_say_where_they_cannot_place(canonical):
    assert solve(named(canonical, "llava-7b.laptop-jetson"), Local()).status == "infeasible"
    assert solve(named(canonical, "clip-rn50.laptop-jetson"), Cloud()).status == "infeasible"


def least_worth(instance: PlacementInstance) -> float:
    """The optimum by trying every assignment, but for those that cannot beat the best one found.

    A request's latency depends on its own modules alone, so the judge's table of it over their devices bounds what is
    still open from below. Nothing here is shared with the evaluator, the exact model or the solvers.
    """
    devices = [d.name for d in instance.devices]
    # Modules of many requests first: the tables decide early.
    users = {m.name: [r for r in instance.requests if m.name in modules_of(r)] for m in instance.modules}
    order = sorted(users, key=lambda name: -len(users[name]))
    sizes = {m.name: m.memory_bytes for m in instance.modules}
    bounds: list[dict[tuple[str | None, ...], float]] = []
    for request in instance.requests:
        own = [name for name in order if name in modules_of(request)]
        table: dict[tuple[str | None, ...], float] = {}
        for hosts in itertools.product(devices, repeat=len(own)):
            at = dict(zip(own, hosts, strict=True))
            encoders = tuple(at[use.module] for use in request.encoders)
            latency = judge.latency(instance, request, encoders, at[request.head])
            for known in range(len(own) + 1):  # the least latency over what is still open
                key = (*hosts[:known], *(None for _ in own[known:]))
                table[key] = min(table.get(key, math.inf), latency)
        bounds.append(table)
    own_of = [[name for name in order if name in modules_of(r)] for r in instance.requests]
    free = {d.name: d.memory_bytes for d in instance.devices}
    placed: dict[str, str] = {}
    best = math.inf

    def search(depth: int) -> None:
        nonlocal best
        total = sum(
            table[tuple(placed.get(name) for name in own)] for table, own in zip(bounds, own_of, strict=True)
        ) / len(bounds)
        if total >= best:
            return
        if depth == len(order):
            best = total
            return
        name = order[depth]
        for device in devices:
            if sizes[name] <= free[device]:
                placed[name] = device
                free[device] -= sizes[name]
                search(depth + 1)
                free[device] += sizes[name]
                del placed[name]

    search(0)
    return best


def modules_of(request) -> set[str]:
    return {*(use.module for use in request.encoders), request.head}


def test_pruning_loses_nothing(canonical):
    """On every instance that is small enough, the same as trying everything."""
    tried = 0
    for instance in canonical:
        if len(instance.devices) ** len(instance.modules) <= 300:
            assert least_worth(instance) == pytest.approx(judge.optimum(instance), rel=1e-12), instance.name
            tried += 1
    assert tried >= 50


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_optimum_is_the_least_of_all_assignments(canonical, solver):
    for instance in canonical:
        placement = solve(instance, Optimum(solver=solver))
        assert placement.status == "optimal", instance.name
        assert placement.objective == pytest.approx(least_worth(instance), rel=1e-9), instance.name
