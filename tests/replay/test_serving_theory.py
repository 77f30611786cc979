"""Other queues against closed forms; seeds are fixed, bounds come from batch means."""

from collections import OrderedDict

import numpy as np
import pytest
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.metrics import request_metrics, with_deadlines
from splitshare.replay.serving.rules import Serving, Swapping
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from tests.replay.examples import example, module, request, trace_of
from tests.replay.test_queueing_theory import (
    MEAN_SERVICE_S,
    QUEUE,
    RATE_PER_S,
    REQUESTS,
    assert_mean,
    one_queue,
    poisson,
)

LOAD = RATE_PER_S * MEAN_SERVICE_S
DEVICE = one_queue(compute_s=MEAN_SERVICE_S, input_bytes=0.0)
FREE_LINKS = [{"a": a, "b": b, "latency_s": 0.0, "bandwidth_bytes_per_s": 1.0} for a, b in ("ab", "bc", "ac")]


def drawn_sizes(kind: str) -> np.ndarray:
    """Mean 1, squared coefficient of variation 0, 1 or 4."""
    stream = np.random.default_rng(31)
    match kind:
        case "constant":
            return np.ones(REQUESTS)
        case "exponential":
            return stream.exponential(1.0, REQUESTS)
        case _:  # two exponentials of balanced means
            p = (1 + np.sqrt(3 / 5)) / 2
            fast = stream.random(REQUESTS) < p
            drawn: np.ndarray = stream.exponential(np.where(fast, 1 / (2 * p), 1 / (2 * (1 - p))))
            return drawn


@pytest.mark.parametrize("kind", ["constant", "exponential", "hyperexponential"])
def test_processor_sharing_takes_no_notice_of_how_sizes_are_spread(kind: str) -> None:
    """M/G/1-PS: a request of size x takes x / (1 - load) on average (Kleinrock 1967)."""
    size = drawn_sizes(kind)
    latency_s = simulate(DEVICE, QUEUE, poisson(size), serving=Serving(queues={"b": "ps"})).requests["latency_s"]
    assert_mean(latency_s.to_numpy(), MEAN_SERVICE_S / (1 - LOAD))
    assert_mean((latency_s / size).to_numpy(), 1 / (1 - LOAD))


def test_sharing_and_queueing_take_equally_long_with_exponential_sizes() -> None:
    trace = poisson(drawn_sizes("exponential"))
    for queue in ("fcfs", "ps"):
        serving = Serving(queues={"b": queue}, deadline_s={"single": 1e9})
        latency_s = simulate(DEVICE, QUEUE, trace, serving=serving).requests["latency_s"]
        assert_mean(latency_s.to_numpy(), MEAN_SERVICE_S / (1 - LOAD))


def three_classes() -> tuple[PlacementInstance, RequestTrace, dict[str, Route]]:
    names = ("low", "middle", "high")
    instance = example(
        links=FREE_LINKS,
        modules=[module("vision", b=1.0) | {"output_bytes": 0}, module("head", c=0.0)],
        requests=[request(name, {"vision": 0.0}, result_bytes=0) for name in names],
    )
    stream = np.random.default_rng(32)
    plain = poisson(stream.gamma(2.0, 0.5, REQUESTS))
    mix = stream.choice(3, size=REQUESTS, p=[0.5, 0.3, 0.2])
    trace = RequestTrace(plain.request_id, plain.arrival_s, names, mix, plain.size)
    return instance, trace, {name: Route(("b",), "c") for name in names}


