"""CIDEr of captions (Vedantam et al. 2015, arXiv 1411.5726): the variant CIDEr-D, which is what papers report as CIDEr.

Our own implementation: the one kept package carries 100 MB of Java archives for it. Equal to that package's on equal
tokens (see the tests). Its tokeniser is Stanford's PTBTokenizer; ours is a plain expression, equal on the captions of
the tests but not on every text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

LONGEST = 4
"""Words of the longest n-grams."""
SIGMA = 6.0
"""Standard deviation of the penalty on differences of length, in words."""

Gram = tuple[str, ...]

_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)+"  # 3.5, 1,000, 9:30
    r"|(?:[^\W\d_]\.){2,}"  # u.s.
    r"|[^\W_]+?(?=n't\b)|n't\b"  # do n't
    r"|'(?:s|m|d|re|ve|ll)\b"
    r"|[^\W_]+(?:[-/&][^\W_]+)*"  # t-shirt
    r"|[()\[\]{}]"
)
_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
"""Words that the reference tokeniser writes for brackets, and its list of punctuation misses by their case."""


def caption_tokens(caption: str) -> list[str]:
    """Words of a caption: lower-cased, contractions apart from their verb (``do n't``), no punctuation but brackets."""
    return [_BRACKETS.get(token, token) for token in _TOKEN.findall(caption.lower())]


def cider(captions: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> npt.NDArray[np.float64]:
    """CIDEr-D of each caption, between 0 and 10; the score of a corpus is their mean.

    N-grams count by how rare they are among the references of *this* corpus, so a score belongs to its corpus.

    Args:
        captions: words of one caption an image.
        references: words of each of an image's reference captions.

    Returns:
        Shape (images,).

    Raises:
        ValueError: numbers of images differ, there is none, or an image has no reference.
    """
    if len(captions) != len(references) or not captions:
        raise ValueError(f"{len(captions)} captions for {len(references)} images")
    counted = [[_grams(reference) for reference in of_image] for of_image in references]
    if not all(counted):
        raise ValueError("an image has no reference caption")
    images_with = Counter(gram for of_image in counted for gram in set().union(*of_image))
    log_images = math.log(len(captions))

    def weigh(grams: Mapping[Gram, int]) -> dict[Gram, float]:
        return {gram: n * (log_images - math.log(max(1, images_with[gram]))) for gram, n in grams.items()}

    scores = []
    for caption, of_image in zip(captions, counted, strict=True):
        candidate = _grams(caption)
        weighed = weigh(candidate)
        scores.append(
            10 * sum(_similarity(candidate, weighed, grams, weigh(grams)) for grams in of_image) / len(of_image)
        )
    return np.array(scores)


def _grams(words: Sequence[str]) -> Counter[Gram]:
    return Counter(tuple(words[i : i + n]) for n in range(1, LONGEST + 1) for i in range(len(words) - n + 1))


def _similarity(
    candidate: Mapping[Gram, int],
    candidate_weights: Mapping[Gram, float],
    reference: Mapping[Gram, int],
    reference_weights: Mapping[Gram, float],
) -> float:
    """Mean over n of the clipped cosine similarity of the n-grams, with a Gaussian penalty on the length."""
    total = 0.0
    for n in range(1, LONGEST + 1):
        one = {gram: w for gram, w in candidate_weights.items() if len(gram) == n}
        other = {gram: w for gram, w in reference_weights.items() if len(gram) == n}
        norms = math.sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
        if norms > 0:
            total += sum(min(w, other[gram]) * other[gram] for gram, w in one.items() if gram in other) / norms
    # The reference implementation measures length in bigrams, one less than words; the difference is the same for
    # texts of two words and more.
    difference = _bigrams(candidate) - _bigrams(reference)
    return total / LONGEST * math.exp(-(difference**2) / (2 * SIGMA**2))


def _bigrams(grams: Mapping[Gram, int]) -> int:
    return sum(n for gram, n in grams.items() if len(gram) == 2)
