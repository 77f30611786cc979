"""The gallery, from the committed figures and what each says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from splitshare.figures.declaration import CATEGORIES, Declaration
from splitshare.figures.registry import figures

FOLDER = Path(__file__).parents[2] / "paper_figures"
HEAD = """# Gallery

Every table and figure of `paper_figures/`, by subject. Each says which claim of the papers' abstracts it bears on, what
is to be seen in it, and what it was computed from. `splitshare figures NAME` draws one again.
"""


def page() -> str:
    """The page: a section a category, as in the report."""
    parts = [HEAD]
    for category in CATEGORIES:
        there = [figure for figure in figures().values() if figure.category == category and _files(figure)]
        if there:
            parts.append(f"## {category}\n")
            for figure in there:
                parts += _figure(figure)
    return "\n".join(parts)


def _files(figure: Declaration) -> list[str]:
    return [name for name in figure.files() if (FOLDER / name).is_file()]


def _figure(figure: Declaration) -> Iterator[str]:
    yield f"### {figure.name}\n"
    yield f"**{figure.takeaway}**" + (f" Claim {figure.claim}." if figure.claim else "") + "\n"
    drawn = [name for name in figure.drawn if f"{name}.png" in _files(figure)]
    for name in drawn:
        yield f"![{figure.caption}](../../paper_figures/{name}.png)\n"
    caption = FOLDER / f"{drawn[0]}.caption.txt" if drawn else None
    yield (caption.read_text(encoding="utf-8") if caption else figure.caption) + "\n"
    tables = [f"{name}.csv" for name in figure.tables if f"{name}.csv" in _files(figure)]
    if tables:
        yield "Numbers: " + ", ".join(f"[`{name}`](../../paper_figures/{name})" for name in tables) + ".\n"
