"""The page of all commands, from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from splitshare.cli import Stages, app

HEAD = """# Commands

Everything `splitshare` does on the command line. `splitshare COMMAND --help` shows the same. Exit code 0: done; 1: the
work failed; 2: the input is wrong, and one line names the file, the field and the mend; 130 or 143: it was interrupted.
"""


def page() -> str:
    """The page: a section a group of commands, as in ``splitshare --help``."""
    program: Any = typer.main.get_command(app)
    context = program.make_context("splitshare", ["list"], resilient_parsing=True)
    parts = [HEAD]
    for panel, names in Stages.panels.items():
        parts.append(f"## {panel}\n")
        for name in names:
            parts += _command(name, program.get_command(context, name), context)
    return "\n".join(parts)


def _command(words: str, command: Any, parent: Any) -> Iterator[str]:
    """A command, or the commands of a group one after another."""
    context = type(parent)(command, info_name=words, parent=parent)
    yield f"### {words}\n"
    yield f"{_prose(command.help)}\n"
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            yield from _command(f"{words} {name}", command.get_command(context, name), context)
        return
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\nsplitshare {words} {usage}\n```\n"
    yield from _parameters(command, context)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    records = [parameter.get_help_record(context) for parameter in command.params]
    for record in records:
        if record is not None:
            names, told = record
            yield f"`{names}`\n: {_prose(told)}\n"


def _prose(text: str | None) -> str:
    """A help text as Markdown: brackets and stars stand for themselves."""
    told = " ".join((text or "").split())
    for sign in "[]*<>_":
        told = told.replace(sign, f"\\{sign}")
    return told
