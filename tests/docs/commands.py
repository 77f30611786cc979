"""What the documentation promises: make targets, command blocks, and commands, options and files named in prose."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import typer

import splitshare
from splitshare.cli import app

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    sorted(
        str(path.relative_to(ROOT))
        for path in (
            *(
                ROOT / name
                for name in ("README.md", "ARTIFACT.md", "CONTRIBUTING.md", "SECURITY.md", "config/README.md")
            ),
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / "data").rglob("*.md"),
        )
        if path.parent != ROOT / "docs/written"  # by the site's build, see tests/docs/test_site.py
    )
)
OF_THE_PROGRAM = {"--help", "--install-completion"}
"""Options of ``splitshare`` itself."""
WRITTEN_BY_THE_READER = {"mine.py", "fastest_with_room.py"}


class Block(NamedTuple):
    """A fenced block."""

    page: str
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line, by which the tables of the tests name it."""
        return self.text.splitlines()[0].strip()

    @property
    def commands(self) -> list[str]:
        """Its commands, continued lines joined; in a ``console`` block those after the prompt."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ") or self.language != "console"]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order, without directives of the site."""
    found = re.findall(r"^```([^\n`]*)\n(.*?)^```$", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    return [Block(page, language, text) for language, text in found if not language.startswith("{")]


@cache
def make_targets() -> dict[str, str]:
    """What the Makefile says of each target that stands with a description."""
    found = re.findall(r"^([a-z][a-z -]*):.*?## (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    return {name: told for names, told in found for name in names.split()}


def names_in(command: Any) -> list[str]:
    """The commands of a group, none where it is none."""
    return list(command.list_commands(None)) if hasattr(command, "list_commands") else []


@cache
def subcommands() -> dict[str, Any]:
    """The commands of ``splitshare`` by their words: ``solve``, ``onloading record``."""

    def walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
        for name in names_in(command):
            inner = command.get_command(None, name)
            yield f"{words} {name}".strip(), inner
            yield from walk(inner, f"{words} {name}".strip())

    return dict(walk(typer.main.get_command(app), ""))


def parse(line: str) -> dict[str, Any]:
    """Read a ``splitshare`` command line as the program would, without running it: its parameters.

    What the shell would put in for ``$(...)`` is taken to be one word.

    Raises:
        Exception: click's, for a command, option or value that there is not.
    """
    words = shlex.split(re.sub(r"\$\([^)]*\)", "put-in-by-the-shell", line), comments=True)
    assert Path(words[0]).name == "splitshare", line
    command: Any = typer.main.get_command(app)
    name, rest = "splitshare", words[1:]
    while names_in(command):
        name, rest = rest[0], rest[1:]
        assert name in names_in(command), f"no command {name!r}: {line}"
        command = command.get_command(None, name)
    params: dict[str, Any] = command.make_context(name, rest).params
    return params


def options(command: Any) -> dict[str, Any]:
    """The options of a command by each of their names."""
    return {name: option for option in command.params for name in option.opts if name.startswith("-")}


def mistakes(text: str, folder: Path) -> list[str]:
    """What a text in ``folder`` names and there is not; fenced blocks are left out, they are executed."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = [f"link to {target}" for target in _links(prose) if not (folder / target).exists()]
    for span in dict.fromkeys(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)):
        found += [f"`{span}`: {problem}" for problem in _of_command(span) or _of_name(span, folder)]
    return found


def _links(prose: str) -> list[str]:
    targets = re.findall(r"\]\(([^)]+)\)", prose)
    return [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]


def named_commands(text: str) -> list[str]:
    """The spans of a text in (single or double) backticks that are command lines of make or splitshare."""
    return [" ".join(span.split()) for span in re.findall(r"`((?:make|splitshare) [a-z][^`]*)`", text)]


def _of_command(span: str) -> list[str]:
    words = span.split()
    if words[0] == "make" and len(words) > 1:
        return of_make(words[1:])
    if words[0] == "splitshare" and len(words) > 1 and words[1] not in OF_THE_PROGRAM:
        return of_splitshare(words[1:])
    if len(words) > 1 and words[0] in subcommands() and words[1].startswith("--"):
        return of_splitshare(words)
    if re.fullmatch(r"--[a-z][a-z-]*", words[0]) and words[0] not in OF_THE_PROGRAM:
        having = [name for name, command in subcommands().items() if words[0] in options(command)]
        if not having:
            return ["no command has this option"]
        if len(words) > 1 and not any(_takes(name, words[0], words[1]) for name in having):
            return [f"no command takes {words[1]!r} there"]
    return []


def _takes(name: str, option: str, value: str) -> bool:
    """Whether a command takes the option's value, whatever else it needs; what is given is read first."""
    try:
        subcommands()[name].make_context(name, [option, value])
    except typer.BadParameter as error:
        return type(error).__name__ == "MissingParameter"
    return True


def of_make(words: list[str]) -> list[str]:
    """What is wrong with the arguments of make: targets or variables that there are not."""
    makefile = (ROOT / "Makefile").read_text()
    wrong = [f"no target {word}" for word in words if "=" not in word and word not in make_targets()]
    given = [word.partition("=")[0] for word in words if "=" in word]
    return wrong + [f"no variable {name}" for name in given if f"$({name})" not in makefile]


def of_splitshare(words: list[str]) -> list[str]:
    """What is wrong with the arguments of splitshare in prose, where required ones may be left out."""
    named = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in subcommands()), None)
    if named is None:
        return [f"no command {words[0]}"]
    if names_in(subcommands()[named]) and len(words) > 1 and not words[1].startswith("-"):
        return [f"{named} has no command {words[1]}"]
    known = options(subcommands()[named])
    return [f"{named} has no option {word}" for word in words if word.startswith("--") and word not in known]


def _of_name(span: str, folder: Path) -> list[str]:
    if re.fullmatch(r"splitshare(\.\w+)+", span):
        return [] if span.removeprefix("splitshare.") in splitshare.__all__ or find_spec(span) else ["no such module"]
    if re.fullmatch(r"\w+\.py", span):
        there = span in WRITTEN_BY_THE_READER or any((ROOT / "src").rglob(span))
        return [] if there else ["no such file of the library"]
    top = span.partition("/")[0]
    if "/" in span and " " not in span and top != "results" and (ROOT / top).is_dir():
        pattern = re.sub(r"<[^>]*>", "*", span).rstrip("/")
        return [] if any(ROOT.glob(pattern)) else ["no such file"]
    if "/" in span and " " not in span and (folder / top).is_dir() and top != "results":
        return [] if any(folder.glob(span.rstrip("/"))) else ["no such file beside the page"]
    return []


def named_results(text: str) -> list[str]:
    """Files and folders below ``results/`` that a text names."""
    return [span.rstrip("/") for span in re.findall(r"`(results/[^`\s]+)`", text)]
