"""Each parameter of the greedy on an instance where it decides, and parameters from the command line."""

import pytest

from splitshare.errors import InputError
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.contract import load
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.stages import solve as solve_stage


def instance(
    modules: dict[str, dict[str, float]], *, latency_s=1.0, memory=(100.0, 100.0), sizes: dict[str, float] | None = None
) -> PlacementInstance:
    """One request from ``near``; encoders and, last, the head, with seconds by device, and a link to ``far``."""
    *encoders, head = modules
    return PlacementInstance.parse(
        {
            "schema": "splitshare.placement-instance/1",
            "name": "hand",
            "objective": "mean",
            "devices": [{"name": n, "memory_bytes": m} for n, m in zip(("near", "far"), memory, strict=True)],
            "links": [{"a": "near", "b": "far", "latency_s": latency_s, "bandwidth_bytes_per_s": 1e9}],
            "modules": [
                {"name": n, "kind": "module", "memory_bytes": (sizes or {}).get(n, 10.0), "output_bytes": 0}
                | {"compute_s": seconds}
                for n, seconds in modules.items()
            ],
            "requests": [
                {
                    "name": "k",
                    "task": "t",
                    "model": "m",
                    "source": "near",
                    "rate_per_s": 1.0,
                    "encoders": [{"module": name, "input_bytes": 0} for name in encoders],
                    "head": head,
                    "result_bytes": 0,
                }
            ],
        },
        "hand",
    )


def hosts(given: PlacementInstance, **parameters) -> dict[str, str]:
    placed = S2M3Greedy(**parameters).place(given, seed=0, time_limit=None)
    assert placed is not None
    return {module: devices[0] for module, devices in placed.items()}


def test_without_the_way_to_the_head_a_tiny_head_goes_to_the_faster_device():
    # The encoder stays near (2 against 1 + 9). The head near: 2 + 0.5. Far: 2 + 0.1 + 0.2 for the result, and 0.2 more
    # for the encoder's output, which one reading counts.
    given = instance({"encoder": {"near": 2.0, "far": 9.0}, "head": {"near": 0.45, "far": 0.1}}, latency_s=0.2)
    assert hosts(given) == {"encoder": "near", "head": "near"}
    assert hosts(given, transfer_aware=False) == {"encoder": "near", "head": "far"}


def test_the_way_of_input_and_result_counts_in_every_reading():
    given = instance({"encoder": {"near": 2.0, "far": 1.5}, "head": {"near": 1.0, "far": 0.5}})
    assert hosts(given, transfer_aware=False) == {"encoder": "near", "head": "near"}


def test_accumulated_load_drives_a_head_away_from_its_encoder():
    # The head near: 3 + 0.1, with the load of the encoder 6.1. Far: 3 + 1 + 0.1 + 1.
    given = instance({"encoder": {"near": 3.0, "far": 9.0}, "head": {"near": 0.1, "far": 0.1}})
    assert hosts(given) == {"encoder": "near", "head": "near"}
    assert hosts(given, load_aware=True) == {"encoder": "near", "head": "far"}


@pytest.mark.parametrize(
    ("order", "first"),
    [("compute", "slow"), ("memory", "large"), ("file", "listed")],
)
def test_the_first_module_takes_the_only_room_near(order, first):
    seconds = {"listed": 1.0, "slow": 3.0, "large": 2.0}
    modules = {name: {"near": s, "far": s} for name, s in seconds.items()} | {"head": {"near": 0.0, "far": 0.0}}
    sizes = {"listed": 60.0, "slow": 60.0, "large": 70.0, "head": 0.0}
    placed = hosts(instance(modules, memory=(110.0, 200.0), sizes=sizes), order=order)
    assert [name for name in seconds if placed[name] == "near"] == [first]


