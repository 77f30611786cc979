"""Training and evaluation on 640 training and 100 test images: seconds instead of a minute."""

import copy
from dataclasses import fields, replace

import pytest
import torch
from safetensors.torch import load_file

from splitshare.benchmarks.embedded import training
from splitshare.benchmarks.embedded.easy_vqa import Split, read_easy_vqa
from splitshare.benchmarks.embedded.evaluation import accuracy_rows, shared_scores, split_scores, whole_scores
from splitshare.benchmarks.embedded.groups import training_groups
from splitshare.benchmarks.embedded.prompts import Vocabulary, context_of
from splitshare.benchmarks.embedded.requests import CLASSIFICATION, RETRIEVAL, VQA, on_device, requests_of
from splitshare.benchmarks.embedded.training import Recipe, train
from splitshare.benchmarks.embedded.weights import read_log, read_trained, weights_file, write_trained
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import EMBEDDED
from splitshare.errors import InputError, WorkError
from tests.conftest import ROOT

RECIPE = Recipe(epochs=4, images_a_batch=32)


def first(split: Split, images: int) -> Split:
    """The first images of a split, and what is asked about them."""
    asked = tuple(question for question in split.questions if question.image < images)
    return replace(split, images=split.images[:images], questions=asked, classes=split.classes[:images])


@pytest.fixture(scope="module")
def catalog():
    return load_catalog(ROOT / EMBEDDED)


@pytest.fixture(scope="module")
def data():
    whole = read_easy_vqa()
    return replace(whole, train=first(whole.train, 640), test=first(whole.test, 100))


@pytest.fixture(scope="module")
def together(catalog):
    return training_groups(catalog, ["embedded-vqa-together"])[0]


@pytest.fixture(scope="module")
def trained(catalog, data, together):
    return train(catalog, together, requests_of(data.train, data, context_of(catalog)), RECIPE)


@pytest.fixture(scope="module")
def asked(catalog, data):
    return requests_of(data.test, data, context_of(catalog))


def test_models_that_share_modules_are_trained_together(catalog):
    names = [tuple(model.name for model in group) for group in training_groups(catalog)]
    tasks = ("retrieval", "vqa", "classification")
    assert names == [
        *((f"embedded-{task}-alone",) for task in tasks),
        tuple(f"embedded-{task}-together" for task in tasks),
    ]


def test_the_catalogue_fits_the_data(catalog, data):
    vocabulary = Vocabulary.of(data)
    assert catalog.architectures["small-text"].params["vocabulary"] == vocabulary.size
    assert catalog.architectures["vqa-13"].params["answers"] == len(data.answers)
    with pytest.raises(WorkError, match="'giraffe' is no word"):
        vocabulary.encode(["is there a giraffe?"], 12)
    with pytest.raises(WorkError, match="the text encoder takes 2"):
        vocabulary.encode(["is there a circle?"], 4)


def test_requests_are_the_data_set(data, asked):
    chosen = torch.tensor([3, 5])
    inputs = asked[VQA].inputs(chosen)
    for row, i in enumerate(chosen.tolist()):
        question = data.test.questions[i]
        pixels = torch.from_numpy(data.test.images[question.image]).permute(2, 0, 1)
        torch.testing.assert_close((inputs["vision"][row] * 0.25 + 0.5) * 255, pixels.float())
        words = Vocabulary.of(data).words
        assert [words[t - 1] for t in inputs["text"][row].tolist() if 0 < t <= len(words)] == list(question.words)
        assert data.answers[asked[VQA].labels[i]] == question.answer
    assert len(asked[RETRIEVAL]) == len(asked[CLASSIFICATION]) == (data.test.classes >= 0).sum()
    assert asked[RETRIEVAL].inputs(chosen)["text"].shape == (2 * 24, 12)
    assert "text" not in asked[CLASSIFICATION].inputs(chosen)


def test_training_learns(trained):
    assert trained.loss[-1] < 0.8 * trained.loss[0]


def test_training_repeats_to_the_last_bit(catalog, data, together):
    small = replace(data, train=first(data.train, 128))
    requests = requests_of(small.train, data, context_of(catalog))
    one, two = (train(catalog, together, requests, Recipe(epochs=1)) for _ in range(2))
    for name, module in one.modules.items():
        for key, tensor in module.state_dict().items():
            assert torch.equal(tensor, two.modules[name].state_dict()[key]), (name, key)
    assert train(catalog, together, requests, Recipe(epochs=1, seed=1)).loss != one.loss


