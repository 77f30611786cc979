"""Verdicts as files: what they carry, and the table of several."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import splitshare
from splitshare.cli import app
from splitshare.errors import InputError
from splitshare.results.verdict_file import VerdictFile, digest_of, standings

RUN = CliRunner()
CODE = """
class {name}:
    name = "{label}"

    def place(self, instance, *, seed, time_limit):
        {body}
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of an algorithm that never places anything, and of one that does what the greedy does."""
    folder = tmp_path_factory.mktemp("verdicts")
    greedy = "return __import__('splitshare').algorithm('s2m3-greedy').place(instance, seed=seed, time_limit=None)"
    for name, label, body in (("Never", "never", "return None"), ("Copy", "copy", greedy)):
        (folder / f"{label}.py").write_text(CODE.format(name=name, label=label, body=body))
        asked = ["compare", "--algorithm", f"{folder / label}.py:{name}", "--family", "random-test"]
        done = RUN.invoke(app, [*asked, "-o", str(folder / label)])
        assert done.exit_code == 0, done.output
    return [folder / label / "verdict.json" for label in ("never", "copy")]


def test_a_verdict_says_where_it_comes_from(verdicts: list[Path]) -> None:
    file = VerdictFile.read(verdicts[1])
    source = verdicts[1].parents[1] / "copy.py"
    assert file.judged.name == "copy.py:Copy"
    assert file.judged.file_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert file.judged.ran_here
    assert file.made_with["splitshare"] == splitshare.__version__
    instances = splitshare.instances("random-test")
    assert [part.instances_sha256 for part in file.families] == [digest_of(instances)]
    assert digest_of(instances) == digest_of(instances[::-1]) != digest_of(instances[1:])


def test_the_table_of_several(verdicts: list[Path], tmp_path: Path) -> None:
    table = standings(verdicts)
    recorded = pd.read_parquet("data/baselines/placements.parquet").query("family == 'random-test'")
    assert set(table["method"]) == {"never", "copy", *recorded["method"]}
    by_method = table.set_index("method")
    same = ["instances", "placed", "optimal", "mean_gap", "worst_gap"]
    assert list(by_method.loc["copy", same]) == pytest.approx(list(by_method.loc["s2m3-greedy", same]))
    assert table["method"].iloc[-1] == "never"
    assert by_method.loc["never", "placed"] == 0
    assert Counter(table["runs"]) == {"recorded": len(table) - 2, "run and checked": 2}
    done = RUN.invoke(app, ["standings", *map(str, verdicts), "-o", str(tmp_path / "standings.csv")])
    assert done.exit_code == 0, done.output
    assert pd.read_csv(tmp_path / "standings.csv")["method"].tolist() == table["method"].tolist()


def test_verdicts_over_other_instances_are_refused(verdicts: list[Path], tmp_path: Path) -> None:
    other = json.loads(verdicts[0].read_text())
    other["families"][0]["instances_sha256"] = "0" * 64
    (tmp_path / "other.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match=r"families\[0\].instances_sha256: is of other instances than"):
        standings([verdicts[1], tmp_path / "other.json"])
    other["problem"] = "onloading"
    (tmp_path / "other.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match="problem: is 'onloading'"):
        standings([verdicts[1], tmp_path / "other.json"])


def test_reported_results_say_so(verdicts: list[Path], tmp_path: Path) -> None:
    results = verdicts[1].with_name("results.csv")
    asked = ["compare", "--results", str(results), "--family", "random-test", "-o", str(tmp_path / "reported")]
    done = RUN.invoke(app, asked)
    assert done.exit_code == 0, done.output
    file = VerdictFile.read(tmp_path / "reported/verdict.json")
    assert file.judged.model_dump() == {
        "name": "results.csv",
        "file_sha256": hashlib.sha256(results.read_bytes()).hexdigest(),
        "ran_here": False,
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d["families"][0]["summaries"].pop(0), r"summaries\[0\].method: must be 'never'"),
        (lambda d: d["families"][0]["summaries"][1].update(method="never"), "a method stands there twice"),
        (lambda d: d["families"][0]["duels"][0].update(baseline="zzz"), "duels: 'zzz' has no summary"),
        (lambda d: d["families"][0].update(method="zzz"), r"method: must be '"),
        (lambda d: d["families"].append(d["families"][0]), "stands there twice"),
        (
            lambda d: d["families"][0]["summaries"][0].update(placed=99),
            "placed: must lie between optimal and instances",
        ),
        (lambda d: d["families"][0]["summaries"][1]["mean_gap"].update(low=None), "give both or neither"),
        (lambda d: d["families"][0]["summaries"][1]["mean_gap"].update(low=9.0), "must lie between low and high"),
        (lambda d: d["families"][0].update(summaries=[]), "summaries: is empty; it needs at least one entry"),
        (lambda d: d["families"][0].update(instances_sha256="x"), "must look like"),
        (lambda d: d.update(method=None), "not null"),
        (lambda d: d.update(schema="splitshare.verdict/1"), "is of version '1', and version 2 is read"),
        (lambda d: d.update(schema="splitshare.placement/1"), "the file is 'splitshare.placement/1'"),
    ],
)
def test_a_verdict_that_does_not_agree_with_itself_is_refused(
    verdicts: list[Path], tmp_path: Path, change: Callable[[Any], object], problem: str
) -> None:
    told = json.loads(verdicts[0].read_text())
    told["families"][0]["summaries"][1]["mean_gap"] |= {"low": 0.0, "estimate": 1.0, "high": 2.0}
    change(told)
    (tmp_path / "v.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=problem):
        standings([tmp_path / "v.json"])


def test_one_verdict_counts_once(verdicts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is given twice"):
        standings([verdicts[0], verdicts[0]])
    done = RUN.invoke(app, ["standings", str(verdicts[0]), "-o", str(tmp_path / "s.txt")])
    assert "the suffix must be .csv" in str(done.exception) + done.output


def test_rows_that_were_left_out_are_told(verdicts: list[Path], tmp_path: Path) -> None:
    table = pd.read_csv(verdicts[1].with_name("results.csv"))
    table.head(5).assign(method="five").to_csv(tmp_path / "five.csv", index=False)
    asked = ["compare", "--results", str(tmp_path / "five.csv"), "--family", "random-test", "-o", str(tmp_path / "out")]
    done = RUN.invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "NOT ALL WERE REPORTED: 35 of 40 instances have no row." in done.output
    assert "five places 5 of 5" in done.output
