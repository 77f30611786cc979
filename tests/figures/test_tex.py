"""Tables and captions as LaTeX takes them."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from splitshare.figures.declaration import Column
from splitshare.figures.registry import figures
from splitshare.figures.tex import cell, digits, in_tex, table_in_tex

COMMITTED = Path(__file__).parents[2] / "paper_figures"
DOCUMENT = r"""
\documentclass[twocolumn,10pt]{article}
\usepackage[margin=0.75in,columnsep=0.1in]{geometry}
\usepackage[T1]{fontenc}
\usepackage{booktabs,array,graphicx}
\graphicspath{{FOLDER/}}
\begin{document}
BODY
\end{document}
"""


def test_special_characters_are_escaped():
    assert in_tex("5 % & {more} #1 $2") == r"5 \% \& \{more\} \#1 \$2"
    assert in_tex("x86_64") == r"x86\_\allowbreak{}64"
    assert in_tex(r"C:\x~y^2") == r"C:\textbackslash{}x\textasciitilde{}y\textasciicircum{}2"
    assert in_tex("a -> b, ±50") == r"a $\rightarrow$ b, $\pm$50"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0.0, "0"),
        (1 / 3, "0.333"),
        (2 / 3000, "6.67e-04"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (123.4, "123"),
        (1234.5, "1,230"),
        (-0.04567, "-0.0457"),
        (12_345_678.0, "1.23e+07"),
    ],
)
def test_numbers_have_three_digits(number, told):
    assert digits(number) == told


@pytest.mark.parametrize(
    ("value", "factor", "told"),
    [
        (float("nan"), 1, "--"),
        (None, 1, "--"),
        (34347, 1, "34,347"),
        (0.618, 100, "61.8"),
        (2_500_000_000, 1e-9, "2.50"),
        (True, 1, "yes"),
        ("s2m3-greedy", 1, "S2M3 greedy"),
        ("something", 1, "something"),
    ],
)
def test_cells_are_for_people(value, factor, told):
    assert cell(value, factor) == told


def test_a_table_has_titles_and_numbers_on_the_right():
    table = pd.DataFrame({"workload": ["a", "b"], "bytes": [2e9, 3.456e9], "left": ["x", "y"]})
    columns: dict[str, Column] = {"workload": "Workload", "bytes": ("Memory (GB)", 1e-9)}
    printed = table_in_tex(table, columns, "Bytes, 100 %.", "my_table", {"workload": str.upper})
    assert printed.faults == []
    assert r"\begin{table}" in printed.text  # narrow enough for a column
    assert r"\begin{tabular}{lr}" in printed.text
    assert r"Workload & Memory (GB) \\" in printed.text
    assert r"B & 3.46 \\" in printed.text
    assert r"\caption{Bytes, 100 \%.}" in printed.text
    assert r"\label{tab:my-table}" in printed.text


def test_what_does_not_fit_a_page_is_told():
    wide = pd.DataFrame({"a": ["x" * 60] * 60, "b": ["y" * 60] * 60})
    printed = table_in_tex(wide, {"a": "A", "b": "B"}, "c", "wide", {})
    assert printed.faults == [
        "wide.tex: 60 rows do not fit a page, which takes 50",
        "wide.tex: 126 letters do not fit a page, which takes 110",
    ]
    with pytest.raises(ValueError, match="wide: no column 'c' to print"):
        table_in_tex(wide, {"c": "C"}, "c", "wide", {})


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX: Debian's texlive-latex-recommended")
def test_everything_compiles_in_two_columns_and_fits(tmp_path: Path):
    names = sorted(
        name for f in figures().values() if "canonical" in f.scopes for name in f.files() if name.endswith(".tex")
    )
    assert len(names) > 50
    body = "\n\\clearpage\n".join(rf"\input{{{COMMITTED / name}}}" for name in names)
    document = DOCUMENT.replace("FOLDER", str(COMMITTED)).replace("BODY", body)
    (tmp_path / "paper.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert re.findall(r"^(?:Overfull.*|.*Float too large.*|!.*)$", log, flags=re.MULTILINE) == []
