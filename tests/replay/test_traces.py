import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from splitshare.errors import InputError
from splitshare.replay.generators import poisson_trace
from splitshare.replay.traces import RequestTrace, read_trace, write_trace
from tests.replay.examples import example, trace_of

GOOD = "request_id,arrival_s,request\n7,0.0,pair\n3,0.1,single\n5,0.1,pair\n"


def same(a: RequestTrace, b: RequestTrace) -> bool:
    return a.classes == b.classes and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("request_id", "arrival_s", "request_class", "size")
    )


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0), (1.0, 0.1, 1 / 3)])
def test_what_is_written_is_read_back_bit_by_bit(tmp_path, suffix, sizes) -> None:
    instance = example()
    times = (0.1 + 0.2, 1e-17 + 0.7, 12345.678901234567)
    trace = trace_of(instance, [(t, n, s) for t, n, s in zip(times, ("single", "pair", "single"), sizes, strict=True)])
    path = tmp_path / f"trace{suffix}"
    write_trace(trace, path)
    assert same(read_trace(path, instance), trace)
    first = path.read_bytes()
    write_trace(trace, path)
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_trace_says_how_it_was_made(tmp_path) -> None:
    drawn = poisson_trace(example(), 1.0, requests=3, seed=1)
    write_trace(drawn, tmp_path / "by-another-name.parquet")
    assert read_trace(tmp_path / "by-another-name.parquet").kind == drawn.kind == "poisson"
    write_trace(drawn, tmp_path / "poisson.csv")
    assert read_trace(tmp_path / "poisson.csv").kind is None


def test_classes_come_from_the_file_without_an_instance(tmp_path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("\ufeff" + GOOD.replace("\n", "\r\n").rstrip())
    trace = read_trace(path)
    assert trace.classes == ("pair", "single")
    assert trace.request_class.tolist() == [0, 1, 0]
    assert trace.request_id.tolist() == [7, 3, 5]
    assert trace.size.tolist() == [1.0, 1.0, 1.0]


def test_pandas_own_files_are_read(tmp_path) -> None:
    path = tmp_path / "trace.parquet"
    pd.DataFrame({"request": ["pair"], "size": [2], "request_id": [1], "arrival_s": [3]}).to_parquet(path)
    trace = read_trace(path, example())
    assert (trace.arrival_s.tolist(), trace.size.tolist()) == ([3.0], [2.0])


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("", "", "is empty"),
        ("request_id,arrival_s,request\n", "", "no rows"),
        ("request_id,arrival_s\n1,0\n", "request", "missing"),
        (GOOD.replace("arrival_s", "arival_s"), "arival_s", "did you mean 'arrival_s'"),
        ("request_id,arrival_s,request,request\n1,0,pair,pair\n", "request", "twice"),
        (GOOD.replace("3,0.1", "3,nan"), "arrival_s, row 2", "from 0 to"),
        (GOOD.replace("3,0.1", "3,inf"), "arrival_s, row 2", "from 0 to"),
        (GOOD.replace("3,0.1", "3,-0.1"), "arrival_s, row 2", "from 0 to"),
        (GOOD.replace("3,0.1", "3,soon"), "arrival_s, row 2", "'soon'"),
        (GOOD.replace("3,0.1", "3,1_0"), "arrival_s, row 2", "'1_0'"),
        (GOOD.replace("3,0.1", "3,"), "arrival_s, row 2", "''"),
        (GOOD.replace("3,0.1", "3,0.2"), "arrival_s, row 3", "sort by arrival_s"),
        (GOOD.replace("5,0.1", "7,0.1"), "request_id, row 3", "7 stands in an earlier row"),
        (GOOD.replace("5,0.1", "-5,0.1"), "request_id, row 3", "whole number"),
        (GOOD.replace("5,0.1", "5.5,0.1"), "request_id, row 3", "whole number"),
        (GOOD.replace("single", "singel"), "request, row 2", "did you mean 'single'"),
        (GOOD.replace("single", ""), "request, row 2", "is empty"),
        (GOOD.replace("3,0.1,single", "3,0.1"), "row 2", "2 fields"),
        (GOOD.replace("3,0.1,single", "3,0.1,single,1"), "row 2", "4 fields"),
        ("request_id,arrival_s,request,size\n1,0,pair,-1\n", "size, row 1", "from 0 to"),
    ],
)
def test_a_mistake_is_named_with_column_and_row(tmp_path, text, field, problem) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=problem) as error:
        read_trace(path, example())
    assert (error.value.source, error.value.field) == (str(path), field)


@pytest.mark.parametrize(
    ("columns", "field", "problem"),
    [
        ({"request_id": [1, None], "arrival_s": [0.0, 1.0], "request": ["pair", "pair"]}, "request_id, row 2", "null"),
        ({"request_id": [1, 2], "arrival_s": [0.0, None], "request": ["pair", "pair"]}, "arrival_s, row 2", "null"),
        (
            {"request_id": [1, 2], "arrival_s": [0.0, np.nan], "request": ["pair", "pair"]},
            "arrival_s, row 2",
            "from 0 to",
        ),
        ({"request_id": [1, 2], "arrival_s": [0.0, 1.0], "request": ["pair", None]}, "request, row 2", "null"),
        (
            {"request_id": [1, -2], "arrival_s": [0.0, 1.0], "request": ["pair", "pair"]},
            "request_id, row 2",
            "from 0 to",
        ),
        ({"request_id": [1.0], "arrival_s": [0.0], "request": ["pair"]}, "request_id", "whole numbers"),
        ({"request_id": [1], "arrival_s": ["0"], "request": ["pair"]}, "arrival_s", "column of numbers"),
        ({"request_id": [1], "arrival_s": [0.0], "request": [0]}, "request", "column of text"),
        ({"request_id": [1], "arrival_s": [0.0], "request": ["pair"], "extra": [0]}, "extra", "unknown column"),
        ({"request_id": [1], "arrival_s": [0.0], "request": ["pear"]}, "request, row 1", "did you mean 'pair'"),
    ],
)
def test_a_mistake_in_parquet_is_named_too(tmp_path, columns, field, problem) -> None:
    path = tmp_path / "trace.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(InputError, match=problem) as error:
        read_trace(path, example())
    assert error.value.field == field


def test_files_that_are_no_table(tmp_path) -> None:
    whole = tmp_path / "whole.parquet"
    write_trace(trace_of(example(), [(0.0, "pair", 1.0)]), whole)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-20])
    (tmp_path / "trace.txt").write_text(GOOD)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.parquet").mkdir()
    for name in ("cut.parquet", "missing.parquet", "missing.csv", "trace.txt", "bytes.csv", "folder.parquet"):
        with pytest.raises(InputError):
            read_trace(tmp_path / name, example())


def test_a_trace_made_by_hand_is_checked() -> None:
    with pytest.raises(ValueError, match="decrease"):
        trace_of(example(), [(1.0, "pair", 1.0), (0.5, "pair", 1.0)])
    with pytest.raises(ValueError, match="1 or more"):
        trace_of(example(), [])
