"""Files of events: what both readers have in common, of devices and classes and of clients and servers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from splitshare.adaptation import onloading_timeline, timeline
from splitshare.errors import InputError
from tests.adaptation.examples import two
from tests.adaptation.wrong import complaint
from tests.replay.examples import example


@dataclass(frozen=True)
class Reader:
    """A reader, what leaves and comes back in its files, and how."""

    read: Callable[[Path], object]
    kinds: tuple[str, ...]
    name: str
    goes: str
    comes: str


READERS = {
    "placement": Reader(
        lambda path: timeline.read_events(path, example()), timeline.KINDS, "b", goes="leaves", comes="joins"
    ),
    "onloading": Reader(
        lambda path: onloading_timeline.read_changes(path, two()),
        onloading_timeline.KINDS,
        "s0",
        goes="lost",
        comes="back",
    ),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("1,left,{name},", "what, row 1: must be one of {kinds}, not 'left'"),
        ("1,{goes},z,\n2,left,{name},", "name, row 1: 'z' is no "),
        ("1,{comes},{name},", "name, row 1: '{name}' is there already; leave the row out"),
        ("1,{goes},{name},\n2,{goes},{name},", "name, row 2: '{name}' is away already; leave the row out"),
        ("1,{goes},{name},\n1,{goes},{name},\n2,left,{name},", "name, row 2: '{name}' is away already"),
        ("1,{goes},{name},3", "value, row 1: has no meaning for {goes}; leave it empty"),
        ("x,{goes},{name},", "time_s, row 1: must be a number"),
        ("2,{goes},{name},\n1,{comes},{name},", "time_s, row 2: is before the row above; sort by time_s"),
        ("1,{goes}", "row 1: has 2 fields where the header has 4"),
    ],
)
def test_a_wrong_event_is_told_with_its_row(reader: Reader, rows: str, problem: str, tmp_path: Path) -> None:
    words = {"name": reader.name, "goes": reader.goes, "comes": reader.comes, "kinds": ", ".join(reader.kinds)}
    assert problem.format(**words) in complaint(reader.read, rows.format(**words), tmp_path)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_events_are_in_a_csv_file(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a CSV file"):
        reader.read(tmp_path / "events.json")


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_leaves_may_come_back_and_leave_again(reader: Reader, tmp_path: Path) -> None:
    rows = [f"{i},{what},{reader.name}" for i, what in enumerate([reader.goes, reader.comes, reader.goes])]
    (tmp_path / "e.csv").write_text("\n".join(["time_s,what,name", *rows, ""]))
    found = reader.read(tmp_path / "e.csv")
    assert isinstance(found, tuple)
    assert [(one.time_s, one.what) for one in found] == [(0, reader.goes), (1, reader.comes), (2, reader.goes)]
