"""The figure of a trace: its dispersion against closed forms, and the rules of style on what is drawn."""

from pathlib import Path

import numpy as np
import pytest

from splitshare.figures.style import paper_style, save_figure, watching
from splitshare.figures.trace_plot import dispersion, trace_figure
from splitshare.replay.arrivals import Gamma, process_of
from splitshare.replay.generators import drawn_trace, poisson_trace
from tests.replay.examples import example


def test_a_poisson_process_has_an_index_of_one() -> None:
    windows_s, index = dispersion(poisson_trace(example(), 5.0, requests=200_000, seed=1).arrival_s)
    assert len(windows_s) == 25
    assert index[:15] == pytest.approx(np.ones(15), abs=0.05)


def test_a_renewal_process_comes_to_its_squared_variation() -> None:
    """Over long windows the index of dispersion of a renewal process is the squared coefficient of variation."""
    times = Gamma(cv=3.0).times(400_000, 5.0, np.random.default_rng(2))
    windows_s, index = dispersion(times)
    long = (windows_s > 100) & (windows_s < 1000)
    assert index[long] == pytest.approx(np.full(long.sum(), 9.0), rel=0.15)


def test_regular_arrivals_have_none() -> None:
    _, index = dispersion(np.arange(10_000.0))
    assert index.max() < 0.3


@pytest.mark.parametrize("kind", ["gamma", "mmpp", "diurnal"])
def test_it_keeps_the_rules_of_style(kind: str, tmp_path: Path) -> None:
    trace = drawn_trace(example(), process_of(kind), 0.7, requests=5000, seed=1, kind=kind)
    with watching() as told, paper_style():
        save_figure(trace_figure(trace), tmp_path, "arrivals")
    assert told == []
    assert (tmp_path / "arrivals.png").stat().st_size > 10_000


@pytest.mark.parametrize("requests", [1, 5])
def test_few_requests_are_drawn_too(requests: int, tmp_path: Path) -> None:
    with watching() as told, paper_style():
        save_figure(trace_figure(poisson_trace(example(), 1.0, requests=requests, seed=0)), tmp_path, "arrivals")
    assert told == []
