"""Links that change, as they are emulated: the relay's arithmetic, and a whole run beside the simulator's."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.placement.objective import evaluate
from splitshare.replay.emulator.driver import DriverOptions
from splitshare.replay.emulator.emulate import EmulationOptions, replay
from splitshare.replay.emulator.network import WorkerSetup, proxy_testbed
from splitshare.replay.emulator.relay import RelayedChange, Shaper
from splitshare.replay.emulator.testbed import open_testbed
from splitshare.replay.link_changes import LinkChanges, read_link_changes
from splitshare.replay.simulator import simulate
from tests.commands.test_replay import placement
from tests.replay.emulator.test_emulate import ASSIGNMENT
from tests.replay.examples import example, trace_of
from tests.replay.test_link_changes import leaves_s, written


@settings(deadline=None)
@given(st.data())
def test_the_relay_sends_bytes_when_they_should_leave(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    times = np.cumsum(data.draw(st.lists(st.integers(1, 100), min_size=count, max_size=count))) / 100
    rates = data.draw(st.lists(st.sampled_from([0.0, 100.0, 1000.0, 5000.0]), min_size=count, max_size=count))
    rates[-1] = max(rates[-1], 100.0)
    changes = [RelayedChange(time_s=t, bytes_per_s=r, latency_s=0.0) for t, r in zip(times, rates, strict=True)]
    shaper = Shaper(1000.0, changes=changes)
    began = 50.0
    shaper.begin(began)
    free = 0.0
    now = began
    for gap, size in data.draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 400)), min_size=1, max_size=10)):
        now += gap / 100
        free = leaves_s([0.0, *times], [1000.0, *rates], max(now - began, free), size)
        assert shaper.leaves_s(now, size) - began == pytest.approx(free, abs=1e-9)


def test_latencies_change_with_the_time() -> None:
    changes = [RelayedChange(time_s=t, bytes_per_s=1.0, latency_s=s) for t, s in ((1.0, 0.2), (2.0, 0.0))]
    shaper = Shaper(None, 0.01, changes)
    assert shaper.latency_at(1e9) == 0.01  # nothing changes before the replay begins
    shaper.begin(100.0)
    assert [shaper.latency_at(t) for t in (99.0, 100.5, 101.0, 101.9, 102.0)] == [0.01, 0.01, 0.2, 0.2, 0.0]


@pytest.mark.alone
def test_a_slow_spell_is_emulated_as_it_is_simulated(tmp_path: Path) -> None:
    """From 1 to 3 s the link to the encoder carries a twentieth, and for half a second in it nothing at all."""
    instance = example()
    rows = ("a->b,1,50000,0.02", "a->b,1.5,0,0.02", "a->b,2,50000,0.02", "a->b,3,1000000,0.001")
    changes = read_link_changes(written(tmp_path, *rows), instance)
    arrivals = [(0.4 * i, "single", 1.0) for i in range(12)]
    trace = trace_of(instance, arrivals)
    simulated = simulate(instance, evaluate(instance, ASSIGNMENT).routes, trace, changes=changes)
    plain = simulate(instance, evaluate(instance, ASSIGNMENT).routes, trace)
    options = EmulationOptions(driver=DriverOptions(deadline_s=20.0))
    with proxy_testbed(instance, WorkerSetup(), "serial", lambda _: None, changes) as testbed:
        emulated = replay(instance, ASSIGNMENT, trace, testbed, options=options)
    assert emulated.counts == {"ok": 12, "dropped": 0, "failed": 0}
    late_s = emulated.result.requests["latency_s"] - simulated.requests["latency_s"]
    assert late_s.median() < 0.08
    assert late_s.abs().max() < 0.4
    slow = (simulated.requests["latency_s"] - plain.requests["latency_s"]) > 0.5
    assert slow.sum() >= 4  # the spell is there in both
    assert (emulated.result.requests["latency_s"][slow] - plain.requests["latency_s"][slow] > 0.4).all()


def test_where_links_cannot_change_is_told(tmp_path: Path) -> None:
    still = LinkChanges({})
    for network, link_model in (("namespaces", "serial"), ("proxy", "shared-medium")):
        with pytest.raises(InputError, match="links change only as emulated by --network proxy"):
            open_testbed(
                example(),
                WorkerSetup(),
                network=network,  # type: ignore[arg-type]
                link_model=link_model,  # type: ignore[arg-type]
                echo=print,
                changes=still,
            )
    example().write(tmp_path / "i.json")
    placement(example().sha256()).write(tmp_path / "p.json")
    (tmp_path / "t.csv").write_text("request_id,arrival_s,request\n0,0,single\n")
    asked = [
        "emulate",
        *(str(tmp_path / name) for name in ("i.json", "p.json", "t.csv")),
        "-o",
        str(tmp_path / "o.csv"),
    ]
    done = CliRunner().invoke(app, [*asked, "--link-changes", str(written(tmp_path, "a--z,1,1,1"))])
    assert "is no link of example" in str(done.exception) + done.output
