"""Train the heads that have no published weights, on frozen features of the train splits. The recipes are ours.

- **Linear probe**: multinomial logistic regression with an L2 penalty by full-batch L-BFGS, as CLIP's own probes
  (Radford et al. 2021, section 3.2: C = 0.316).
- **VQA classifier**: the most frequent normalised answers are its outputs, an answer's target ``min(1, people / 3)``;
  binary cross-entropy, Adam, batches of 512 in a seeded order.
- **Alignment**: CLIP's towers share a space already, so the projections of pictures and texts are the identity; the
  projection of sounds and the scale are trained so that a sound is nearest to its class's prompt (the InfoNCE loss
  over all class prompts), Adam, full batch.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812, torch's own convention
from torch import Tensor, nn

from splitshare.benchmarks.metrics.vqa import normalise_answer
from splitshare.errors import WorkError
from splitshare.modules.alignment_head import AlignmentHead
from splitshare.modules.linear_head import LinearHead
from splitshare.modules.vqa_head import VqaHead

Recipe = dict[str, str | int | float]

PROBE: Recipe = {"loss": "cross-entropy", "optimiser": "L-BFGS", "iterations": 200, "c": 0.316}
VQA: Recipe = {"loss": "binary cross-entropy", "optimiser": "Adam", "rate": 1e-3, "epochs": 20, "batch": 512}
ALIGNMENT: Recipe = {"loss": "InfoNCE over class prompts", "optimiser": "Adam", "rate": 1e-3, "steps": 300}


@dataclass(frozen=True)
class Fitted:
    """What a training gave beside the weights."""

    recipe: Recipe
    train_metric: float
    """Share of the training samples that the head gets right (of the soft targets, for VQA)."""
    answers: tuple[str, ...] = ()


def fit_probe(head: LinearHead, features: Tensor, labels: Tensor) -> Fitted:
    """Train the linear probe; the same on every run of the same machine.

    Args:
        head: to be trained in place.
        features: shape (samples, embedding).
        labels: shape (samples,).
    """
    classifier = head.classifier.requires_grad_(True)
    nn.init.zeros_(classifier.weight)
    nn.init.zeros_(classifier.bias)
    penalty = 1 / (2 * float(PROBE["c"]) * len(features))
    optimiser = torch.optim.LBFGS(
        classifier.parameters(), max_iter=int(PROBE["iterations"]), line_search_fn="strong_wolfe", tolerance_change=1e-9
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(classifier(features), labels) + penalty * classifier.weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    classifier.requires_grad_(False)
    return Fitted(PROBE, float((classifier(features).argmax(-1) == labels).float().mean()))


def answer_targets(people: Sequence[Sequence[str]], outputs: int) -> tuple[tuple[str, ...], Tensor]:
    """The most frequent answers, at most ``outputs``, and how right each is for each question (questions, outputs)."""
    normalised = [Counter(normalise_answer(answer) for answer in answers) for answers in people]
    frequent = Counter[str]()
    for counts in normalised:
        frequent.update(counts)
    chosen = sorted(frequent, key=lambda answer: (-frequent[answer], answer))[:outputs]
    place = {answer: i for i, answer in enumerate(chosen)}
    targets = torch.zeros(len(people), outputs)
    for row, counts in enumerate(normalised):
        for answer, times in counts.items():
            if answer in place:
                targets[row, place[answer]] = min(1.0, times / 3)
    return tuple(chosen), targets


def fit_vqa(head: VqaHead, vision: Tensor, text: Tensor, people: Sequence[Sequence[str]], seed: int) -> Fitted:
    """Train the VQA classifier.

    Args:
        head: to be trained in place.
        vision: shape (questions, embedding).
        text: the same.
        people: the answers to each question.
        seed: of the order of batches.
    """
    answers, targets = answer_targets(people, head.classifier.out_features)
    head.requires_grad_(True)
    optimiser = torch.optim.Adam(head.parameters(), lr=float(VQA["rate"]))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(int(VQA["epochs"])):
        for rows in torch.split(torch.randperm(len(vision), generator=generator), int(VQA["batch"])):
            scores = head({"vision": vision[rows], "text": text[rows]})
            loss = F.binary_cross_entropy_with_logits(scores, targets[rows], reduction="sum") / len(rows)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    head.requires_grad_(False)
    best = head({"vision": vision, "text": text})[:, : len(answers)].argmax(-1, keepdim=True)
    return Fitted(VQA | {"seed": seed}, float(targets.gather(1, best).mean()), answers)


def fit_alignment(head: AlignmentHead, audio: Tensor, labels: Tensor, prompts: Tensor) -> Fitted:
    """Train the projection of sounds.

    Args:
        head: to be trained in place.
        audio: shape (sounds, audio embedding).
        labels: shape (sounds,).
        prompts: embedding of each class's prompts (classes, text embedding).

    Raises:
        WorkError: the spaces differ in width, so that the identity is no projection.
    """
    joint = head.audio_projection.out_features
    for projection in (head.vision_projection, head.text_projection):
        if projection.in_features != joint:
            raise WorkError(f"a joint space of width {joint} is not as wide as the towers', {projection.in_features}")
        nn.init.eye_(projection.weight)
    head.requires_grad_(False)
    trained = [head.audio_projection.weight, head.logit_scale]
    for parameter in trained:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(trained, lr=float(ALIGNMENT["rate"]))
    texts = F.normalize(head.text_projection(prompts), dim=-1)
    for _ in range(int(ALIGNMENT["steps"])):
        loss = F.cross_entropy(_logits(head, audio, texts), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            head.logit_scale.clamp_(max=math.log(100))  # CLIP's bound, without which the scale runs away
    head.requires_grad_(False)
    return Fitted(ALIGNMENT, float((_logits(head, audio, texts).argmax(-1) == labels).float().mean()))


def _logits(head: AlignmentHead, audio: Tensor, texts: Tensor) -> Tensor:
    logits: Tensor = head.logit_scale.exp() * F.normalize(head.audio_projection(audio), dim=-1) @ texts.T
    return logits
