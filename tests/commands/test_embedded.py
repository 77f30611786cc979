"""The embedded benchmark's record: rows of a new measurement replace those of the same models, and no others."""

from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.stages.embedded import record

ROW = {
    "benchmark": "easy-vqa",
    "source": "embedded",
    "task": "visual-question-answering",
    "model": "embedded-vqa-alone",
    "arrangement": "whole",
    "metric": "top-1",
    "value": 0.5,
    "ci_low": 0.4,
    "ci_high": 0.6,
    "samples": 100,
    "differing_predictions": 0,
    "provenance": {},
}


def write(path, *rows):
    AccuracyRecord.parse({"schema": "splitshare.accuracy/1", "rows": [ROW | row for row in rows]}, path).write(path)


def test_new_rows_replace_old_ones_of_the_same_model(tmp_path):
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    write(new, {}, {"arrangement": "split"})
    record.run(record.Options(accuracy=new, output=kept))
    assert AccuracyRecord.read(kept).rows == AccuracyRecord.read(new).rows
    write(kept, {"value": 0.45}, {"benchmark": "food-101", "model": "clip-vit-b16", "source": "hub"})
    record.run(record.Options(accuracy=new, output=kept))
    found = {(row.model, row.arrangement): row.value for row in AccuracyRecord.read(kept).rows}
    assert found == {
        ("clip-vit-b16", "whole"): 0.5,
        ("embedded-vqa-alone", "whole"): 0.5,
        ("embedded-vqa-alone", "split"): 0.5,
    }
