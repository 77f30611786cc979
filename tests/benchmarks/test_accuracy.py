import pytest

from splitshare.benchmarks.accuracy import AccuracyRecord, merge
from splitshare.errors import InputError

ROW = {
    "benchmark": "food-101",
    "source": "hub",
    "task": "image-text-retrieval",
    "model": "clip-vit-b16",
    "arrangement": "split",
    "metric": "top-1",
    "value": 0.5,
    "ci_low": 0.4,
    "ci_high": 0.6,
    "samples": 100,
    "differing_predictions": 0,
    "provenance": {"machine": "a test"},
}


def record(*rows):
    return AccuracyRecord.parse(
        {"schema": "splitshare.accuracy/1", "rows": [ROW | row for row in rows]}, "accuracy.json"
    )


def test_written_and_read_again(tmp_path):
    first = record({}, {"arrangement": "whole"})
    first.write(tmp_path / "accuracy.json")
    assert AccuracyRecord.read(tmp_path / "accuracy.json") == first


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"value": 0.7}], "rows[0]: 0.7 lies outside"),
        ([{"ci_high": 1.2}], "more than 1"),
        ([{"differing_predictions": 101}], "101 of 100"),
        ([{"arrangement": "whole", "differing_predictions": 1}], "whole model does not differ"),
        ([{}, {"value": 0.45}], "stands in rows[0] too"),
        ([{"metric": "bleu"}], "rows[0].metric"),
        ([{"unheard": 1}], "rows[0].unheard"),
    ],
)
def test_refuses_rows_that_cannot_be(rows, told):
    with pytest.raises(InputError, match=r"accuracy\.json") as error:
        record(*rows)
    assert told.replace("rows[0]: ", "") in str(error.value)


def test_cider_may_exceed_one():
    assert record({"metric": "cider", "value": 1.1, "ci_low": 0.9, "ci_high": 1.3}).rows[0].value == 1.1


def test_a_later_record_takes_the_place_of_an_earlier_row():
    old = record({}, {"benchmark": "vqav2"})
    new = record({"value": 0.55}, {"arrangement": "whole"})
    merged = merge([old, new])
    assert [(r.benchmark, r.arrangement, r.value) for r in merged.rows] == [
        ("food-101", "whole", 0.5),
        ("food-101", "split", 0.55),
        ("vqav2", "split", 0.5),
    ]
