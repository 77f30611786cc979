"""What a trace asks of devices and links: against sums by hand, and against queues that hold or grow."""

import math

import numpy as np
import pytest

from splitshare.placement.objective import Route
from splitshare.replay.generators import poisson_trace
from splitshare.replay.metrics import utilisation
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from tests.replay.examples import example, fields

ROUTES = {"pair": Route(("b", "c"), "b"), "single": Route(("b",), "b")}


def trace(arrival_s: list[float], classes: list[int], size: list[float] | None = None) -> RequestTrace:
    return RequestTrace(
        request_id=np.arange(len(arrival_s)),
        arrival_s=np.array(arrival_s),
        classes=("pair", "single"),
        request_class=np.array(classes),
        size=np.ones(len(arrival_s)) if size is None else np.array(size),
    )


def test_offered_load_by_hand() -> None:
    """Two pairs, one of twice the size, and a single one, within 4 s: three requests, a mean rate of a half a second.

    ``b`` computes vision (0.2 s) and heads (0.01 s) of all: 0.21 x (1 + 2 + 1) = 0.84 s, 0.28 s a request, 0.14 of its
    time. ``c`` computes texts, 0.1 x 3 = 0.3 s: 0.05. The link from a to b carries pictures, 0.1 x 4 = 0.4 s: 0.0667.
    """
    load = simulate(example(), ROUTES, trace([0.0, 1.0, 4.0], [0, 0, 1], [1.0, 2.0, 1.0])).load
    assert load is not None
    told = load.resources.set_index(["kind", "name"])["offered"]
    assert load.rate_per_s == pytest.approx(0.5)
    assert told["device", "b"] == pytest.approx(0.14)
    assert told["device", "c"] == pytest.approx(0.05)
    assert told["link", "a->b"] == pytest.approx(0.4 / 3 / 2)
    assert ("device", "a") not in told.index
    assert load.bottleneck == "device b"
    assert load.holds_per_s == pytest.approx(1 / 0.28)
    assert not load.grows
    assert "The bottleneck is the device b, asked for 14.0% of its time; the system holds 3.57" in load.in_words()


def test_all_at_once() -> None:
    load = simulate(example(), ROUTES, trace([0.0, 0.0], [1, 1])).load
    assert load is not None
    assert math.isinf(load.rate_per_s)
    assert load.holds_per_s == pytest.approx(1 / 0.21)
    assert "all requests arrive at once" in load.in_words()


def test_a_cell_is_asked_for_by_all_its_links() -> None:
    links = [link | {"cell": "air"} for link in fields()["links"]]
    requests = trace([0.0, 10.0], [1, 1])
    apart = simulate(example(links=links), ROUTES, requests, link_model="serial").load
    shared = simulate(example(links=links), ROUTES, requests, link_model="shared-medium").load
    assert apart is not None
    assert shared is not None
    assert {kind for kind, _ in apart.resources[["kind", "name"]].to_numpy()} == {"device", "link"}
    cell = shared.resources.set_index(["kind", "name"])["offered"]["cell", "air"]
    assert cell == pytest.approx((0.1 + 10 / 1e6) / 10)  # a picture to b, and the result of 10 bytes back
    free = simulate(example(links=links), ROUTES, requests, link_model="independent").load
    assert free is not None
    assert set(free.resources["kind"]) == {"device"}


@pytest.mark.parametrize(("share", "grows"), [(0.9, False), (1.2, True)])
def test_queues_hold_below_the_rate_and_grow_above_it(share: float, grows: bool) -> None:
    instance = example()
    routes = {"pair": Route(("b", "c"), "a"), "single": Route(("b",), "a")}  # no request queues at b twice
    first = simulate(instance, routes, poisson_trace(instance, 1.0, requests=2000, seed=3)).load
    assert first is not None
    result = simulate(instance, routes, poisson_trace(instance, share * first.holds_per_s, requests=20_000, seed=4))
    assert result.load is not None
    assert result.load.grows == grows
    assert result.load.in_words().startswith("OVERLOADED") == grows
    latency_s = result.requests["latency_s"].to_numpy()
    early, late = latency_s[1000:5000].mean(), latency_s[-4000:].mean()
    if grows:  # after t seconds the queue holds (share - 1) t seconds of work
        assert late > 3 * early
        expected = (share - 1) * result.requests["arrival_s"].iloc[-2000]
        assert late == pytest.approx(expected, rel=0.1)
    else:
        assert late < 3 * early
        busy = utilisation(result.requests, result.stages, instance).set_index("name")["utilisation"]
        assert busy["b"] == pytest.approx(result.load.offered, rel=0.01)
