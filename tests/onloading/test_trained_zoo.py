"""The trained zoo: its tasks against the data set's own labels, and one model trained in seconds."""

from dataclasses import replace

import pytest
import torch

from splitshare.benchmarks.embedded.easy_vqa import CLASSES, package_data, read_easy_vqa
from splitshare.benchmarks.embedded.prompts import context_of
from splitshare.benchmarks.embedded.training import Recipe
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.onloading import trained_zoo
from splitshare.onloading.generate import roles_of
from splitshare.onloading.trained_zoo import BATCHES, train_member
from splitshare.onloading.zoo import Zoo
from splitshare.onloading.zoo_models import MEMBERS, member_catalog
from splitshare.onloading.zoo_tasks import (
    CLASS,
    COLOUR,
    MATCH,
    OPEN,
    SHAPE,
    TASKS,
    YES_NO,
    at_side,
    zoo_requests,
    zoo_tasks,
)
from splitshare.profiling.timing import run_once
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def embedded():
    return load_catalog(ROOT / EMBEDDED)


@pytest.fixture(scope="module")
def data():
    return read_easy_vqa()


@pytest.fixture(scope="module")
def asked(embedded, data):
    return zoo_requests(data.test, data, context_of(embedded))


def test_the_tasks_ask_what_the_data_set_says(data, asked):
    assert list(asked) == list(TASKS)
    assert (len(asked[YES_NO]), len(asked[OPEN])) == (7_136, 9_673 - 7_136)  # as the package states
    answers = [data.answers[i] for i in asked[OPEN].labels.tolist()]
    assert not {"yes", "no"} & set(answers)
    for i in range(0, len(asked[CLASS]), 97):
        colour, shape = CLASSES[data.test.classes[asked[CLASS].image[i]]]
        assert CLASSES[asked[CLASS].labels[i]] == CLASSES[asked[MATCH].labels[i]] == (colour, shape)
        assert CLASSES[asked[COLOUR].labels[i] * 3 + asked[SHAPE].labels[i]] == (colour, shape)


def test_query_bytes_are_those_of_the_stored_files(data, asked):
    tasks = {task.name: task for task in zoo_tasks(data, package_data(), asked)}
    sizes = [path.stat().st_size for path in (package_data() / "test" / "images").glob("*.png")]
    assert tasks[SHAPE].query_bytes == pytest.approx(sum(sizes) / 1000)
    longest = max(len(question.text) for question in data.test.questions)
    assert 10 < tasks[YES_NO].query_bytes - tasks[SHAPE].query_bytes < longest


def test_smaller_images_are_averages(asked):
    small = at_side(asked, 32)[SHAPE].images
    block = asked[SHAPE].images[5, 1, 10:12, 20:22].float().mean()
    assert abs(float(small[5, 1, 5, 10]) - float(block)) <= 0.5
    assert at_side(asked, 64)[SHAPE].images is asked[SHAPE].images


def test_the_members_differ_in_size_and_tasks(embedded):
    assert len({member.name for member in MEMBERS}) == len(MEMBERS) >= 8
    served = [len(member.tasks) for member in MEMBERS]
    assert min(served) == 1
    assert max(served) == len(TASKS)
    for member in MEMBERS:
        catalog = member_catalog(embedded, member)
        towers = {ref.module for model in catalog.models.values() for ref in model.encoders if ref.role == "vision"}
        assert len(towers) == 1  # one image tower for all its tasks


def test_a_member_is_trained_judged_and_timed(embedded, data, asked, monkeypatch):
    tower = next(member for member in MEMBERS if member.name == "vit-w32-32")
    member = replace(tower, tasks=(COLOUR, YES_NO))
    train = {task: requests for task, requests in asked.items() if task in member.tasks}
    seen: set[int] = set()

    def noted(meter, module, inputs):
        seen.add(len(inputs["vision"]))
        return run_once(meter, module, inputs)

    monkeypatch.setattr(trained_zoo, "run_once", noted)
    model = train_member(embedded, member, train, asked, recipe=Recipe(epochs=6), budget_s=0.02)
    assert set(model.accuracy) == {COLOUR, YES_NO}
    majority = torch.bincount(asked[COLOUR].labels).max().item() / len(asked[COLOUR])
    assert model.accuracy[COLOUR] > 2 * majority
    (curve,) = model.curves
    assert curve.batches == BATCHES
    assert min(curve.seconds) > 0  # which of them is longer is no test's: other tests run beside this one
    assert seen >= set(BATCHES)
    assert model.memory_bytes >= 4 * model.parameters  # float32, and the state of batch normalisation
    assert model.memory_bytes < 4.2 * model.parameters


def test_the_recorded_zoo_has_a_choice_for_every_task():
    """A larger model is not always better, or there would be nothing to decide; and the machine is named."""
    zoo = Zoo.read(ROOT / "data" / "zoos" / "trained.json")
    assert {model.name: set(model.accuracy) for model in zoo.models} == {m.name: set(m.tasks) for m in MEMBERS}
    assert zoo.machine
    for task in TASKS:
        shares = [model.accuracy[task] for model in zoo.models if task in model.accuracy]
        assert len(shares) >= 3
        assert max(shares) > 0.95
        assert max(shares) - min(shares) > 0.05
    for model in zoo.models:
        (curve,) = model.curves
        assert curve.at(32) / 32 < curve.at(1)  # a batch is cheaper than its queries one by one
    roles_of(zoo, "trained.json")
