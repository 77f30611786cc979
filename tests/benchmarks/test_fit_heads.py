import numpy as np
import pytest
import torch

from splitshare.benchmarks.fit_heads import PROBE, answer_targets, fit_alignment, fit_probe, fit_vqa
from splitshare.errors import WorkError
from splitshare.modules import alignment_head, linear_head, vqa_head


def clusters(classes, each, width, seed=0):
    """Points around a centre a class, far apart."""
    draw = np.random.default_rng(seed)
    centres = 4 * draw.normal(size=(classes, width))
    labels = np.repeat(np.arange(classes), each)
    points = centres[labels] + 0.3 * draw.normal(size=(len(labels), width))
    return torch.tensor(points, dtype=torch.float32), torch.tensor(labels), torch.tensor(centres, dtype=torch.float32)


def test_probe_is_at_the_minimum_of_the_penalised_loss():
    """The gradient in double precision, written out: softmax minus one-hot times features, plus the penalty's."""
    features, labels, _ = clusters(3, 20, 6)
    features = features / 8
    head = linear_head.build(embedding=6, classes=3)
    fitted = fit_probe(head, features, labels)
    weight, bias = head.classifier.weight.double().numpy(), head.classifier.bias.double().numpy()
    scores = features.double().numpy() @ weight.T + bias
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) - np.eye(3)[labels]
    gradient = shares.T @ features.double().numpy() / len(labels) + weight / (float(PROBE["c"]) * len(labels))
    assert np.abs(gradient).max() < 1e-4
    assert np.abs(shares.mean(axis=0)).max() < 1e-4
    assert fitted.train_metric == 1


def test_answers_are_the_most_frequent_and_targets_count_people():
    answers, targets = answer_targets([["yes"] * 2 + ["no"] * 8, ["Yes!", "two"], ["cat"]], outputs=3)
    assert answers == ("no", "yes", "2"), "by frequency, then by letter; 'cat' has no place"
    assert targets == pytest.approx(np.array([[1, 2 / 3, 0], [0, 1 / 3, 1 / 3], [0, 0, 0]]))


def test_vqa_classifier_learns_a_rule_of_picture_and_question_and_repeats():
    draw = torch.Generator().manual_seed(0)
    vision, text = torch.randn(4096, 4, generator=draw), torch.randn(4096, 4, generator=draw)
    people = [["yes" if same else "no"] * 10 for same in ((vision[:, 0] > 0) == (text[:, 0] > 0)).tolist()]
    heads = []
    for _ in range(2):
        torch.manual_seed(0)
        heads.append(vqa_head.build(embedding=4, hidden=64, answers=5))
        fitted = fit_vqa(heads[-1], vision, text, people, seed=1)
    assert fitted.train_metric > 0.85, "half by chance"
    assert sorted(fitted.answers) == ["no", "yes"]
    assert all(torch.equal(a, b) for a, b in zip(*(h.parameters() for h in heads), strict=True))


def test_alignment_finds_the_class_of_a_sound():
    audio, labels, centres = clusters(5, 12, 10)
    prompts = torch.randn(5, 8, generator=torch.Generator().manual_seed(3))
    head = alignment_head.build(vision_embedding=8, text_embedding=8, audio_embedding=10, joint_embedding=8)
    assert fit_alignment(head, audio, labels, prompts).train_metric == 1
    scores = head({"audio": centres, "vision": torch.zeros(5, 8), "text": prompts.repeat(5, 1)})
    assert scores[:, :5].argmax(-1).tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(head.text_projection.weight, torch.eye(8))


def test_alignment_needs_a_space_as_wide_as_the_towers():
    head = alignment_head.build(vision_embedding=8, text_embedding=8, audio_embedding=10, joint_embedding=6)
    with pytest.raises(WorkError, match="width 6"):
        fit_alignment(head, torch.zeros(2, 10), torch.tensor([0, 1]), torch.zeros(2, 8))
