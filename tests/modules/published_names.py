"""Names and shapes of published checkpoints at true size, written out by hand from the releases' published formats.

They follow OpenAI's CLIP, AST, ViT-GPT2 and LLaVA-1.5 as the classes of their time name them; the files themselves are
not at hand here.
"""

from collections.abc import Iterator

Shapes = dict[str, tuple[int, ...]]


def _pair(name: str, *shape: int) -> Shapes:
    """A weight of ``shape`` and a bias of its first dimension."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _clip_layers(prefix: str, layers: int, width: int) -> Iterator[Shapes]:
    for i in range(layers):
        layer = f"{prefix}.encoder.layers.{i}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            yield _pair(f"{layer}.self_attn.{part}", width, width)
        yield _pair(f"{layer}.layer_norm1", width)
        yield _pair(f"{layer}.layer_norm2", width)
        yield _pair(f"{layer}.mlp.fc1", 4 * width, width)
        yield _pair(f"{layer}.mlp.fc2", width, 4 * width)


def clip(patch: int, side: int, vision: tuple[int, int], text: tuple[int, int], embedding: int) -> Shapes:
    """``openai/clip-vit-*``; towers as (layers, width)."""
    vision_width, text_width = vision[1], text[1]
    found: Shapes = {
        "logit_scale": (),
        "text_projection.weight": (embedding, text_width),
        "visual_projection.weight": (embedding, vision_width),
        "text_model.embeddings.token_embedding.weight": (49408, text_width),
        "text_model.embeddings.position_embedding.weight": (77, text_width),
        "vision_model.embeddings.class_embedding": (vision_width,),
        "vision_model.embeddings.patch_embedding.weight": (vision_width, 3, patch, patch),
        "vision_model.embeddings.position_embedding.weight": ((side // patch) ** 2 + 1, vision_width),
    }
    found |= _pair("text_model.final_layer_norm", text_width)
    found |= _pair("vision_model.pre_layrnorm", vision_width)
    found |= _pair("vision_model.post_layernorm", vision_width)
    for part in (*_clip_layers("text_model", *text), *_clip_layers("vision_model", *vision)):
        found |= part
    return found


def _vit_layers(prefix: str) -> Iterator[Shapes]:
    for i in range(12):
        layer = f"{prefix}encoder.layer.{i}"
        for part in ("query", "key", "value"):
            yield _pair(f"{layer}.attention.attention.{part}", 768, 768)
        yield _pair(f"{layer}.attention.output.dense", 768, 768)
        yield _pair(f"{layer}.intermediate.dense", 3072, 768)
        yield _pair(f"{layer}.output.dense", 768, 3072)
        yield _pair(f"{layer}.layernorm_before", 768)
        yield _pair(f"{layer}.layernorm_after", 768)


def _merged(prefix: str, first: Shapes) -> Shapes:
    for part in _vit_layers(prefix):
        first |= part
    return first


def ast() -> Shapes:
    """``MIT/ast-finetuned-audioset-10-10-0.4593`` without its classifier: 12 x 101 patches and two tokens."""
    prefix = "audio_spectrogram_transformer."
    first: Shapes = {
        f"{prefix}embeddings.cls_token": (1, 1, 768),
        f"{prefix}embeddings.distillation_token": (1, 1, 768),
        f"{prefix}embeddings.position_embeddings": (1, 1214, 768),
    }
    first |= _pair(f"{prefix}embeddings.patch_embeddings.projection", 768, 1, 16, 16)
    return _merged(prefix, first | _pair(f"{prefix}layernorm", 768))


def vit_gpt2() -> Shapes:
    """``nlpconnect/vit-gpt2-image-captioning``; GPT-2 keeps its weights with the input dimension first."""
    found: Shapes = {
        "encoder.embeddings.cls_token": (1, 1, 768),
        "encoder.embeddings.position_embeddings": (1, 197, 768),
        "decoder.transformer.wte.weight": (50257, 768),
        "decoder.transformer.wpe.weight": (1024, 768),
        "decoder.lm_head.weight": (50257, 768),
    }
    found |= _pair("encoder.embeddings.patch_embeddings.projection", 768, 3, 16, 16)
    found |= _pair("encoder.layernorm", 768) | _pair("encoder.pooler.dense", 768, 768)
    found |= _pair("decoder.transformer.ln_f", 768)
    products = {
        "attn.c_attn": (768, 2304),
        "attn.c_proj": (768, 768),
        "crossattention.c_attn": (768, 1536),
        "crossattention.q_attn": (768, 768),
        "crossattention.c_proj": (768, 768),
        "mlp.c_fc": (768, 3072),
        "mlp.c_proj": (3072, 768),
    }
    for i in range(12):
        layer = f"decoder.transformer.h.{i}"
        for norm in ("ln_1", "ln_2", "ln_cross_attn"):
            found |= _pair(f"{layer}.{norm}", 768)
        for name, (inputs, outputs) in products.items():
            found |= {f"{layer}.{name}.weight": (inputs, outputs), f"{layer}.{name}.bias": (outputs,)}
    return _merged("encoder.", found)


def llava_language() -> Shapes:
    """``llava-hf/llava-1.5-7b-hf`` without its vision tower, which is CLIP ViT-L/14@336px."""
    found: Shapes = {
        "language_model.model.embed_tokens.weight": (32064, 4096),
        "language_model.model.norm.weight": (4096,),
        "language_model.lm_head.weight": (32064, 4096),
    }
    found |= _pair("multi_modal_projector.linear_1", 4096, 1024) | _pair("multi_modal_projector.linear_2", 4096, 4096)
    for i in range(32):
        layer = f"language_model.model.layers.{i}"
        found |= {f"{layer}.self_attn.{part}_proj.weight": (4096, 4096) for part in "qkvo"}
        found |= {f"{layer}.mlp.{part}_proj.weight": (11008, 4096) for part in ("gate", "up")}
        found |= {f"{layer}.mlp.down_proj.weight": (4096, 11008)}
        found |= {f"{layer}.{norm}.weight": (4096,) for norm in ("input_layernorm", "post_attention_layernorm")}
    return found


def open_clip(blocks: tuple[int, int, int, int], width: int, side: int, text_width: int, embedding: int) -> Shapes:
    """CLIP with a ResNet in OpenAI's layout, as ``timm/resnet*_clip.openai``; counters of batches left out."""
    found: Shapes = {
        "positional_embedding": (77, text_width),
        "text_projection": (text_width, embedding),
        "logit_scale": (),
        "token_embedding.weight": (49408, text_width),
    }
    found |= _pair("ln_final", text_width)
    for i in range(12):
        layer = f"transformer.resblocks.{i}"
        found |= _pair(f"{layer}.ln_1", text_width) | _pair(f"{layer}.ln_2", text_width)
        found |= {
            f"{layer}.attn.in_proj_weight": (3 * text_width, text_width),
            f"{layer}.attn.in_proj_bias": (3 * text_width,),
        }
        found |= _pair(f"{layer}.attn.out_proj", text_width, text_width)
        found |= _pair(f"{layer}.mlp.c_fc", 4 * text_width, text_width)
        found |= _pair(f"{layer}.mlp.c_proj", text_width, 4 * text_width)
    stem = ((3, width // 2), (width // 2, width // 2), (width // 2, width))
    for i, (before, after) in enumerate(stem, 1):
        found |= _convolution("visual", i, before, after, 3)
    channels = width
    for stage, count in enumerate(blocks):
        planes = width * 2**stage
        for block in range(count):
            name = f"visual.layer{stage + 1}.{block}"
            found |= _convolution(name, 1, channels, planes, 1) | _convolution(name, 2, planes, planes, 3)
            found |= _convolution(name, 3, planes, 4 * planes, 1)
            if block == 0:
                found |= {f"{name}.downsample.0.weight": (4 * planes, channels, 1, 1)}
                found |= _normalisation(f"{name}.downsample.1", 4 * planes)
            channels = 4 * planes
    found["visual.attnpool.positional_embedding"] = ((side // 32) ** 2 + 1, channels)
    for part in ("q_proj", "k_proj", "v_proj"):
        found |= _pair(f"visual.attnpool.{part}", channels, channels)
    return found | _pair("visual.attnpool.c_proj", embedding, channels)


def _convolution(prefix: str, number: int, before: int, after: int, side: int) -> Shapes:
    convolution: Shapes = {f"{prefix}.conv{number}.weight": (after, before, side, side)}
    return convolution | _normalisation(f"{prefix}.bn{number}", after)


def _normalisation(name: str, channels: int) -> Shapes:
    return {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
