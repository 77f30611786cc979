"""The page of a verdict."""

import json
from pathlib import Path

import pytest

from splitshare.stages import compare
from tests.explorer.browser import loads, needs_browser, opened

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a comparison of an algorithm that fails on some instances has written."""
    output = tmp_path_factory.mktemp("verdict")
    algorithm = f"{ROOT / 'workflow/study/my_algorithm.py'}:MyAlgorithm"
    compare.run(compare.Options([algorithm], output=output, families=["random-test"], html=True))
    return output


def test_the_page_has_the_words_and_needs_nothing_from_elsewhere(judged: Path):
    text = (judged / "verdict.html").read_text()
    assert loads(text) == []
    first = (judged / "verdict.txt").read_text().splitlines()[0]
    assert first.replace("'", "&#x27;")[:200] in text.replace("\\u0026", "&")
    failed = json.loads((judged / "verdict.json").read_text())["failures"]
    assert failed
    assert all(row["instance"] in text for row in failed)


@pytest.mark.slow
@needs_browser
def test_it_opens_in_a_browser_wide_and_narrow(judged: Path):
    with opened(judged / "verdict.html") as (page, wrong):
        page.get_by_text("is it any good?").wait_for()
        assert page.locator("canvas").count() >= 3
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert wrong == []
