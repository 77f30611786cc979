"""How few devices hold everything, against trying all sets and all placements."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.checkpoints.cut import CutModule
from splitshare.checkpoints.fitting import fewest_devices, held, least_memory
from splitshare.checkpoints.sharing import Shared
from splitshare.checkpoints.tensors import TensorRef

GB = 10**9


def smallest(items, capacities):
    """By brute force: how many devices, and the least memory of such a set."""
    for count in range(len(capacities) + 1):
        fitting = []
        for chosen in combinations(capacities, count):
            for where in product(chosen, repeat=len(items)):
                used = dict.fromkeys(chosen, 0.0)
                for size, device in zip(items.values(), where, strict=True):
                    used[device] += size
                if all(used[device] <= capacities[device] for device in chosen):
                    fitting.append(sum(capacities[device] for device in chosen))
                    break
        if fitting:
            return count, min(fitting)
    return None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
)
def test_the_fewest_devices_are_those_of_brute_force(sizes, rooms):
    items = {f"i{n}": float(size * GB) for n, size in enumerate(sizes)}
    capacities = {f"d{n}": float(room * GB) for n, room in enumerate(rooms)}
    found, wanted = fewest_devices(items, capacities), smallest(items, capacities)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    assert (len(found), sum(capacities[device] for device in found)) == wanted
    assert sorted(item for held_items in found.values() for item in held_items) == sorted(items)
    for device, inside in found.items():
        assert sum(items[item] for item in inside) <= capacities[device]


def module(model, name, size, tmp_path):
    tensor = TensorRef("weight", "U8", (size,), tmp_path / model, 0, size)
    return CutModule(model, name, "other", {"weight": tensor}, {"weight": f"{name}.weight"})


def test_sharing_may_need_a_device_less(tmp_path):
    """Two models of 6 + 3 and 6 + 2 GB with the 6 in common, on devices of 10, 8 and 4 GB."""
    both = Shared("a", (module("x", "tower", 6 * GB, tmp_path), module("y", "tower", 6 * GB, tmp_path)))
    heads = [module("x", "head", 3 * GB, tmp_path), module("y", "head", 2 * GB, tmp_path)]
    shared = [both, *(Shared(head.model, (head,)) for head in heads)]
    assert [(least.model, least.whole_bytes, least.split_bytes, least.module) for least in least_memory(shared)] == [
        ("x", 9 * GB, 6 * GB, "tower"),
        ("y", 8 * GB, 6 * GB, "tower"),
    ]
    whole, split, once = held(shared, {"big": 10.0 * GB, "middle": 8.0 * GB, "small": 4.0 * GB})
    assert (whole.bytes, split.bytes, once.bytes) == (17 * GB, 17 * GB, 11 * GB)
    assert whole.devices == {"big": ("x",), "middle": ("y",)}
    assert split.devices is not None
    assert len(split.devices) == 2
    assert once.devices is not None
    assert len(once.devices) == 2
    (alone,) = held(shared, {"big": 12.0 * GB})[2:]
    assert alone.devices == {"big": ("x+y:tower", "x:head", "y:head")}
    assert [each.devices for each in held(shared, {"big": 12.0 * GB})[:2]] == [None, None]


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_graph_is_drawn(tmp_path, suffix):
    from splitshare.stages.shared_graph import draw

    both = Shared("a", (module("x", "tower", 6 * GB, tmp_path), module("y", "tower", 6 * GB, tmp_path)))
    draw([both, Shared("b", (module("x", "head", 3 * GB, tmp_path),))], tmp_path / f"graph.{suffix}")
    assert (tmp_path / f"graph.{suffix}").stat().st_size > 1000
