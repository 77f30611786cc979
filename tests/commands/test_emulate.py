"""What ``splitshare emulate`` refuses before it reads or starts anything."""

import sys
from pathlib import Path

import pytest

from splitshare.cli import main


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--runs", "runs.csv"], "error: --runs: runs.csv: recorded modules compute nothing; give --compute real\n"),
        (["--runs", "a.txt", "--compute", "real"], "error: a.txt: the suffix chooses the format; end the name in "),
    ],
)
def test_times_of_real_modules_are_asked_for_wrongly(
    tmp_path: Path,
    options: list[str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    files = [str(tmp_path / name) for name in ("instance.json", "placement.json", "trace.csv")]
    monkeypatch.setattr(sys, "argv", ["splitshare", "emulate", *files, "-o", str(tmp_path / "out.csv"), *options])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(complaint)
