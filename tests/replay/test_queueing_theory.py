"""The simulator against closed forms of queueing theory; seeds are fixed, bounds come from batch means."""

import numpy as np
import pytest

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.objective import Route
from splitshare.replay.simulator import simulate
from splitshare.replay.traces import RequestTrace
from tests.replay.examples import example, module, request

REQUESTS = 400_000
BATCHES = 40
RATE_PER_S = 0.7
MEAN_SERVICE_S = 1.0
QUEUE = {"single": Route(("b",), "c")}


def one_queue(*, compute_s: float, input_bytes: float) -> PlacementInstance:
    """A device that computes and a link that carries, one of which takes time; everything else takes none."""
    return example(
        links=[{"a": a, "b": b, "latency_s": 0.0, "bandwidth_bytes_per_s": 1.0} for a, b in ("ab", "bc", "ac")],
        modules=[module("vision", b=compute_s) | {"output_bytes": 0}, module("head", c=0.0)],
        requests=[request("single", {"vision": input_bytes}, result_bytes=0)],
    )


def poisson(size: np.ndarray | None = None) -> RequestTrace:
    stream = np.random.default_rng(20)
    return RequestTrace(
        request_id=np.arange(REQUESTS, dtype=np.int64),
        arrival_s=np.cumsum(stream.exponential(1 / RATE_PER_S, REQUESTS)),
        classes=("single",),
        request_class=np.zeros(REQUESTS, dtype=np.int64),
        size=np.ones(REQUESTS) if size is None else size,
    )


def waits_s(instance: PlacementInstance, trace: RequestTrace, stage: str) -> np.ndarray:
    stages = simulate(instance, QUEUE, trace, link_model="serial").stages
    queue = stages[stages["stage"] == stage]
    return (queue["start_s"] - queue["ready_s"]).to_numpy()


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    batches = values[REQUESTS // 20 :].reshape(BATCHES, -1).mean(axis=1)  # the first 5 % start empty
    return float(batches.mean()), float(batches.std(ddof=1) / np.sqrt(BATCHES))


def assert_mean(values: np.ndarray, expected: float) -> None:
    mean, error = mean_and_error(values)
    assert error < 0.03 * expected, "too uncertain to tell"
    assert abs(mean - expected) < 3.5 * error


def test_exponential_service_waits_as_an_m_m_1_queue() -> None:
    size = np.random.default_rng(21).exponential(MEAN_SERVICE_S, REQUESTS)
    waits = waits_s(one_queue(compute_s=1.0, input_bytes=0.0), poisson(size), "encode")
    load = RATE_PER_S * MEAN_SERVICE_S
    assert_mean(waits, load * MEAN_SERVICE_S / (1 - load))
    assert_mean(waits > 0, load)  # the share that finds the device busy
    # The wait of an M/M/1 queue exceeds t with probability load * exp(-(mu - lambda) t).
    assert_mean(waits > 5.0, load * np.exp(-(1 - RATE_PER_S) * 5.0))


@pytest.mark.parametrize(
    ("stage", "instance"),
    [
        ("encode", one_queue(compute_s=MEAN_SERVICE_S, input_bytes=0.0)),
        ("input", one_queue(compute_s=0.0, input_bytes=MEAN_SERVICE_S)),
    ],
    ids=["device", "serial-link"],
)
def test_constant_service_waits_as_an_m_d_1_queue(stage: str, instance: PlacementInstance) -> None:
    trace = poisson()
    waits = waits_s(instance, trace, stage)
    load = RATE_PER_S * MEAN_SERVICE_S
    expected = load * MEAN_SERVICE_S / (2 * (1 - load))
    assert_mean(waits, expected)
    # Little's law with arrivals that see time averages: those found waiting are rate times mean wait.
    began = trace.arrival_s + waits
    found_waiting = np.arange(REQUESTS) - np.searchsorted(began, trace.arrival_s, side="right")
    assert_mean(np.maximum(found_waiting, 0), RATE_PER_S * expected)


def test_a_slower_constant_server_hides_a_faster_one_before_it() -> None:
    # In tandem, waiting at the fast link only spares waiting at the slow device (Friedman 1965): same latency.
    instance = one_queue(compute_s=1.0, input_bytes=0.4)
    independent = simulate(instance, QUEUE, poisson(), link_model="independent").requests["latency_s"]
    serial = simulate(instance, QUEUE, poisson(), link_model="serial").requests["latency_s"]
    assert np.allclose(independent, serial, rtol=0, atol=1e-6)
