"""Tables as a two-column paper prints them: titles with units, three digits, booktabs, and no wider than a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from splitshare.figures.declaration import Column
from splitshare.figures.palette import TITLES

DIGITS = 3
COLUMN_LETTERS, PAGE_LETTERS, MOST_ROWS = 46, 110, 50
"""Letters that fit next to each other in a column and on a page, and rows under each other."""
SEPARATION_LETTERS = 3
SPECIAL = {"→": r"$\rightarrow$", "->": r"$\rightarrow$", "≤": r"$\leq$", "±": r"$\pm$", "×": r"$\times$", "−": r"$-$"}
NAMED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


class Printed(NamedTuple):
    """A table in LaTeX."""

    text: str
    faults: list[str]
    """Why it does not fit a page."""


def in_tex(text: str) -> str:
    """A sentence as LaTeX prints it, its special characters escaped."""
    escaped = re.sub(r"[&%$#_{}\\~^]", lambda sign: NAMED.get(sign[0], rf"\{sign[0]}"), text)
    escaped = escaped.replace(r"\_", r"\_\allowbreak{}")  # long names of models break there
    for sign, printed in SPECIAL.items():
        escaped = escaped.replace(sign, printed)
    return escaped


def table_in_tex(
    table: pd.DataFrame,
    columns: Mapping[str, Column],
    caption: str,
    name: str,
    titles: Mapping[str, Callable[[str], str]],
) -> Printed:
    """The table in LaTeX, for the packages booktabs and array, and why it does not fit a page, if it does not.

    Args:
        table: with full precision.
        columns: what is printed: title by column, with a factor for numbers or a width for texts that run on.
        caption: unescaped.
        name: of the label.
        titles: for columns of names, what gives the title of a name.

    Raises:
        ValueError: a column is not there.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"{name}: no column {missing[0]!r} to print")
    heads, alignment, printed, letters = [], [], [], 0
    for column, told in columns.items():
        title, extra = told if isinstance(told, tuple) else (told, None)
        factor, width = (extra, None) if isinstance(extra, float | int) else (1, extra)
        cells = [cell(value, factor, titles.get(column)) for value in table[column]]
        numeric = pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])
        if width is None:
            letters += max(len(title), *map(len, cells)) + SEPARATION_LETTERS if cells else len(title)
        else:
            letters += round(float(width.removesuffix("cm")) * 6) + SEPARATION_LETTERS  # 6 letters a centimetre
        heads.append(in_tex(title))
        alignment.append(rf">{{\raggedright\arraybackslash}}p{{{width}}}" if width else "r" if numeric else "l")
        printed.append([in_tex(text) for text in cells])
    environment = "table" if letters <= COLUMN_LETTERS else "table*"
    rows = [" & ".join(row) + r" \\" for row in zip(*printed, strict=True)]
    lines = [
        rf"\begin{{{environment}}}",
        r"  \centering\footnotesize",
        rf"  \caption{{{in_tex(caption)}}}",
        rf"  \label{{tab:{name.replace('_', '-')}}}",
        rf"  \begin{{tabular}}{{{''.join(alignment)}}}",
        r"    \toprule",
        f"    {' & '.join(heads)} \\\\",
        r"    \midrule",
        *(f"    {row}" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        rf"\end{{{environment}}}",
    ]
    faults = []
    if len(table) > MOST_ROWS:
        faults.append(f"{name}.tex: {len(table)} rows do not fit a page, which takes {MOST_ROWS}")
    if letters > PAGE_LETTERS:
        faults.append(f"{name}.tex: {letters} letters do not fit a page, which takes {PAGE_LETTERS}")
    return Printed("\n".join(lines) + "\n", faults)


def cell(value: object, factor: float = 1, title: Callable[[str], str] | None = None) -> str:
    """A cell for people: three digits, thousands apart, a dash for what there is not."""
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - a NaN is not itself
        return "--"
    if isinstance(value, str):
        return title(value) if title else TITLES.get(value, value)
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    number = float(value) * factor  # type: ignore[arg-type]
    if factor == 1 and number.is_integer():
        return f"{int(number):,}"
    return digits(number)


def digits(number: float) -> str:
    """A number with three significant digits, without an exponent where it is between 0.001 and a million."""
    if number == 0:
        return "0"
    if not 1e-3 <= abs(number) < 1e6:
        return f"{number:.{DIGITS - 1}e}"
    rounded = float(f"{number:.{DIGITS}g}")
    if abs(rounded) >= 100:
        return f"{rounded:,.0f}"
    return f"{rounded:.{DIGITS - 1 if abs(rounded) < 10 else 1}f}" if abs(rounded) >= 1 else f"{number:#.{DIGITS}g}"
