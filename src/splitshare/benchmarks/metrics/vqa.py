"""VQA accuracy as the VQA challenge's evaluation code computes it (Antol et al. 2015, arXiv 1505.00468; visualqa.org).

An answer of ten people's is right as far as three of them gave it. Answers are normalised first, where the people
disagree: punctuation, number words, articles and contractions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MARKS = ';/[]"{}()=+\\_-><@`,?!'
"""Marks that are removed, or become a space."""
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
_MOST_FULL_STOPS = 32
"""The challenge's code passes the flag ``re.UNICODE`` where a count is expected; it is 32."""

_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    )
} | {"none": "0"}
_ARTICLES = {"a", "an", "the"}

_CONTRACTIONS = """
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's
how'd how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've
o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've there're
there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've
when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't
wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've
"""
"""The challenge's contractions; each is restored wherever one of its apostrophes is missing."""


def _without_one_apostrophe(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i, letter in enumerate(word) if letter == "'"]


_RESTORED = {short: word for word in _CONTRACTIONS.split() for short in _without_one_apostrophe(word)} | {
    "somebody'd": "somebodyd"  # the one entry that the challenge's table has the other way round
}


def normalise_answer(answer: str) -> str:
    """An answer as the challenge compares it.

    Marks become spaces, unless one stands beside a space or the answer has a comma between digits: then they vanish.
    Full stops vanish unless a digit follows. Words are lower-cased, number words up to ten become digits, articles
    vanish, contractions get their apostrophe back.
    """
    text = answer
    number = _COMMA_IN_NUMBER.search(answer) is not None
    for mark in _MARKS:
        beside_space = f"{mark} " in answer or f" {mark}" in answer
        text = text.replace(mark, "" if beside_space or number else " ")
    text = _FULL_STOP.sub("", text, count=_MOST_FULL_STOPS)
    words = [_NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(_RESTORED.get(word, word) for word in words if word not in _ARTICLES)


def vqa_accuracy(answer: str, people: Sequence[str]) -> float:
    """Accuracy in [0, 1] of an answer to a question that several people answered.

    The mean, over all ways to leave one person out, of ``min(1, matching answers / 3)``. Nothing is normalised where
    all people gave the same answer, as in the challenge.

    Args:
        answer: the model's.
        people: what people answered, ten of them in VQAv2 and TextVQA.

    Raises:
        ValueError: nobody answered.
    """
    if not people:
        raise ValueError("a question that nobody answered has no right answer")
    given, right = _one_line(answer), [_one_line(person) for person in people]
    if len(set(right)) > 1:
        given, right = normalise_answer(given), [normalise_answer(person) for person in right]
    matches = right.count(given)
    scores = [min(1.0, (matches - (person == given)) / 3) for person in right]
    return sum(scores) / len(scores)


def _one_line(answer: str) -> str:
    return answer.replace("\n", " ").replace("\t", " ").strip()
