import pytest

from splitshare.benchmarks.metrics.vqa import normalise_answer, vqa_accuracy


@pytest.mark.parametrize(
    ("answer", "normalised"),
    [
        ("The Red Bus", "red bus"),
        ("two", "2"),
        ("none", "0"),
        ("eleven", "eleven"),
        ("dont know", "don't know"),
        ("couldnt've", "couldn't've"),
        ("couldn'tve", "couldn't've"),
        ("couldntve", "couldntve"),  # the challenge restores one apostrophe only
        ("yall'd've", "y'all'd've"),
        ("ow's'at", "'ow's'at"),
        ("somebody'd", "somebodyd"),
        ("hell", "hell"),
        ("black/white", "black white"),
        ("black / white", "black white"),
        ("yes!", "yes"),
        ("1,000", "1000"),
        ("1,000-2", "10002"),  # with a comma between digits every mark vanishes
        ("8:35", "8:35"),
        ("3.5", "3.5"),
        ("U.S.", "us"),
        ("Mr. T", "mr t"),
        ("an apple", "apple"),
        ("A", ""),
    ],
)
def test_normalises_as_the_challenge(answer, normalised):
    """Answers worked out by hand from the challenge's published code."""
    assert normalise_answer(answer) == normalised


@pytest.mark.parametrize(
    ("matching", "accuracy"),
    [(0, 0.0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1.0), (10, 1.0)],
)
def test_accuracy_by_how_many_of_ten_agree(matching, accuracy):
    """Leaving each of ten people out: for m matches, (m min(1, (m-1)/3) + (10-m) min(1, m/3)) / 10."""
    people = ["yes"] * matching + [f"other {i}" for i in range(10 - matching)]
    assert vqa_accuracy("yes", people) == pytest.approx(accuracy)


def test_normalises_only_where_people_disagree():
    assert vqa_accuracy("two", ["two"] * 10) == 1
    assert vqa_accuracy("2", ["two"] * 10) == 0
    assert vqa_accuracy("2", ["two"] * 9 + ["three"]) == 1
    assert vqa_accuracy(" Two.\n", ["two"] * 9 + ["three"]) == 1


def test_needs_people():
    with pytest.raises(ValueError, match="nobody answered"):
        vqa_accuracy("yes", [])
