"""easy-VQA (V. Zhou 2019, MIT licence): images of one coloured shape, questions about them, a fixed test split.

The files of the installed package are read as data; its code is not run. Their digest is checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from splitshare.errors import InputError
from splitshare.files import parse_json, read_text, sha256_file

PACKAGE = "easy-vqa"
DATA_SHA256 = "29b31110451e9679c6e0250fe3c5cf182426679d8d435748c6b509ae30af96b0"
"""Digest of the data of version 1.0, the only one that there is (``data_sha256``)."""

COLOURS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
SHAPES = ("circle", "rectangle", "triangle")
CLASSES = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
"""The 24 classes of an image (ours): every colour with every shape."""
UNKNOWN_CLASS = -1
SIDE = 64
"""Pixels of an image's side."""

_NEGATIONS = {"no", "not"}


class Question(NamedTuple):
    """A question about an image, the right answer, and the image's index."""

    text: str
    answer: str
    image: int

    @property
    def words(self) -> tuple[str, ...]:
        """The words, without the question mark."""
        return words_of(self.text)


@dataclass(frozen=True)
class Split:
    """A part of the data set."""

    images: npt.NDArray[np.uint8]
    """Shape (images, side, side, 3), RGB."""
    questions: tuple[Question, ...]
    classes: npt.NDArray[np.int64]
    """Shape (images,): index into ``CLASSES``, ``UNKNOWN_CLASS`` where the questions leave it open."""


@dataclass(frozen=True)
class EasyVqa:
    """The whole data set."""

    train: Split
    test: Split
    answers: tuple[str, ...]
    """The 13 possible answers; a label is an index into them."""
    sha256: str


def package_data() -> Path:
    """Folder of the installed package's data.

    Raises:
        InputError: the package is not installed.
    """
    try:
        return Path(str(distribution(PACKAGE).locate_file("easy_vqa/data")))
    except PackageNotFoundError:
        raise InputError(PACKAGE, "", "the package is not installed; run `make install`") from None


def data_sha256(folder: Path) -> str:
    """Digest over names and contents of the answers, the questions and the images, in the order of names."""
    names = ["answers.txt"]
    for split in ("test", "train"):
        names += sorted(f"{split}/images/{path.name}" for path in (folder / split / "images").glob("*.png"))
        names.append(f"{split}/questions.json")
    digest = hashlib.sha256()
    for name in names:
        path = folder / name
        if not path.is_file():
            raise InputError(path, "", f"no such file; install {PACKAGE} again")
        digest.update(f"{name} {sha256_file(path)}\n".encode())
    return digest.hexdigest()


def read_easy_vqa(folder: Path | None = None, *, expected_sha256: str = DATA_SHA256) -> EasyVqa:
    """Read the data set.

    Args:
        folder: with ``answers.txt``, ``train`` and ``test``; by default the installed package's.
        expected_sha256: what ``data_sha256`` must be.

    Raises:
        InputError: the package is missing, or its data are not the expected ones.
    """
    folder = package_data() if folder is None else folder
    digest = data_sha256(folder)
    if digest != expected_sha256:
        raise InputError(folder, "", f"digest {digest} instead of {expected_sha256}; install {PACKAGE} again")
    answers = tuple(read_text(folder / "answers.txt").split())
    return EasyVqa(_read_split(folder / "train"), _read_split(folder / "test"), answers, digest)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a question, without the question mark."""
    return tuple(text.rstrip("?").split())


def classes_of(questions: Sequence[Question], images: int) -> npt.NDArray[np.int64]:
    """What the questions about each image tell of its class, by elimination; shape (images,).

    A what-question names a colour or a shape of the image, in its words or in the answer; a yes-no question names one
    that the image has or has not.
    """
    possible = np.ones((images, len(COLOURS), len(SHAPES)), dtype=bool)
    for question in questions:
        named = _named(question.words)
        if question.words[0] == "what":
            for word in (*question.words, question.answer):
                if word in COLOURS or word in SHAPES:
                    possible[question.image] &= _named((word,))
        else:
            holds = (question.answer == "yes") != bool(_NEGATIONS & set(question.words))
            possible[question.image] &= named if holds else ~named
    flat = possible.reshape(images, -1)
    return np.where(flat.sum(axis=1) == 1, flat.argmax(axis=1), UNKNOWN_CLASS)


def _named(words: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which classes have a colour or a shape that stands among ``words``; shape (colours, shapes)."""
    colours = np.array([colour in words for colour in COLOURS])
    shapes = np.array([shape in words for shape in SHAPES])
    either: npt.NDArray[np.bool_] = colours[:, None] | shapes[None, :]
    return either


def _read_split(folder: Path) -> Split:
    path = folder / "questions.json"
    questions = tuple(Question(*row) for row in parse_json(read_text(path), path))
    count = 1 + max(question.image for question in questions)
    images = np.empty((count, SIDE, SIDE, 3), dtype=np.uint8)
    for i in range(count):
        with Image.open(folder / "images" / f"{i}.png") as image:
            images[i] = np.asarray(image.convert("RGB"))
    return Split(images, questions, classes_of(questions, count))
