"""Figures of the emulator: what a ladder adds up to, and that a far point is told instead of drawn to scale."""

import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from splitshare.figures import emulation_causes, fidelity
from splitshare.figures.style import CAUSES, paper_style

ROW = {
    "instance": "i",
    "request": "(all)",
    "workers": 3,
    "cores": 2,
    "emulated_s": 0.68,
    "emulated_low_s": 0.66,
    "emulated_high_s": 0.7,
    "ideal_s": 0.2,
    "with_overheads_s": 0.21,
    "with_host_s": 0.66,
    "with_slowdown_s": 0.64,
    "with_waiting_s": 0.67,
}


def test_causes_add_up_to_the_difference():
    added = emulation_causes.added_s(pd.Series(ROW))
    assert list(added) == list(CAUSES)
    assert list(added.values()) == pytest.approx([0.01, 0.45, -0.02, 0.03, 0.01])
    assert sum(added.values()) == pytest.approx(0.68 - 0.2)


def test_the_ladder_ends_where_the_emulation_does():
    with paper_style():
        (axes,) = emulation_causes._figure(pd.DataFrame([ROW, ROW | {"request": "k"}])).axes
    boxes = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    bars = [(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in boxes]
    assert bars == [(0, 200), (200, 210), (210, 660), (660, 640), (640, 670), (670, 680), (0, 680)]
    assert "3 workers on 2 cores" in axes.get_title(loc="left")


def test_a_far_point_stands_at_the_edge_with_its_value():
    errors = [-0.01, -0.02, -0.015, -0.184]
    table = pd.DataFrame(
        {
            "network": "proxy",
            "max_batch": 1,
            "instance": ["one", "one", "two", "two"],
            "request": "(all)",
            "metric": ["mean_s", "p50_s", "mean_s", "p50_s"],
            "emulated": 1.0,
            "emulated_low": 0.995,
            "emulated_high": 1.005,
            "error": errors,
            "error_with_overheads": 0.001,
        }
    )
    with paper_style():
        panels = fidelity._errors(table).axes
    low, high = panels[1].get_xlim()
    assert -3 < low < -2
    assert 0 < high < 1
    assert [text.get_text() for axes in panels for text in axes.texts] == ["-18.4 %"]
    assert panels[0].get_xlim() == (low, high)