@pytest.mark.parametrize(("tie_break", "device"), [("file", "near"), ("reverse", "far"), ("memory", "far")])
def test_ties_go_as_asked(tie_break, device):
    given = instance(
        {"encoder": {"near": 1.0, "far": 1.0}, "head": {"near": 1.0, "far": 1.0}}, latency_s=0.0, memory=(100.0, 101.0)
    )
    assert hosts(given, tie_break=tie_break)["encoder"] == device


def test_the_most_memory_is_that_which_is_left():
    given = instance(
        {"encoder": {"near": 1.0, "far": 1.0}, "head": {"near": 0.5, "far": 0.5}}, latency_s=0.0, memory=(105.0, 100.0)
    )
    assert hosts(given, tie_break="memory") == {"encoder": "near", "head": "far"}


def test_a_module_that_nothing_uses_loads_no_device():
    """Unused and unable to run near, it is placed there; what follows must find the device as it was."""
    given = instance({"encoder": {"near": 2.0, "far": 2.0}, "head": {"near": 1.0, "far": 1.0}}, latency_s=2.0)
    idle = given.modules[0].model_copy(update={"name": "idle", "compute_s": {"far": 50.0}})
    placed = hosts(given.with_changes(modules=(idle, *given.modules)), load_aware=True)
    assert placed == {"idle": "near", "encoder": "near", "head": "near"}


def test_parameters_are_read_by_their_fields():
    made = load("s2m3-greedy", ["order=memory", "load_aware=true", "transfer_aware=false", "tie_break=reverse"])
    assert made == S2M3Greedy(order="memory", load_aware=True, transfer_aware=False, tie_break="reverse")
    assert load("optimum", ["threads=2"], solver="gurobi") == Optimum(solver="gurobi", threads=2)


@pytest.mark.parametrize(
    ("spec", "text", "complaint"),
    [
        ("s2m3-greedy", "ordr=file", "--parameter: ordr: is no field of s2m3-greedy; did you mean 'order'?"),
        ("s2m3-greedy", "order=size", "order: input should be 'compute', 'memory' or 'file', not 'size'"),
        ("s2m3-greedy", "load_aware=perhaps", "load_aware: input should be a valid boolean"),
        ("s2m3-greedy", "order", "order: is not of the form name=value"),
        ("s2m3-greedy", "name=mine", "name: is no field of s2m3-greedy"),
        ("optimum", "threads=2.5", "threads: input should be a valid integer"),
        ("local", "order=file", "order: is no field of local; none is known"),
    ],
)
def test_a_wrong_parameter_is_one_line(spec, text, complaint):
    with pytest.raises(InputError) as caught:
        load(spec, [text])
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_field_of_a_type_that_no_text_has_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Mine:\n"
        "    rank: 'Unheard' = None\n    steps: int = 1\n    name = 'mine'\n\n"
        "    def place(self, instance, *, seed, time_limit):\n        return None\n"
    )
    with pytest.raises(InputError, match="does not say in plain types"):
        load(f"{tmp_path / 'mine.py'}:Mine", ["rank=high"])


def test_a_parameter_twice_is_refused():
    with pytest.raises(InputError, match="given twice"):
        load("s2m3-greedy", ["order=file", "order=memory"])


def test_a_placement_says_which_reading_it_is_of(tmp_path):
    given = instance({"encoder": {"near": 2.0, "far": 9.0}, "head": {"near": 0.45, "far": 0.1}}, latency_s=0.2)
    given.write(tmp_path / "hand.json")

    def solved(*parameters: str) -> Placement:
        solve_stage.run(
            solve_stage.Options(
                [tmp_path / "hand.json"],
                algorithms=["s2m3-greedy"],
                solver=None,
                parameters=list(parameters),
                seed=0,
                time_limit_s=None,
                output=tmp_path / "out.json",
            )
        )
        return Placement.read(tmp_path / "out.json")

    assert solved().algorithm == "s2m3-greedy"
    other = solved("transfer_aware=false")
    assert other.algorithm == "s2m3-greedy[transfer_aware=false]"
    assert other.assignment == {"encoder": ("near",), "head": ("far",)}
