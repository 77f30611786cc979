"""Figures of the emulator: what a ladder adds up to, and that a far point is told instead of drawn to scale."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from splitshare.figures import emulation_causes, fidelity
from splitshare.figures.palette import CAUSES
from splitshare.figures.style import paper_style

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
        (axes,) = emulation_causes._figure(pd.DataFrame([ROW, ROW | {"request": "k"}]), str.upper).axes
    boxes = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    bars = [(round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in boxes]
    assert bars == [(0, 200), (200, 210), (210, 660), (660, 640), (640, 670), (670, 680), (0, 680)]
    assert axes.get_title(loc="left") == f"{str(ROW['instance']).upper()}: 3 workers on 2 cores"


def test_differences_are_in_percent_of_the_emulated_and_shares_in_points():
    table = pd.DataFrame(
        {
            "network": "proxy",
            "max_batch": 1,
            "instance": "one",
            "n": 10,
            "request": ["(all)", "(all)", "(all)", "k"],
            "metric": ["mean_s", "slo_attainment", "p99_s", "mean_s"],
            "emulated": [2.0, 0.9, None, 2.0],
            "emulated_low": [1.9, 0.85, None, 1.9],
            "emulated_high": [2.2, 0.95, None, 2.2],
            "error": [-0.05, 0.02, None, 0.0],
            "error_with_overheads": [-0.01, 0.01, None, 0.0],
        }
    )
    found = fidelity.differences(table).set_index("metric")
    assert list(found.index) == ["mean_s", "slo_attainment"]
    assert list(found.loc["mean_s", ["low", "high", "simulated", "explained"]]) == pytest.approx([-5, 10, -5, -1])
    assert list(found.loc["slo_attainment", ["low", "high", "simulated"]]) == pytest.approx([-5, 5, 2])
    with paper_style():
        panels = fidelity._errors(fidelity.differences(table), str.upper).axes
    assert [axes.get_title() for axes in panels] == ["Mean", "In time (SLO)"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["ONE"]


def test_recovery_spans_begin_at_the_crash_and_at_its_detection():
    recoveries = pd.DataFrame(
        {
            "crash": [0, 1],
            "device": "desktop",
            "broken_s": [10.0, 20.0],
            "detected_s": [10.5, 22.0],
            "replaced_s": [10.75, 22.125],
            "recovered_s": [12.0, 23.0],
        }
    )
    spans = fidelity.recovery_spans(recoveries)
    assert spans.to_numpy().tolist() == [[0.5, 0.25, 2.0], [2.0, 0.125, 3.0]]
    requests = pd.DataFrame(
        {
            "crash": [0, 0, 1],
            "arrival_s": [9.0, 10.0, 25.0],
            "latency_s": [0.5, None, 1.5],
            "status": ["ok", "failed", "ok"],
        }
    )
    with paper_style():
        left, right = fidelity._recovery(requests, recoveries).axes
    served, failed = left.get_lines()[:2]
    assert np.asarray(served.get_xdata()).tolist() == [-1.0, 5.0]  # seconds since the crash of its own replay
    assert np.asarray(failed.get_data()).tolist() == [[0.0], [0.0]]
    assert right.texts[0].get_text() == "1.25 s (0.65 to 1.85)"
