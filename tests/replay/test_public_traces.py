"""Public traces in their true formats, and what a mapping makes of them. The rows are made up, the layout is not."""

import gzip
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.errors import InputError
from splitshare.replay.public_traces import FORMATS, RecordedRequests, read_public_trace
from splitshare.replay.recorded import scaled, warped, window
from splitshare.replay.trace_files import BLOCK_BYTES
from splitshare.replay.trace_mapping import TraceMapping, map_requests
from tests.replay.examples import example

SAMPLES = {
    "azure-llm": (
        "azure.csv",  # 2023: CRLF, seven decimals, no zone, no final newline
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 23:59:59.9999999,4808,10\r\n"
        "2023-11-17 00:00:00.0000001,3180,8\r\n2023-11-17 00:01:00.4999999,110,27",
        [0.0, 2e-7, 60.5],
    ),
    "azure-llm, 2024": (
        "azure.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n"
        "2024-05-10 00:00:00.017335+00:00,2399,6\n",
        [0.0, 0.007405],
    ),
    "azure-lmm-2025": (
        "lmm.csv",
        "TIMESTAMP,NumImages,ContextTokens,GeneratedTokens\n2024-10-15T12:00:00.269Z,1,2048,30\n"
        "2024-10-15T12:00:01.269Z,0,100,20\n",
        [0.0, 1.0],
    ),
    "azure-functions-2021": (
        "functions.csv",  # the second ended first and began last
        "app,func,end_timestamp,duration\n7b2c,e3cf,10.5,10.0\n7b2c,e3cf,3.0,0.5\naa11,b0b0,9.0,8.0\n",
        [0.0, 0.5, 2.0],
    ),
    "burstgpt": (
        "burst.csv",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n"
        "45,GPT-4,1087,230,1317,API log\n",
        [0.0, 40.0],
    ),
    "mooncake": (
        "mooncake.jsonl",
        '{"timestamp": 100, "input_length": 6755, "output_length": 500, "hash_ids": [0, 1, 2]}\n'
        '{"timestamp": 27582, "input_length": 7322, "output_length": 490, "hash_ids": [0, 14]}\n',
        [0.0, 27.482],
    ),
    "plain": ("plain.csv", "arrival_s,user,tokens\n1,ann,3\n1.5,bo,4\n", [0.0, 0.5]),
    "plain-timestamp": ("plain.csv", "timestamp,user\n1731696223500,ann\n1731696224000,bo\n", [0.0, 0.5]),
}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_is_told_from_its_columns(kind: str, packed: bool, tmp_path: Path) -> None:
    name, text, expected = SAMPLES[kind]
    path = written(tmp_path, name, text)
    if packed:
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(text.encode()))
    recorded = read_public_trace(path)
    assert recorded.format.name == kind.partition(",")[0]
    assert recorded.arrival_s == pytest.approx(expected, abs=1e-9)
    assert recorded.told[0].startswith(f"read as {recorded.format.name}")


def test_what_was_read_is_told(tmp_path: Path) -> None:
    told = {kind: read_public_trace(written(tmp_path, *SAMPLES[kind][:2])).told[1:] for kind in SAMPLES}
    assert told["azure-llm"] == ("times have no zone",)
    assert told["azure-llm, 2024"] == ("times have a zone (+00:00 in the first row)",)
    assert told["azure-lmm-2025"] == ("times have a zone (Z in the first row)",)
    assert told["azure-functions-2021"] == ("1 row came before the row above: sorted by time of arrival",)
    assert told["plain-timestamp"] == ("times are milliseconds since 1970",)


def test_columns_are_numbers_or_labels(tmp_path: Path) -> None:
    burst = read_public_trace(written(tmp_path, *SAMPLES["burstgpt"][:2]))
    assert burst.numbers["Response tokens"].tolist() == [18, 230]
    assert burst.labels["Model"][1] == ("ChatGPT", "GPT-4")
    plain = read_public_trace(written(tmp_path, *SAMPLES["plain"][:2]))
    assert plain.numbers["tokens"].tolist() == [3, 4]
    assert plain.labels["user"][0].tolist() == [0, 1]
    functions = read_public_trace(written(tmp_path, *SAMPLES["azure-functions-2021"][:2]))
    assert functions.numbers["duration"].tolist() == [10.0, 8.0, 0.5]  # in order of arrival


