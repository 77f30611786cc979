"""Which links are measured before a replay, which of them side by side, and fifty devices on two cores."""

import itertools
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import splitshare
from splitshare.cli import app
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.emulator.emulate import used_directions
from splitshare.replay.emulator.link_check import SIDE_BY_SIDE, SIDE_BY_SIDE_BYTES_PER_S, rounds
from splitshare.replay.emulator.program import build_program
from tests.replay.examples import example, fields


def many(count: int, *, bandwidth_bytes_per_s: float = 1.25e7, cell: str | None = None) -> PlacementInstance:
    """So many devices, each linked with each; three encoders that fit on no common device, and a head."""
    names = [f"d{i:02}" for i in range(count)]
    changes: dict[str, Any] = {
        "name": "many",
        "devices": [{"name": name, "memory_bytes": 1.0} for name in names],
        "links": [
            {"a": a, "b": b, "latency_s": 0.001, "bandwidth_bytes_per_s": bandwidth_bytes_per_s}
            | ({"cell": cell} if cell else {})
            for a, b in itertools.combinations(names, 2)
        ],
        "modules": [
            {
                "name": f"m{i}",
                "kind": "encoder",
                "memory_bytes": 1.0,
                "output_bytes": 1000,
                "compute_s": {name: 0.02 + 0.001 * ((i * 7 + j) % count) for j, name in enumerate(names)},
            }
            for i in range(4)
        ],
        "requests": [
            fields()["requests"][0]
            | {
                "name": "triple",
                "source": "d00",
                "encoders": [{"module": f"m{i}", "input_bytes": 20_000} for i in range(3)],
                "head": "m3",
            }
        ],
    }
    return PlacementInstance.parse(fields() | changes, "many")


@settings(deadline=None)
@given(st.integers(2, 12), st.sampled_from([1e6, 1.25e7, 1.25e8]), st.sampled_from([None, "air"]), st.data())
def test_rounds_cover_all_and_share_nothing(count: int, rate: float, cell: str | None, data: st.DataObject) -> None:
    instance = many(count, bandwidth_bytes_per_s=rate, cell=cell)
    names = [device.name for device in instance.devices]
    every = [(a, b) for a in names for b in names if a != b]
    asked = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    found = rounds(instance, asked)
    assert sorted(itertools.chain(*found)) == sorted(asked)
    for part in found:
        devices = [device for direction in part for device in direction]
        assert len(set(devices)) == len(devices)
        assert len(part) <= (1 if cell else SIDE_BY_SIDE)
        assert len(part) == 1 or len(part) * rate <= SIDE_BY_SIDE_BYTES_PER_S


def test_used_directions_are_those_of_tensors_and_signals() -> None:
    routes = {"pair": Route(("b", "c"), "b"), "single": Route(("b",), "b")}
    held = {"vision": ("b",), "text": ("c",), "head": ("b",)}
    plain = used_directions(build_program(example(), routes, held, epoch=1))
    assert plain == {("a", "b"), ("a", "c"), ("c", "b"), ("b", "a")}
    chained = used_directions(build_program(example(routing="sequential"), routes, held, epoch=1))
    assert chained == plain | {("b", "c")}  # that vision is done is told to c


@pytest.mark.slow
@pytest.mark.alone
def test_fifty_devices_answer_within_half_a_minute(tmp_path: Path) -> None:
    instance = many(50)
    instance.write(tmp_path / "many.json")
    splitshare.solve(instance, "s2m3-greedy").write(tmp_path / "placement.json")
    (tmp_path / "trace.csv").write_text("request_id,arrival_s,request\n0,0,triple\n1,0.2,triple\n2,0.4,triple\n")
    began = time.monotonic()
    asked = ["emulate", *(str(tmp_path / name) for name in ("many.json", "placement.json", "trace.csv"))]
    done = CliRunner().invoke(app, [*asked, "-o", str(tmp_path / "out.csv"), "--any-links"])
    took_s = time.monotonic() - began
    assert done.exit_code == 0, done.output
    assert "3 issued: 3 ok" in done.output
    used, of = map(int, re.findall(r"(\d+) of (\d+) directions are used and were measured", done.output)[0])
    assert used <= 8
    assert of == 50 * 49
    assert took_s < 45  # 20 s to be ready is the aim on a quiet machine
