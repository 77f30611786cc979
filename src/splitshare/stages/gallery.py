"""Write the gallery of a folder of figures: each with its caption, claims first, then as the papers go."""

from __future__ import annotations

from pathlib import Path

from splitshare.commands.gallery import Options
from splitshare.errors import InputError
from splitshare.figures.declaration import CATEGORIES, Declaration
from splitshare.figures.registry import figures
from splitshare.files import write_text

FIRST = "summary"
"""The page that comes before all others."""
HEAD = """# Tables and figures

Each figure is here as PNG and PDF, with its caption as text and as LaTeX (`NAME.figure.tex`); each table as CSV, and as
LaTeX where a paper would print it. They are written by the workflow; `splitshare figures NAME` draws one again.
"""


def run(options: Options) -> None:
    """Write the page ``output`` over what lies in ``folder``.

    Raises:
        InputError: the folder has no figure.
    """
    there = [
        figure for figure in figures().values() if any((options.folder / name).is_file() for name in figure.files())
    ]
    if not there:
        raise InputError(options.folder, "", "has no figure; draw some with `splitshare figures` first")
    there.sort(key=lambda figure: (CATEGORIES.index(figure.category), figure.name != FIRST))
    parts = [HEAD]
    headings: set[str] = set()
    for figure in there:
        if figure.category not in headings:
            headings.add(figure.category)
            parts.append(f"## {figure.category}\n")
        parts.append(_entry(figure, options.folder))
    write_text(options.output, "\n".join(parts))


def _entry(figure: Declaration, folder: Path) -> str:
    """A figure: its pictures, its caption, and where its numbers are."""
    drawn = [name for name in figure.drawn if (folder / f"{name}.png").is_file()]
    lines = [f"### {figure.name}\n"]
    lines += [f"![{name}]({name}.png)\n" for name in drawn]
    caption = folder / f"{drawn[0]}.caption.txt" if drawn else None
    lines.append(caption.read_text(encoding="utf-8") if caption else f"{figure.caption} {figure.takeaway}\n")
    tables = ", ".join(f"[`{name}`]({name}.csv)" for name in figure.tables if (folder / f"{name}.csv").is_file())
    if tables:
        lines.append(f"Tables: {tables}.\n")
    return "\n".join(lines)