GAPS = {
    "csv": b"arrival_s,n,who\n0,5,ann\n1,,\n2, ,ann\n3,0,bo\n",
    "jsonl": b"""{"arrival_s": 0, "n": 5, "who": "ann"}
{"arrival_s": 1, "n": null, "who": null}
{"arrival_s": 2, "n": null, "who": "ann"}
{"arrival_s": 3, "n": 0, "who": "bo"}
""",
    "parquet": pd.DataFrame(
        {"arrival_s": [0, 1, 2, 3], "n": [5.0, None, np.nan, 0.0], "who": ["ann", None, "ann", "bo"]}
    ).to_parquet(),
}


@pytest.mark.parametrize("suffix", GAPS)
def test_a_number_that_is_not_there_is_in_no_range(suffix: str, tmp_path: Path) -> None:
    """Not one cell that is empty makes a column of numbers one of text, on which ranges mean nothing."""
    (tmp_path / f"t.{suffix}").write_bytes(GAPS[suffix])
    rows = read_public_trace(tmp_path / f"t.{suffix}")
    assert np.array_equal(rows.numbers["n"], [5, np.nan, np.nan, 0], equal_nan=True)
    assert rows.labels["who"][0].tolist() == [0, 1, 0, 2]
    assert rows.told[1:] == ("n: a column of numbers in which 2 of 4 rows have none",)
    low, high, none = {"at_least": 0, "below": 3}, {"at_least": 3}, ""
    for condition, expected in ((low, [3]), (high, [0]), (none, [1, 2]), ({"at_least": 0}, [0, 3])):
        trace, _ = mapped(rows, classes=[{"where": {"n": condition}, "requests": {"pair": 1}}])
        assert (trace.arrival_s + expected[0]).tolist() == expected
    sized = {"column": "n", "per": 5}
    trace, _ = mapped(rows, classes=[{"where": {"n": high}, "requests": {"pair": 1}}], size=sized)
    assert trace.size.tolist() == [1]
    with pytest.raises(InputError, match="'n' has no number in 2 of 4 rows that a rule fits; ask for one"):
        mapped(rows, size=sized)


def test_a_word_in_a_column_of_numbers_is_told(tmp_path: Path) -> None:
    rows = read_public_trace(written(tmp_path, "t.csv", "arrival_s,n,none\n0,5,\n1,,\n2,n/a,\n3,?,\n"))
    for name, problem in (("n", "a column of text, for 'n/a' stands there; name one"), ("none", "of text; name one")):
        with pytest.raises(InputError, match=problem):
            mapped(rows, classes=[{"where": {name: {"at_least": 1}}, "requests": {"pair": 1}}])


