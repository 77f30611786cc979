"""The page for Python: every block runs, in order, and says what the page says."""

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs/python.md"


def test_the_page_runs(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    assert names["greedy"].objective >= names["optimum"].objective
    assert set(names["verdict"].results["family"]) == {"s2m3", "random-test"}
    assert names["cost"](names["best"]) < names["cost"](0.0) or names["best"] == 0.0
    out = capsys.readouterr().out
    assert "s2m3: weighted places" in out
    assert "random-test: weighted places" in out
