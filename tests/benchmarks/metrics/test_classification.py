import numpy as np
import pytest

from splitshare.benchmarks.metrics.classification import ranked, top_k


def test_top_k_against_counting_better_classes():
    """A label is among the first k exactly if fewer than k classes come before it."""
    draw = np.random.default_rng(0)
    scores = draw.integers(4, size=(200, 7)).astype(float)  # many ties
    labels = draw.integers(7, size=200)
    ranking = ranked(scores)
    for k in range(1, 8):
        before = [
            sum((s, -c) > (row[label], -label) for c, s in enumerate(row))
            for row, label in zip(scores, labels, strict=True)
        ]
        assert np.array_equal(top_k(ranking, labels, k), np.array(before) < k)


def test_of_equal_scores_the_first_class_wins():
    assert ranked([[1.0, 2.0, 2.0]]).tolist() == [[1, 2, 0]]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: ranked([1.0, 2.0]), "must have the shape"),
        (lambda: ranked([[float("nan")]]), "is not a number"),
        (lambda: top_k(ranked([[1.0, 2.0]]), [0], 3), "top-3 of 2 classes"),
        (lambda: top_k(ranked([[1.0, 2.0]]), [0], 0), "top-0 of 2 classes"),
        (lambda: top_k(ranked([[1.0, 2.0]]), [0, 1], 1), "1 rankings for labels"),
    ],
)
def test_refuses_what_has_no_answer(wrong, told):
    with pytest.raises(ValueError, match=told):
        wrong()
