import math

import numpy as np
import torch

from splitshare.modules.alignment_head import AlignmentHead
from splitshare.modules.cosine_head import CosineHead
from splitshare.modules.vqa_head import VqaHead

RNG = np.random.default_rng(0)


def rows(count: int, width: int) -> np.ndarray:
    return RNG.standard_normal((count, width))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def test_cosine_head_compares_each_image_with_its_own_prompts():
    image, prompts = rows(2, 5), rows(6, 5)
    head = CosineHead(5).double()
    with torch.inference_mode():
        scores = head({"vision": torch.from_numpy(image), "text": torch.from_numpy(prompts)})
    expected = [[cosine(image[b], prompts[3 * b + i]) / 0.07 for i in range(3)] for b in range(2)]
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-6)  # the scale is kept in float32 at first


def test_vqa_head_classifies_the_fused_pair():
    image, question = rows(2, 3), rows(2, 3)
    head = VqaHead(3, 4, 7).double()
    with torch.inference_mode():
        scores = head({"vision": torch.from_numpy(image), "text": torch.from_numpy(question)}).numpy()
        w1, b1 = head.hidden.weight.numpy(), head.hidden.bias.numpy()
        w2, b2 = head.classifier.weight.numpy(), head.classifier.bias.numpy()
    for b in range(2):
        hidden = w1 @ np.concatenate([image[b], question[b], image[b] * question[b]]) + b1
        gelu = np.array([h * 0.5 * (1 + math.erf(h / math.sqrt(2))) for h in hidden])
        np.testing.assert_allclose(scores[b], w2 @ gelu + b2)


def test_alignment_head_scores_the_three_pairs():
    image, sound, prompts = rows(2, 4), rows(2, 6), rows(6, 5)
    head = AlignmentHead(vision_embedding=4, text_embedding=5, audio_embedding=6, joint_embedding=3).double()
    with torch.inference_mode():
        inputs = {"vision": image, "audio": sound, "text": prompts}
        scores = head({role: torch.from_numpy(values) for role, values in inputs.items()}).numpy()
        v, t, a = (p.weight.numpy() for p in (head.vision_projection, head.text_projection, head.audio_projection))
    for b in range(2):
        own = [t @ prompts[3 * b + i] for i in range(3)]
        expected = [cosine(a @ sound[b], p) for p in own] + [cosine(v @ image[b], p) for p in own]
        expected.append(cosine(a @ sound[b], v @ image[b]))
        np.testing.assert_allclose(scores[b], np.array(expected) / 0.07, rtol=1e-6)
