"""Whether a model can write an answer token by token, its encoders' outputs given: found by trying."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import GenerationConfig, GenerationMixin, PreTrainedModel

from splitshare.checkpoints.observing import Seen
from splitshare.checkpoints.records import HeadEntry
from splitshare.checkpoints.split_module import CheckpointDecoder

PROMPT_TOKENS = 6
NEW_TOKENS = 4
_NO_DIGEST = "0" * 64


def answers_in_words(seen: Seen, model: PreTrainedModel, families_root: Path) -> bool:
    """Whether the head, prompted once and then token by token, writes what the class itself writes.

    Classes that write in a way of their own do not; their answer is what one pass gives.

    Args:
        seen: the model that was asked.
        model: its class with its weights; afterwards its encoders are gone.
        families_root: the data folder.
    """
    if not model.can_generate():
        return False
    entry = HeadEntry(model="tried", digest=_NO_DIGEST, answer=seen.answer, decodes=True, arrives=seen.arrives())
    decoder = CheckpointDecoder(seen.found, model, entry, families_root)
    decoder.prompt_tokens, decoder.new_tokens = PROMPT_TOKENS, NEW_TOKENS
    items: dict[str, int] = {encoder.role: encoder.items for encoder in seen.encoders}
    inputs = decoder.example_inputs(1, items, torch.Generator().manual_seed(0))
    greedy = GenerationConfig(max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=None, pad_token_id=0)
    try:
        with torch.inference_mode():
            arguments = decoder.whole_arguments(inputs)
            expected = GenerationMixin.generate(model, **arguments, generation_config=greedy)
            if model.config.is_encoder_decoder:  # some put a start token before what they were given
                inputs["prompt"] = expected[:, :-NEW_TOKENS].int()
            written = decoder(inputs)
    except Exception:  # noqa: BLE001 - whatever a class does with what it is not made for: then it does not write so
        return False
    return torch.equal(written.long(), expected[:, -NEW_TOKENS:])