def test_a_rule_that_gets_no_row_is_told() -> None:
    one = {"requests": {"pair": 1}}
    _, told = mapped(recorded([0, 1], n=[0, 5]), classes=[{"where": {"n": {"at_least": 6}}} | one, one, one])
    assert told == ("classes[0] fits no row", "classes[2] fits no row that no rule above fits")


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, *SAMPLES["burstgpt"][:2])
    pd.read_csv(path).to_parquet(tmp_path / "burst.parquet")
    assert pq.ParquetFile(tmp_path / "burst.parquet").metadata.num_rows == 2
    one, other = read_public_trace(path), read_public_trace(tmp_path / "burst.parquet")
    assert one.arrival_s.tolist() == other.arrival_s.tolist()
    assert {k: v.tolist() for k, v in one.numbers.items()} == {k: v.tolist() for k, v in other.numbers.items()}
    assert one.labels["Model"][1] == other.labels["Model"][1]


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("", "", "is empty"),
        ("arrival_s\n", "", "has no rows"),
        ("arrival_s,arrival_s\n1,1\n", "arrival_s", "stands twice"),
        ("time,user\n1,a\n", "", "has no column of times"),
        ("TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9,1\n", "GeneratedTokens", "the column is missing"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens,x\n2023-11-16 18:17:03.9,1,1,1\n", "x", "unknown column"),
        ("arrival_s,a\n1,2\n2\n", "row 2", "does the file end in the middle of a line?"),
        ("arrival_s\n1\n0.5\n", "arrival_s, row 2", "comes before the row above"),
        ("arrival_s\n1\nx\n", "arrival_s, row 2", "must be a number"),
        (
            "timestamp\n2023-11-16 18:17:03\n2023-11-16 18:17:03Z\n",
            "timestamp, row 2",
            "without a zone, as in the first",
        ),
        ("timestamp\n2023-11-16 18:17:03Z\n2023-13-16 18:17:03Z\n", "timestamp, row 2", "with a zone"),
        ("timestamp\nyesterday\n", "timestamp, row 1", "must be a time such as"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,x,1\n", "ContextTokens, row 1", "number"),
        ("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9,1,-1\n", "GeneratedTokens, row 1", "number"),
    ],
)
def test_a_mistake_is_named_with_its_row(text: str, field: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read_public_trace(written(tmp_path, "trace.csv", text))
    assert error.value.field == field
    assert problem in str(error.value)


def test_mistakes_of_other_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="suffix must be one of"):
        read_public_trace(written(tmp_path, "trace.txt", "arrival_s\n1\n"))
    with pytest.raises(InputError, match="row 2: is no JSON object; does the file end"):
        read_public_trace(written(tmp_path, "t.jsonl", '{"arrival_s": 1}\n{"arrival_s": '))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"arrival_s\n" + b"1\n" * 10_000)[:-20])
    with pytest.raises(InputError, match="cannot be read after row"):
        read_public_trace(tmp_path / "cut.csv.gz")
    with pytest.raises(InputError, match="no Parquet file"):
        read_public_trace(written(tmp_path, "t.parquet", "arrival_s\n"))
    with pytest.raises(InputError, match="cannot be read"):
        read_public_trace(tmp_path / "none.csv")


def test_any_order_on_request(tmp_path: Path) -> None:
    recorded = read_public_trace(written(tmp_path, "t.csv", "arrival_s,n\n3,30\n1,10\n2,20\n"), sort=True)
    assert recorded.arrival_s.tolist() == [0, 1, 2]
    assert recorded.numbers["n"].tolist() == [10, 20, 30]
    assert "1 row came before the row above" in recorded.told[-1]


