import shutil

import numpy as np
import pytest
from PIL import Image

from splitshare.benchmarks.embedded.easy_vqa import (
    CLASSES,
    UNKNOWN_CLASS,
    Question,
    classes_of,
    data_sha256,
    package_data,
    read_easy_vqa,
)
from splitshare.errors import InputError


@pytest.fixture(scope="module")
def data():
    return read_easy_vqa()


def test_counts_are_those_that_the_package_states(data):
    """Its README: 4,000 and 1,000 images, 38,575 and 9,673 questions, 28,407 and 7,136 of them yes-no, 13 answers."""
    assert (data.train.images.shape, data.test.images.shape) == ((4000, 64, 64, 3), (1000, 64, 64, 3))
    for split, questions, yes_no in ((data.train, 38_575, 28_407), (data.test, 9_673, 7_136)):
        assert len(split.questions) == questions
        assert sum(question.answer in ("yes", "no") for question in split.questions) == yes_no
    assert len(data.answers) == 13
    assert {question.answer for question in data.train.questions} == set(data.answers)


def test_classes_are_what_the_pixels_show(data):
    """The shape is drawn in shades about one hue on a light ground: its pixels tell the colour without any question."""
    hues = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}
    checked = 0
    for image, found in zip(data.test.images, data.test.classes, strict=True):
        colour = CLASSES[found][0] if found != UNKNOWN_CLASS else ""
        if colour not in hues:
            continue
        pixels = image.reshape(-1, 3).astype(float)
        ground = np.median(pixels, axis=0)
        shape = pixels[np.abs(pixels - ground).sum(axis=1) > 120].mean(axis=0)
        assert np.argmax(shape) == np.argmax(hues[colour])
        checked += 1
    assert checked > 200


def test_a_class_follows_by_elimination():
    asked = [
        Question("what is the red shape?", "triangle", 0),
        Question("is there a circle?", "no", 1),
        Question("is there not a rectangle in the image?", "yes", 1),
        Question("what color is the shape?", "teal", 1),
        Question("is no blue shape present?", "no", 2),
        Question("what color is the circle?", "gray", 3),
    ]
    found = classes_of(asked, 5)
    names = [CLASSES[i] if i != UNKNOWN_CLASS else None for i in found]
    assert names == [("red", "triangle"), ("teal", "triangle"), None, ("gray", "circle"), None]


def test_changed_data_are_refused(tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(package_data(), folder)
    Image.new("RGB", (64, 64)).save(folder / "test" / "images" / "7.png")
    changed = data_sha256(folder)
    with pytest.raises(InputError, match=f"digest {changed} instead of"):
        read_easy_vqa(folder)
    (folder / "test" / "questions.json").unlink()
    with pytest.raises(InputError, match="no such file"):
        read_easy_vqa(folder)