def test_priorities_wait_as_cobham_has_it() -> None:
    """M/G/1, non-preemptive: W_k = W_0 / ((1 - s_k)(1 - s_k+1)), s_k the load of class k and above (Cobham 1954)."""
    instance, trace, routes = three_classes()
    serving = Serving(queues={"b": "priority"}, priority={"low": 0, "middle": 4, "high": 7})
    stages = simulate(instance, routes, trace, serving=serving).stages
    queue = stages[stages["stage"] == "encode"]
    wait_s = (queue["start_s"] - queue["ready_s"]).to_numpy()
    residual_s = RATE_PER_S * 1.5 / 2  # the mean square of a gamma of shape 2 and mean 1
    above = {"low": LOAD * 0.5, "middle": LOAD * 0.2, "high": 0.0}
    for k, (name, share) in enumerate(zip(trace.classes, (0.5, 0.3, 0.2), strict=True)):
        own = wait_s[trace.request_class == k]
        own = own[: len(own) // 800 * 800]
        expected = residual_s / ((1 - above[name]) * (1 - above[name] - LOAD * share))
        batches = own[len(own) // 20 :].reshape(40, -1).mean(axis=1)
        error = batches.std(ddof=1) / np.sqrt(40)
        assert error < 0.05 * expected
        assert abs(batches.mean() - expected) < 3.5 * error
    # Whoever is served first, the work waits as it would first come, first served (Kleinrock's conservation law).
    in_line = simulate(instance, routes, trace, serving=Serving(deadline_s={"low": 1e9})).stages
    assert queue["finish_s"].max() == pytest.approx(in_line[in_line["stage"] == "encode"]["finish_s"].max())


def mean_of_two_shortest_queues(rate_per_s: float, most: int = 60) -> float:
    """Mean number in two M/M/1 queues that every arrival joins the shorter of, from the balance equations."""
    rows, columns, rates = [], [], []

    def add(a: tuple[int, int], b: tuple[int, int], rate: float) -> None:
        for to, value in ((b, rate), (a, -rate)):
            rows.append(to[0] * (most + 1) + to[1])
            columns.append(a[0] * (most + 1) + a[1])
            rates.append(value)

    for i in range(most + 1):
        for j in range(most + 1):
            joins = (i + 1, j) if i <= j else (i, j + 1)
            if max(joins) <= most:
                add((i, j), joins, rate_per_s)
            if i:
                add((i, j), (i - 1, j), 1.0)
            if j:
                add((i, j), (i, j - 1), 1.0)
    count = (most + 1) ** 2
    balance = csr_array((rates, (rows, columns)), shape=(count, count)).tolil()
    balance[0] = np.ones(count)
    share = spsolve(balance.tocsr(), eye_array(count, 1).toarray().ravel())
    numbers = np.add.outer(np.arange(most + 1), np.arange(most + 1)).ravel()
    return float(share @ numbers)


def two_copies() -> PlacementInstance:
    return example(
        replication=True,
        links=FREE_LINKS,
        modules=[module("vision", b=1.0, c=1.0) | {"output_bytes": 0}, module("head", a=0.0)],
        requests=[request("single", {"vision": 0.0}, result_bytes=0)],
    )


def test_the_shortest_queue_is_as_its_markov_chain_has_it() -> None:
    plain = poisson(drawn_sizes("exponential"))
    trace = RequestTrace(plain.request_id, plain.arrival_s / 2, plain.classes, plain.request_class, plain.size)
    serving = Serving(routing="shortest-queue", hosts={"vision": ("b", "c"), "head": ("a",)})
    requests = simulate(two_copies(), {"single": Route(("b",), "a")}, trace, serving=serving).requests
    expected = mean_of_two_shortest_queues(2 * RATE_PER_S)
    latency_s = requests["latency_s"].to_numpy()
    assert_mean(latency_s, expected / (2 * RATE_PER_S))  # Little's law
    left = np.searchsorted(np.sort(requests["finish_s"].to_numpy()), trace.arrival_s, side="right")
    assert_mean((np.arange(REQUESTS) - left).astype(float), expected)  # found by arrivals, which see time averages
    # Between one server twice as fast, and two of which one is drawn.
    assert 0.5 / (1 - LOAD) < latency_s.mean() < 1 / (1 - LOAD)
    # Who knows sizes does not do worse than who counts.
    informed = Serving(routing="least-completion", hosts=serving.hosts)
    soonest = simulate(two_copies(), {"single": Route(("b",), "a")}, trace, serving=informed).requests["latency_s"]
    assert soonest.mean() < latency_s.mean()


def test_who_waits_too_long_is_dropped_as_in_an_m_m_1_queue_of_limited_patience() -> None:
    """Barrer 1957: the work found is lambda P0 exp(-(mu - lambda) x) up to the limit D; beyond, nobody is served."""
    limit_s, rate = 3.0, 1.4  # more than the device can do
    plain = poisson(drawn_sizes("exponential"))
    arrival_s = plain.arrival_s * RATE_PER_S / rate
    trace = RequestTrace(plain.request_id, arrival_s, plain.classes, plain.request_class, plain.size)
    result = simulate(DEVICE, QUEUE, trace, serving=Serving(deadline_s={"single": limit_s}))
    encodes = result.stages[result.stages["stage"] == "encode"]
    tail = np.exp(-(1 - rate) * limit_s)
    empty = 1 / (1 + rate * (1 - tail) / (1 - rate) + rate * tail)
    assert_mean(encodes["start_s"].isna().to_numpy(), rate * empty * tail)
    # Every request ends once, and what was done was done in time: the head would not have started later.
    counts = result.requests["status"].value_counts()
    assert counts["ok"] + counts["dropped"] == REQUESTS
    done = result.requests[result.requests["status"] == "ok"]
    assert done["latency_s"].max() <= limit_s
    told = with_deadlines(request_metrics(result.requests), result.requests, {"single": limit_s}).iloc[-1]
    assert told["dropped"] == counts["dropped"] / REQUESTS
    assert told["goodput_per_s"] == told["throughput_per_s"] == pytest.approx(counts["ok"] / arrival_s[-1], rel=1e-3)
    # Seconds of the device: those of the runs that started, no others.
    began = encodes["start_s"].notna().to_numpy()
    assert encodes["busy_s"].sum() == pytest.approx(trace.size[began].sum())


@pytest.mark.parametrize("room", [1, 2, 3, 4])
def test_what_was_used_least_recently_goes_out(room: int) -> None:
    names = [f"m{i}" for i in range(5)]
    instance = example(
        links=FREE_LINKS,
        modules=[*(module(name, b=1.0) | {"output_bytes": 0} for name in names), module("head", c=0.0)],
        requests=[request(name.replace("m", "k"), {name: 0.0}, result_bytes=0) for name in names],
    )
    asked = np.random.default_rng(33).choice(5, size=400, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    trace = trace_of(instance, [(100.0 * i, f"k{m}", 1.0) for i, m in enumerate(asked)])
    hosts = dict.fromkeys(names, ("b",)) | {"head": ("c",)}
    load_s = {("b", name): 2.0 + i for i, name in enumerate(names)}
    serving = Serving(hosts=hosts, swapping=Swapping(load_s, {"b": float(room)}))
    routes = {f"k{i}": Route(("b",), "c") for i in range(5)}
    result = simulate(instance, routes, trace, serving=serving)
    inside = OrderedDict.fromkeys(range(room))
    for m, latency_s in zip(asked.tolist(), result.requests["latency_s"].tolist(), strict=True):
        hit = m in inside
        inside[m] = None
        inside.move_to_end(m)
        while len(inside) > room:
            inside.popitem(last=False)
        assert latency_s == pytest.approx(1.0 if hit else 3.0 + m)
    assert result.loads is not None
    assert result.loads["load_s"].sum() == pytest.approx(result.requests["latency_s"].sum() - 400)
    assert (result.loads["load_bytes"] == result.loads["loads"]).all()  # a byte a module
    assert result.load is not None
    row = result.load.resources.set_index("name").loc["b"]
    assert row["seconds_per_request"] == pytest.approx(result.requests["latency_s"].mean())