def test_rows_are_counted_through_blocks(tmp_path: Path) -> None:
    """A mistake behind several blocks is named by its row, and labels are the same in all."""
    filler = "x" * 200
    rows = [f"{i},{'ab'[i % 2]},{filler}" for i in range(3 * BLOCK_BYTES // 210)]
    path = written(tmp_path, "t.csv", "\n".join(["arrival_s,who,pad", *rows]) + "\n")
    recorded = read_public_trace(path)
    assert len(recorded) == len(rows)
    codes, texts = recorded.labels["who"]
    assert texts == ("a", "b")
    assert np.array_equal(codes, np.arange(len(rows)) % 2)
    last = len(rows)
    path.write_text(path.read_text() + "oops,a,b\n")
    with pytest.raises(InputError, match=rf"arrival_s, row {last + 1}"):
        read_public_trace(path)


@pytest.mark.alone
def test_a_million_rows_are_read_in_seconds(tmp_path: Path) -> None:
    rows = "\n".join(f"{i / 10},{i % 500},ab" for i in range(1_000_000))
    path = written(tmp_path, "t.csv", f"arrival_s,n,who\n{rows}\n")
    start = time.perf_counter()
    assert len(read_public_trace(path)) == 1_000_000
    assert time.perf_counter() - start < 20


# Windows and rates


def recorded(times: list[float], **numbers: list[float]) -> RecordedRequests:
    plain = next(known for known in FORMATS if known.name == "plain")
    columns = {name: np.array(values) for name, values in numbers.items()}
    return RecordedRequests(plain, np.array(times), columns, {"who": (np.arange(len(times)) % 2, ("ann", "bo"))})


def test_a_window_starts_anew() -> None:
    part = window(recorded([0, 1, 2, 3, 5], n=[0, 1, 2, 3, 4]), "t.csv", 1.0, 5.0, 2)
    assert part.arrival_s.tolist() == [0, 1]
    assert part.numbers["n"].tolist() == [1, 2]
    with pytest.raises(InputError, match="nothing arrives in this window; its requests come from 0 to 5 s"):
        window(recorded([0, 5]), "t.csv", 2.0, 4.0)


def test_stretching_keeps_the_shape_and_thinning_the_clock() -> None:
    stream = np.random.default_rng(1)
    whole = recorded(np.cumsum(stream.gamma(0.25, 4.0, 20_000)).tolist())
    slow, how = scaled(whole, 0.25, "stretch", seed=0)
    assert len(slow) / slow.arrival_s[-1] == pytest.approx(0.25)
    assert np.diff(slow.arrival_s).std() / np.diff(slow.arrival_s).mean() == pytest.approx(2.0, rel=0.05)
    assert "by stretching time" in how
    thin, _ = scaled(whole, 0.25, "thin", seed=0)
    assert len(thin) == pytest.approx(5000, abs=4 * np.sqrt(20_000 * 0.25 * 0.75))
    assert thin.arrival_s[-1] == pytest.approx(whole.arrival_s[-1], rel=0.01)
    # Thinned at random by p, the squared coefficient of variation of gaps goes from c to p c + 1 - p (renewal process).
    gaps = np.diff(thin.arrival_s)
    assert (gaps.std() / gaps.mean()) ** 2 == pytest.approx(0.25 * 4 + 0.75, rel=0.1)
    with pytest.raises(InputError, match="thinning only lowers a rate"):
        scaled(whole, 5.0, "thin", seed=0)
    with pytest.raises(InputError, match="all requests arrive at once"):
        scaled(recorded([0, 0]), 5.0, "stretch", seed=0)


# Mapping


def mapped(rows: RecordedRequests, *, seed: int = 0, **fields: object):
    mapping = TraceMapping.parse({"schema": "splitshare.trace-mapping/1"} | fields, "m.yaml")
    return map_requests(rows, example(), mapping, source="m.yaml", seed=seed, kind="plain")


def test_the_first_rule_that_fits_is_taken_and_others_are_left_out() -> None:
    rows = recorded([0, 1, 2, 3], n=[0, 5, 0, 5])
    trace, told = mapped(
        rows,
        classes=[
            {"where": {"n": {"at_least": 1, "below": 6}}, "requests": {"pair": 1}},
            {"where": {"who": "ann"}, "requests": {"single": 1}},
        ],
        size={"column": "n", "per": 5, "least": 0.5, "most": 4},
    )
    assert [trace.classes[i] for i in trace.request_class] == ["single", "pair", "single", "pair"]
    assert trace.size.tolist() == [0.5, 1.0, 0.5, 1.0]
    assert told == ("2 sizes are set to the limits, 0.5 and 4",)
    trace, told = mapped(rows, classes=[{"where": {"who": "bo"}, "requests": {"single": 1}}])
    assert trace.arrival_s.tolist() == [0, 2]  # from the first that is left
    assert told == ("2 of 4 rows fit no rule and are left out",)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_weights_are_shares(seed: int) -> None:
    rows = recorded(list(range(4000)))
    trace, _ = mapped(rows, seed=seed, classes=[{"requests": {"pair": 1, "single": 3}}])
    share = float((trace.request_class == 0).mean())
    assert share == pytest.approx(0.25, abs=5 * np.sqrt(0.25 * 0.75 / 4000))
    again, _ = mapped(rows, seed=seed, classes=[{"requests": {"pair": 1, "single": 3}}])
    assert again.request_class.tolist() == trace.request_class.tolist()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"classes": []}, "classes: is empty; it needs at least one entry, or leave it out"),
        ({"classes": [{"requests": {}}]}, "requests: "),
        ({"classes": [{"requests": {"pear": 1}}]}, "classes[0].requests: unknown request class 'pear'; did you mean"),
        ({"classes": [{"where": {"whom": "ann"}, "requests": {"pair": 1}}]}, "where.whom: unknown column 'whom'"),
        ({"classes": [{"where": {"who": "an"}, "requests": {"pair": 1}}]}, "where.who: no row has 'an' there"),
        ({"classes": [{"where": {"n": "5"}, "requests": {"pair": 1}}]}, "is a column of numbers; give a range"),
        ({"classes": [{"where": {"who": {"at_least": 1}}, "requests": {"pair": 1}}]}, "is a column of text"),
        ({"classes": [{"where": {"n": {"at_least": 9}}, "requests": {"pair": 1}}]}, "no row of the trace fits any"),
        ({"size": {"column": "m", "per": 1}}, "size.column: unknown column 'm'"),
        ({"size": {"column": "n", "per": 1, "least": 3, "most": 2}}, "least: must be at most 2"),
    ],
)
def test_a_mistake_in_a_mapping_is_named(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as error:
        mapped(recorded([0, 1], n=[0.0, 5.0]), **fields)
    assert problem in str(error.value)


def test_a_warp_changes_the_rate_where_it_says(tmp_path: Path) -> None:
    """1 request a second for 100 s; from 40 s on four times as fast, from 80 s on half as fast."""
    (tmp_path / "t.csv").write_text("arrival_s\n" + "\n".join(str(i) for i in range(101)) + "\n")
    (tmp_path / "w.csv").write_text("time_s,rate_factor\n0,1\n40,4\n80,0.5\n")
    found, told = warped(read_public_trace(tmp_path / "t.csv"), tmp_path / "w.csv")
    assert found.arrival_s[[0, 40, 60, 80, 100]].tolist() == [0.0, 40.0, 45.0, 50.0, 90.0]
    assert told == "warped from 100 to 90 s by 3 factors of w.csv"
    counts = np.histogram(found.arrival_s, bins=[0, 40, 50, 90])[0]
    assert counts.tolist() == [40, 40, 21]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("1,2", "time_s, row 1: must be 0, where the trace begins"),
        ("0,0", "rate_factor, row 1: must be 1e-06 to 1e+06"),
        ("0,1\n5,2\n5,3", "time_s, row 3: is not after the row above"),
        ("0,1e-6\n1e-3,1e-6", "s long"),
    ],
)
def test_a_wrong_warp_is_told(rows: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arrival_s\n0\n1e8\n")
    (tmp_path / "w.csv").write_text(f"time_s,rate_factor\n{rows}\n")
    with pytest.raises(InputError) as caught:
        warped(read_public_trace(tmp_path / "t.csv"), tmp_path / "w.csv")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ('1,"a\n2,c\n', "x, row 1"),
        ('1,"a\n2,"b\n3,c\n', "x, row 1"),
        ("\n".join(f'{k},"x' if k == 10 else f"{k},x" for k in range(2000)) + "\n", "x, row 11"),
    ],
)
def test_a_quote_that_is_not_closed_swallows_no_row(rows: str, where: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"arrival_s,x\n{rows}")
    with pytest.raises(InputError) as caught:
        read_public_trace(tmp_path / "t.csv")
    assert f"{where}: holds a line end" in str(caught.value)
    (tmp_path / "t.csv").write_text('arrival_s,x\n1,"a, b"\n2,"say ""so"""\n')
    assert len(read_public_trace(tmp_path / "t.csv")) == 2
