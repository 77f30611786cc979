"""Verdicts as files: what they carry, and the table of several."""

import hashlib
import json
from collections import Counter
from pathlib import Path

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
