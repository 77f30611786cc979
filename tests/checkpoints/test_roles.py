"""What an encoder has to send to the head, by what is known of each architecture."""

import pytest
import torch
from transformers.modeling_outputs import BaseModelOutputWithPooling

from splitshare.checkpoints.chain import answers_of, asked, in_parts
from splitshare.checkpoints.cut import cut
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.roles import arrived, what_is_sent
from splitshare.checkpoints.source import load_checkpoint
from splitshare.places import DATA
from tests.checkpoints.tiny import MODELS

FAMILIES = load_families(DATA)
# Two layers: the states behind the last but one are the second of three. 9 patches and CLIP's class token.
PATCHES = {"vision": ("last_hidden_state", 10)}
SENT = {
    "clip": {"vision": ("pooler_output", 1), "text": ("pooler_output", 1)},
    "siglip": {"vision": ("pooler_output", 1), "text": ("pooler_output", 1)},
    "clap": {"audio": ("pooler_output", 1), "text": ("pooler_output", 1)},
    "vit": PATCHES,
    "dinov2": PATCHES,
    "captioning": PATCHES,
    "blip": PATCHES,
    "blip-2": PATCHES,
    "llava": {"vision": ("hidden_states[1]", 10)},
    "llava-next": {"vision": ("hidden_states[1]", 3 * 10)},
    "llava-onevision": {"vision": ("hidden_states[2]", 3 * 9)},
    "paligemma": {"vision": ("last_hidden_state", 9)},
    "smolvlm": {"vision": ("last_hidden_state", 9)},
    "qwen2-vl": {"vision": ("pooler_output", 4)},
    "ast": {"audio": ("pooler_output", 1)},
    "whisper": {"audio": ("last_hidden_state", 20)},
    "wav2vec2": {"audio": ("last_hidden_state", 199)},
    "gpt2": {},
    "decoders": {},
}
"""Each encoder's output that the head reads, and rows of 32 values that a request takes."""


def test_every_family_is_tried():
    assert SENT.keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_the_smallest_tensor_that_suffices_is_found(saved, name):
    sent = what_is_sent(cut(load_checkpoint(str(saved[name])), FAMILIES), FAMILIES)
    assert {s.module: (s.told, s.bytes / 2 / (4 * 32)) for s in sent} == SENT[name]


def test_the_head_answers_to_what_arrived(saved):
    """Another tensor at the encoder's place changes the answers; the encoder itself is not asked."""
    found = cut(load_checkpoint(str(saved["llava"])), FAMILIES)
    (sends,) = what_is_sent(found, FAMILIES)
    model, inputs = in_parts(found), asked(found, FAMILIES)
    kept: dict[str, torch.Tensor] = {}
    tower = model.get_submodule(sends.place)
    hook = tower.register_forward_hook(lambda _, __, value: kept.update(states=value.hidden_states[1]))
    with torch.inference_mode():
        own = answers_of(model, inputs)["logits"]
        hook.remove()
        tower.register_forward_hook(lambda *_: pytest.fail("the encoder is asked"))
        for states, same in ((kept["states"], True), (kept["states"] + 1, False)):
            value = BaseModelOutputWithPooling(hidden_states=(None, states, None))
            with arrived(model, sends.place, value):
                assert torch.equal(answers_of(model, inputs)["logits"], own) is same
