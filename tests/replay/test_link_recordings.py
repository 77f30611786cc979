"""Recordings of mobile networks as changes of links: bytes are conserved, held against sums by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.replay.link_changes import read_link_changes
from splitshare.replay.link_recordings import read_link_recording, recorded_changes
from splitshare.replay.simulator import simulate
from tests.replay.examples import example, trace_of
from tests.replay.test_link_changes import ROUTES

UCC = """Timestamp,Latitude,Speed,Operatorname,CellID,NetworkMode,RSRP,RSRQ,SNR,CQI,RSSI,DL_bitrate,UL_bitrate,State
2019.12.14_10.16.30,51.8,4,B,11,5G,-90,-12,8.0,11,-80,8000,800,D
2019.12.14_10.16.31,51.8,4,B,11,5G,-90,-12,8.0,11,-80,1,1,D
2019.12.14_10.16.31,51.8,4,B,11,5G,-90,-12,8.0,11,-80,16000,1600,D
2019.12.14_10.16.33,51.8,4,B,11,5G,-90,-12,8.0,11,-80,-,-,D
2019.12.14_10.16.34,51.8,4,B,11,5G,-90,-12,8.0,11,-80,0,0,I
2019.12.14_10.16.35,51.8,4,B,11,5G,-90,-12,8.0,11,-80,24000,2400,D
"""
GHENT = """1453121790686 1000 51.0386 3.7327 500000 1000
1453121791687 2001 51.0386 3.7328 0 1001
1453121792688 3000 51.0386 3.7329 99900 999
"""


def file_of(folder: Path, text: str, name: str = "recording.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_a_row_of_the_5g_measurements_holds_until_the_next(tmp_path: Path) -> None:
    found = read_link_recording(file_of(tmp_path, UCC))
    assert found.edge_s.tolist() == [0.0, 1.0, 5.0, 6.0]
    assert found.down_bytes_per_s.tolist() == [1e6, 2e6, 3e6]  # 8,000 kbit/s are a megabyte a second
    assert found.up_bytes_per_s is not None
    assert found.up_bytes_per_s.tolist() == [1e5, 2e5, 3e5]
    assert found.told == (
        "1 row is left out: no bandwidth stands there",
        "1 row is left out: an idle phone does not tell what the link can do",
    )


def test_a_line_of_the_4g_logs_tells_of_the_time_before_it(tmp_path: Path) -> None:
    found = read_link_recording(file_of(tmp_path, GHENT, "report_foot_0001.log"))
    assert found.edge_s == pytest.approx([0.0, 1.0, 2.001, 3.0])
    assert found.down_bytes_per_s == pytest.approx([5e5, 0.0, 1e5])
    assert found.up_bytes_per_s is None


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_a_packet_trace_loses_no_packet(gaps_ms: list[int], every_ms: int) -> None:
    """Packets up to each edge, counted one by one; a packet of millisecond t goes between t - 1 and t."""
    from tempfile import TemporaryDirectory

    times_ms = np.cumsum(gaps_ms)
    if times_ms[-1] == 0:
        return
    with TemporaryDirectory() as folder:
        path = file_of(Path(folder), "\n".join(str(t) for t in times_ms) + "\n", "trace.up")
        recording = read_link_recording(path)
    period_ms = int(times_ms[-1])
    horizon_ms = 2 * period_ms + 3
    table = recorded_changes(
        example(), recording, links=["a->b"], every_s=every_ms / 1e3, horizon_s=horizon_ms / 1e3, from_s=0.0
    )
    rows = table[table["link"] == "a->b"]
    carried = 0.0
    for start_s, end_s, rate in zip(
        rows["time_s"], rows["time_s"].iloc[1:], rows["bandwidth_bytes_per_s"], strict=False
    ):
        carried += rate * (end_s - start_s)
        end_ms = round(end_s * 1e3)
        packets = sum(1 for round_ in range(horizon_ms) for t in times_ms if max(t, 1) + round_ * period_ms <= end_ms)
        assert carried == pytest.approx(packets * 1500)


def test_the_other_direction_has_the_uplink(tmp_path: Path) -> None:
    recording = read_link_recording(file_of(tmp_path, UCC))
    table = recorded_changes(example(), recording, links=["a->b", "a--c"], every_s=1.0)
    rates = {name: rows["bandwidth_bytes_per_s"].tolist() for name, rows in table.groupby("link")}
    own = {f"{link.a}--{link.b}": link.bandwidth_bytes_per_s for link in example().links}
    assert rates == {
        "a->b": [1e6, 2e6, 3e6, own["a--b"]],
        "b->a": [1e5, 2e5, 3e5, own["a--b"]],
        "a--c": [1e6, 2e6, 3e6, own["a--c"]],
    }
    later = recorded_changes(example(), recording, links=["a--b"], every_s=2.0, from_s=4.5, horizon_s=4.0)
    # 4.5 to 6 and then from 0 again to 0.5: half a second at 2, one at 3, half at 1 MB/s.
    assert later["bandwidth_bytes_per_s"].tolist() == pytest.approx([2.25e6, (0.5 * 1e6 + 1.5 * 2e6) / 2, own["a--b"]])


def test_a_recording_goes_through_the_commands(tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    path = file_of(tmp_path, GHENT, "report_foot_0001.log")
    asked = ["link-changes", str(tmp_path / "i.json"), "-o", str(tmp_path / "o.csv"), "--kind", "recorded"]
    done = CliRunner().invoke(app, [*asked, "--recording", str(path), "--link", "a--b", "--every-s", "1"])
    assert done.exit_code == 0, str(done.exception) + done.output
    assert "read as 4G/LTE bandwidth logs" in done.output
    assert "changes of 1 link until 3 s" in done.output
    changes = read_link_changes(tmp_path / "o.csv", example())
    trace = trace_of(example(), [(0.0, "single", 1.0)])  # 100,000 bytes at half a megabyte a second
    first = simulate(example(), ROUTES, trace, changes=changes).stages.iloc[0]
    assert first["busy_s"] == pytest.approx(0.2)
    wanted = pd.read_csv(tmp_path / "o.csv")["bandwidth_bytes_per_s"].tolist()
    assert wanted == pytest.approx([5e5, 0.0, 1e5, 1e6], rel=2e-3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("one two\n", "is no recording that is known"),
        (GHENT[:-8], "row 3: has 5 fields, and the first row 6; does the file end in the middle of a line"),
        (GHENT.replace("3000", "2001"), "since_start_ms, row 3: must be above that of the row above"),
        (GHENT.replace(" 999\n", " 0\n"), "elapsed_ms, row 3: must be above 0"),
        ("5\n3\n", "millisecond, row 2: comes before the row above"),
        ("0\n0\n", "must be above 0"),
        ("5\nx\n", "millisecond, row 2: must be a whole number"),
        (UCC.replace("16.31", "16.29", 1), "Timestamp, row 2: comes before the row above"),
        (UCC.replace("2019.12.14_10.16.33", "2019-12-14"), ""),  # a row that is left out may say what it will
        (UCC.replace("2019.12.14_10.16.35", "2019-12-14"), "Timestamp, row 6: must be a time such as"),
        (UCC.replace("24000", "fast"), "DL_bitrate, row 6: must be a number"),
        (UCC.replace(",D\n", ",I\n"), "no row tells a bandwidth"),
        (UCC.replace("UL_bitrate", "UP_bitrate"), "UP_bitrate: unknown column"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(text: str, problem: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, text)
    if not problem:
        read_link_recording(path)
        return
    with pytest.raises(InputError) as caught:
        read_link_recording(path)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--link", "a--z"], "is no link of example"),
        (["--link", "a--b", "--link", "b->a"], "is named twice"),
        (["--from-s", "99"], "lies behind the end of the recording"),
        (["--every-s", "1e-9"], "more than a million changes"),
        (["--stay-s", "3"], "--stay-s: has no meaning for the kind recorded"),
    ],
)
def test_options_that_do_not_fit_are_told(more: list[str], problem: str, tmp_path: Path) -> None:
    example().write(tmp_path / "i.json")
    path = file_of(tmp_path, GHENT)
    asked = ["link-changes", str(tmp_path / "i.json"), "-o", str(tmp_path / "o.csv"), "--kind", "recorded"]
    done = CliRunner().invoke(app, [*asked, "--recording", str(path), *more])
    assert problem in str(done.exception) + done.output
    assert not (tmp_path / "o.csv").exists()
    drawn = CliRunner().invoke(app, [*asked[:-1], "markov", "--horizon-s", "10", "--recording", str(path)])
    assert "has no meaning for the kind markov" in str(drawn.exception) + drawn.output