@pytest.mark.parametrize("task", ["retrieval", "vqa", "classification"])
def test_whole_split_and_shared_predict_the_same(catalog, together, trained, asked, task):
    model = next(m for m in together if task in m.name)
    whole = whole_scores(catalog, model, trained.modules, asked[model.task])
    split = split_scores(model, trained.modules, asked[model.task])
    shared = shared_scores(together, trained.modules, asked)[model.name]
    assert len({*whole.argmax(axis=1)}) > 1  # it says different things to different requests
    for scores in (split, shared):
        torch.testing.assert_close(torch.from_numpy(scores), torch.from_numpy(whole), rtol=1e-4, atol=1e-4)
        assert (scores.argmax(axis=1) == whole.argmax(axis=1)).all()


def test_rows_count_hits_and_differences(together, asked):
    """Against a count by hand: right for the first 80 requests, and another arrangement that errs on 3 of them."""
    model = next(m for m in together if m.task == VQA)
    requests = asked[VQA]
    whole = torch.nn.functional.one_hot(requests.labels, 13).numpy().astype("float32")
    whole[80:] = whole[80:][:, ::-1]  # wrong, for 13 answers, unless the middle one is right
    right = int((whole.argmax(axis=1) == requests.labels.numpy()).sum())
    split = whole.copy()
    split[:3] = 1 - split[:3]
    (row,) = accuracy_rows(model, "split", split, whole, requests, {"machine": "a test"})
    assert row.value == pytest.approx((right - 3) / len(requests))
    assert row.ci_low < row.value < row.ci_high
    assert row.differing_predictions == 3


def test_weights_come_back(catalog, together, trained, tmp_path):
    write_trained(trained, together, RECIPE, "0" * 64, tmp_path)
    again = read_trained(catalog, together, tmp_path)
    for name, module in trained.modules.items():
        stored = load_file(weights_file(tmp_path, name))
        for key, tensor in module.state_dict().items():
            assert torch.equal(tensor, stored[key])
            assert torch.equal(tensor, again[name].state_dict()[key])
    assert read_log(together, tmp_path).loss == trained.loss
    weights_file(tmp_path, "vqa-13@together").write_bytes(b"no weights")
    with pytest.raises(InputError, match="not the weights of vqa-13@together"):
        read_trained(catalog, together, tmp_path)
    weights_file(tmp_path, "vqa-13@together").unlink()
    with pytest.raises(InputError, match="no such file; train with"):
        read_trained(catalog, together, tmp_path)


def test_what_tasks_share_is_moved_once(asked):
    there = on_device(asked, torch.device("meta"))
    assert len({id(requests.images) for requests in there.values()}) == 1
    for task, requests in asked.items():
        for field in (field for field in fields(requests) if field.type == "Tensor"):
            before, after = getattr(requests, field.name), getattr(there[task], field.name)
            assert (after.device.type, after.shape, after.dtype) == ("meta", before.shape, before.dtype)
    here = on_device(asked, torch.device("cpu"))
    assert all(here[task].images is asked[task].images for task in asked)


def test_on_another_device_nothing_is_left_behind(catalog, together, trained, asked, elsewhere):
    device = torch.device(elsewhere)
    there = on_device(asked, device)
    modules = {name: copy.deepcopy(module).to(device) for name, module in trained.modules.items()}
    shared = shared_scores(together, modules, there)
    for model in together:
        own = there[model.task]
        shapes = {
            scores.shape
            for scores in (
                whole_scores(catalog, model, modules, own),
                split_scores(model, modules, own),
                shared[model.name],
            )
        }
        assert shapes == {split_scores(model, trained.modules, asked[model.task]).shape}
        scores = shared[model.name]
        assert accuracy_rows(model, "shared", scores, scores, own, {})[0].samples == len(own)


def test_a_step_of_training_leaves_nothing_behind(catalog, together, trained, asked, elsewhere, monkeypatch):
    monkeypatch.setattr(
        torch,
        "unique",  # the meta device cannot tell which are alike: all of them are taken
        lambda tensor, return_inverse: (tensor.flatten(), torch.arange(tensor.numel(), device=tensor.device)),
    )
    device = torch.device(elsewhere)
    modules = {name: copy.deepcopy(module).to(device) for name, module in trained.modules.items()}
    by_image = {model.task: training._by_image(asked[model.task]) for model in together}
    loss = training._loss(together, modules, on_device(asked, device), by_image, torch.arange(32))
    assert (loss.device, loss.shape) == (device, ())
