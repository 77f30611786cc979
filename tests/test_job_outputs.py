"""Files that were changed since a job wrote them, by Snakemake's own notes of a workflow of three rules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from splitshare.job_outputs import changed_outputs

WORKFLOW = """
rule all:
    input: "results/second.txt", "results/folder", "elsewhere/third.txt"
rule first:
    output: "results/first.txt"
    shell: "echo one > {output}"
rule second:
    input: "results/first.txt"
    output: "results/second.txt"
    shell: "cat {input} {input} > {output}"
rule folder:
    output: directory("results/folder")
    shell: "mkdir -p {output}; echo two > {output}/two.txt"
rule third:
    output: "elsewhere/third.txt"
    shell: "echo three > {output}"
"""


def snakemake(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--nolock", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    snakemake(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed() -> list[str]:
    return changed_outputs(Path("results/job_outputs.json"), [Path("results")])


def edit(path: Path) -> None:
    """Change a file and give it its old time stamp."""
    before = path.stat()
    path.write_text("edited")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_edited_is_named_until_a_job_writes_it_again(root):
    assert changed() == []
    edit(root / "results" / "first.txt")
    edit(root / "results" / "folder" / "two.txt")
    edit(root / "elsewhere" / "third.txt")
    snakemake(root)  # goes by times, and sees nothing
    assert changed() == changed() == ["results/first.txt", "results/folder"]
    snakemake(root, "--forcerun", *changed())
    assert (root / "results" / "first.txt").read_text() == "one\n"
    assert (root / "results" / "second.txt").read_text() == "one\none\n"
    assert (root / "results" / "folder" / "two.txt").read_text() == "two\n"
    assert changed() == []
    edit(root / "results" / "second.txt")
    assert changed() == ["results/second.txt"]


def test_what_is_gone_is_left_to_snakemake_and_what_no_job_wrote_to_its_owner(root):
    assert changed() == []
    (root / "results" / "second.txt").unlink()
    (root / "results" / "mine.txt").write_text("mine")
    assert changed() == []
    (root / "results" / "mine.txt").write_text("mine, edited")
    assert changed() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "splitshare.job-outputs/9", "outputs": {}}'])
def test_a_spoilt_ledger_is_begun_anew(root, text):
    assert changed() == []
    (root / "results" / "job_outputs.json").write_text(text)
    assert changed() == []
    edit(root / "results" / "first.txt")
    assert changed() == ["results/first.txt"]


def test_notes_that_a_killed_run_left_half_written_are_passed_over(root):
    for number, note in enumerate(sorted((root / ".snakemake" / "metadata").iterdir())):
        note.chmod(0o644)
        note.write_text(["{", "[]", '{"incomplete": true}', ""][number % 4])
    (root / ".snakemake" / "metadata" / "no base64!").write_text("{}")
    assert changed() == []
