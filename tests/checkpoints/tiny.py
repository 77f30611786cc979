"""Small random models of all described families, written by transformers itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers as t
from transformers import PreTrainedModel

TRANSFORMER = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = TRANSFORMER | {"image_size": 24, "patch_size": 8}
DECODER = TRANSFORMER | {"num_key_value_heads": 2, "vocab_size": 99, "max_position_embeddings": 256}
TEXT = TRANSFORMER | {"vocab_size": 99, "max_position_embeddings": 40}
GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 99, "n_positions": 64}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
GRID = [[24, 48], [48, 24], [48, 48]]
IMAGE = 98


def _clip() -> PreTrainedModel:
    joint = {"projection_dim": 16}
    return t.CLIPModel(t.CLIPConfig(vision_config=VISION | joint, text_config=TEXT | joint | ENDS, **joint))


def _clap() -> PreTrainedModel:
    audio = {
        "hidden_size": 32,
        "patch_embeds_hidden_size": 16,
        "num_mel_bins": 16,
        "spec_size": 64,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "num_hidden_layers": 2,
        "window_size": 4,
        "patch_size": 4,
        "patch_stride": [4, 4],
        "projection_dim": 16,
    }
    return t.ClapModel(t.ClapConfig(audio_config=audio, text_config=TEXT | {"projection_dim": 16}, projection_dim=16))


def _siglip() -> PreTrainedModel:
    return t.SiglipModel(t.SiglipConfig(vision_config=VISION, text_config=TEXT | ENDS))


def _blip() -> PreTrainedModel:
    text = TEXT | ENDS | {"encoder_hidden_size": 32, "sep_token_id": 3}
    config = t.BlipConfig(vision_config=VISION, text_config=text, projection_dim=16, image_text_hidden_size=16)
    return t.BlipForConditionalGeneration(config)


def _blip2() -> PreTrainedModel:
    text = t.OPTConfig(
        hidden_size=32,
        ffn_dim=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        vocab_size=99,
        max_position_embeddings=64,
        word_embed_proj_dim=32,
    )
    former = TRANSFORMER | {"vocab_size": 99, "encoder_hidden_size": 32}
    config = t.Blip2Config(
        vision_config=VISION,
        qformer_config=former,
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_token_index=IMAGE,
    )
    return t.Blip2ForConditionalGeneration(config)


def _llava() -> PreTrainedModel:
    vision = t.CLIPVisionConfig(**VISION, projection_dim=16)
    config = t.LlavaConfig(vision_config=vision, text_config=t.LlamaConfig(**DECODER), image_token_index=IMAGE)
    return t.LlavaForConditionalGeneration(config)


def _llava_next() -> PreTrainedModel:
    config = t.LlavaNextConfig(
        vision_config=t.CLIPVisionConfig(**VISION),
        text_config=t.LlamaConfig(**DECODER),
        image_token_index=IMAGE,
        image_grid_pinpoints=GRID,
    )
    return t.LlavaNextForConditionalGeneration(config)


def _llava_onevision() -> PreTrainedModel:
    config = t.LlavaOnevisionConfig(
        vision_config=t.SiglipVisionConfig(**VISION, vision_use_head=False),
        text_config=t.Qwen2Config(**DECODER),
        image_token_index=IMAGE,
        video_token_index=IMAGE - 1,
        image_grid_pinpoints=GRID,
    )
    return t.LlavaOnevisionForConditionalGeneration(config)


def _paligemma() -> PreTrainedModel:
    config = t.PaliGemmaConfig(
        vision_config=t.SiglipVisionConfig(**VISION, vision_use_head=False, projection_dim=32),
        text_config=t.GemmaConfig(**DECODER | {"num_key_value_heads": 1, "head_dim": 16}),
        image_token_index=IMAGE,
        projection_dim=32,
        hidden_size=32,
    )
    return t.PaliGemmaForConditionalGeneration(config)


def _qwen2_vl() -> PreTrainedModel:
    vision = {
        "depth": 2,
        "embed_dim": 32,
        "num_heads": 2,
        "hidden_size": 32,
        "patch_size": 8,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "in_channels": 3,
        "mlp_ratio": 2,
    }
    rope = {"type": "mrope", "mrope_section": [2, 3, 3], "rope_type": "default"}
    config = t.Qwen2VLConfig(
        vision_config=vision,
        text_config=DECODER | ENDS | {"rope_scaling": rope},
        image_token_id=98,
        video_token_id=97,
        vision_start_token_id=96,
        vision_end_token_id=95,
    )
    return t.Qwen2VLForConditionalGeneration(config)


def _smolvlm() -> PreTrainedModel:
    config = t.SmolVLMConfig(
        vision_config=VISION,
        text_config=t.LlamaConfig(**DECODER).to_dict(),
        image_token_id=IMAGE,
        scale_factor=3,
        pad_token_id=0,
    )
    return t.SmolVLMForConditionalGeneration(config)


def _captioning() -> PreTrainedModel:
    decoder = t.GPT2Config(**GPT2 | ENDS, add_cross_attention=True, is_decoder=True)
    config = t.VisionEncoderDecoderConfig.from_encoder_decoder_configs(t.ViTConfig(**VISION), decoder)
    return t.VisionEncoderDecoderModel(config)


def _ast() -> PreTrainedModel:
    shape = {"patch_size": 8, "frequency_stride": 5, "time_stride": 5, "max_length": 24, "num_mel_bins": 16}
    return t.ASTForAudioClassification(t.ASTConfig(**TRANSFORMER, **shape, num_labels=5))


def _wav2vec2() -> PreTrainedModel:
    config = t.Wav2Vec2Config(
        **TRANSFORMER,
        vocab_size=32,
        conv_dim=(16, 16),
        conv_stride=(5, 2),
        conv_kernel=(10, 3),
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        num_feat_extract_layers=2,
    )
    return t.Wav2Vec2ForCTC(config)


def _whisper() -> PreTrainedModel:
    config = t.WhisperConfig(
        vocab_size=99,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        num_mel_bins=16,
        max_source_positions=20,
        max_target_positions=30,
        decoder_start_token_id=1,
        **ENDS,
    )
    return t.WhisperForConditionalGeneration(config)


def _vilt() -> PreTrainedModel:
    return t.ViltForQuestionAnswering(t.ViltConfig(**VISION, vocab_size=99, max_position_embeddings=40, num_labels=5))


MODELS: Mapping[str, Callable[[], PreTrainedModel]] = {
    "clip": _clip,
    "siglip": _siglip,
    "clap": _clap,
    "vit": lambda: t.ViTForImageClassification(t.ViTConfig(**VISION, num_labels=5)),
    "dinov2": lambda: t.Dinov2ForImageClassification(t.Dinov2Config(**VISION, num_labels=5)),
    "ast": _ast,
    "wav2vec2": _wav2vec2,
    "whisper": _whisper,
    "blip": _blip,
    "blip-2": _blip2,
    "llava": _llava,
    "llava-next": _llava_next,
    "llava-onevision": _llava_onevision,
    "paligemma": _paligemma,
    "qwen2-vl": _qwen2_vl,
    "smolvlm": _smolvlm,
    "gpt2": lambda: t.GPT2LMHeadModel(t.GPT2Config(**GPT2 | ENDS)),
    "decoders": lambda: t.LlamaForCausalLM(t.LlamaConfig(**DECODER)),
    "captioning": _captioning,
}
"""A model of each described family that can be split, by the family's name."""
VILT = _vilt
"""One that cannot."""


def build(name: str, seed: int = 0) -> Any:
    """A family's model with random weights."""
    torch.manual_seed(seed)
    return MODELS.get(name, VILT)().eval()


def save(model: Any, folder: Path, **options: Any) -> Path:
    """Write a model as transformers does."""
    model.save_pretrained(folder, **options)
    return folder
