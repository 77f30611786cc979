"""Lay out a study of your own in the directory DIR: configuration, testbed, algorithm, Snakefile."""

from __future__ import annotations

import shlex
from pathlib import Path

import typer

from splitshare.commands.init import Options
from splitshare.errors import InputError
from splitshare.files import read_text, write_text
from splitshare.places import STUDY


def run(options: Options) -> list[Path]:
    """Copy the study that comes with the program; what is there already is never written over.

    Returns:
        Every file that was written.

    Raises:
        InputError: a file of the study is there already, or DIR is no directory; nothing is written then.
    """
    directory = options.directory
    if directory.exists() and not directory.is_dir():
        raise InputError(directory, "", "is a file; give the directory of the study")
    sources = sorted(path for path in STUDY.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    targets = [directory / path.relative_to(STUDY) for path in sources]
    for target in targets:
        if target.exists():
            raise InputError(target, "", "is there already; give another directory, or move it away")
    for source, target in zip(sources, targets, strict=True):
        write_text(target, read_text(source))
    return targets


def show(written: list[Path]) -> None:
    """Say what was written and what comes next."""
    directory = written[0].parent
    typer.echo("\n".join(map(str, written)))
    there = "" if directory == Path() else f"  cd {shlex.quote(str(directory))}\n"
    typer.echo(
        f"\nNext:\n{there}  splitshare compare --algorithm my_algorithm.py:MyAlgorithm\n"
        '  pip install "splitshare[measure,workflow,figures]" && snakemake --cores all'
    )
