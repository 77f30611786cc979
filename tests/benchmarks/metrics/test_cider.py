import json
import math
from pathlib import Path

import numpy as np
import pytest

from splitshare.benchmarks.metrics.cider import caption_tokens, cider

REFERENCE = json.loads((Path(__file__).parents[2] / "data" / "cider_reference.json").read_text())["images"]


def test_equal_to_the_reference_implementation():
    """Scores and tokens of pycocoevalcap, recorded once with its Java tokeniser."""
    captions = [caption_tokens(image["candidate"]) for image in REFERENCE]
    references = [[caption_tokens(text) for text in image["references"]] for image in REFERENCE]
    assert [" ".join(words) for words in captions] == [image["candidate_tokens"] for image in REFERENCE]
    assert [[" ".join(w) for w in texts] for texts in references] == [image["reference_tokens"] for image in REFERENCE]
    assert cider(captions, references) == pytest.approx([image["cider"] for image in REFERENCE], rel=1e-12)


def test_published_example():
    """The example of the SummEval toolkit (Fabbri et al. 2021), whose tests state its score; words split at spaces."""
    captions = [
        "28-year-old chef found dead in San Francisco mall",
        "A 28-year-old chef who recently moved to San Francisco was found dead in the staircase of a local shopping "
        "center.",
        "The victim's brother said he cannot imagine anyone who would want to harm him,\"Finally, it went uphill again "
        'at him."',
    ]
    references = [
        "28-Year-Old Chef Found Dead at San Francisco Mall",
        "A 28-year-old chef who had recently moved to San Francisco was found dead in the stairwell of a local mall "
        "this week.",
        "But the victim's brother says he can't think of anyone who would want to hurt him, saying, \"Things were "
        'finally going well for him."',
    ]
    scores = cider([c.split() for c in captions], [[r.split()] for r in references])
    assert scores.mean() == pytest.approx(2.5759014911864084, abs=1e-9)


def test_a_caption_that_is_its_only_reference_scores_ten():
    """Cosine 1 for each n, times 10; every n-gram of an image is rare when no other image has it."""
    words = [["a", "dog", "runs", "fast"], ["two", "cats", "sleep", "here"]]
    assert cider(words, [[w] for w in words]) == pytest.approx([10, 10])


def test_a_longer_caption_is_penalised_as_the_paper_says():
    reference = ["a", "dog", "runs", "fast"]
    others = [["two", "cats", "sleep", "here"]]
    twice = reference + reference
    plain, doubled = (cider([c, *others], [[reference], others])[0] for c in (reference, twice))
    assert doubled < plain * math.exp(-(4**2) / (2 * 6.0**2)) + 1e-12


def test_words_of_all_images_say_nothing():
    assert cider([["a"], ["a"]], [[["a"]], [["a"]]]) == pytest.approx([0, 0])


@pytest.mark.parametrize(("captions", "references"), [([], []), ([["a"]], []), ([["a"]], [[]])])
def test_refuses_what_has_no_score(captions, references):
    with pytest.raises(ValueError, match=r"captions for|no reference caption"):
        cider(captions, references)


def test_an_empty_caption_scores_nothing():
    assert np.array_equal(cider([[], ["a", "b"]], [[["c", "d"]], [["a", "b"]]])[:1], [0.0])
