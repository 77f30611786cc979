"""Blocks of Python on the pages: each runs, those of a page in order, and says what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXECUTED = {"README.md": 1, "docs/python.md": 5, "docs/placement-problem.md": 1, "docs/onloading-problem.md": 2}
"""Pages and how many blocks of Python each has; `test_commands.py` holds that no other page has any."""


def run(page: str) -> dict[str, Any]:
    """The names that its blocks leave behind."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == EXECUTED[page]
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    return names


@pytest.mark.parametrize("page", ["README.md", "docs/placement-problem.md", "docs/onloading-problem.md"])
def test_the_blocks_run(page, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = run(page)
    if page == "README.md":
        assert "s2m3: nearest-first places " in capsys.readouterr().out
    else:  # the worked example's numbers are asserted on the page itself
        assert "assert abs(optimum.objective" in (ROOT / page).read_text()
        assert names["optimum"].status == "optimal"


def test_the_page_for_python_runs(capsys):
    names = run("docs/python.md")
    assert names["greedy"].objective >= names["optimum"].objective
    assert set(names["verdict"].results["family"]) == {"s2m3", "random-test"}
    assert names["cost"](names["best"]) < names["cost"](0.0) or names["best"] == 0.0
    out = capsys.readouterr().out
    assert "s2m3: weighted places" in out
    assert "random-test: weighted places" in out
