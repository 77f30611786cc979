"""Weights of all models in the layouts in which they are published, small: files for a test's server."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import ASTModel, PreTrainedTokenizerFast

from splitshare.catalog.hub import HubFile
from splitshare.catalog.loader import Catalog
from splitshare.catalog.paths import hub_file
from splitshare.modules.build import build_module
from splitshare.modules.hub import PUBLISHED_FRAMES
from splitshare.modules.whole import build_whole
from tests.benchmarks.hub.server import REVISION, Repository

VOCABULARY, IMAGE_TOKEN = 300, 297
"""Of all small models here: the 256 bytes, fillers, and at the end what starts and what ends a text."""
PUBLIC = {
    "clip-vit-b32": "clip",
    "clip-vit-b16": "clip",
    "clip-vit-l14": "clip",
    "clip-vit-l14-336": "clip",
    "caption-vit-gpt2": "model",
    "llava-7b": "llava",
}
"""Models whose whole holds the class that is published, and its attribute."""


def published_weights(catalog: Catalog, scratch: Path) -> dict[str, Repository]:
    """A repository for every entry of the catalogue's ``hub.yaml``, at its commit.

    Args:
        catalog: small, its text towers and decoders with ``VOCABULARY``.
        scratch: an empty directory.
    """
    entries = HubFile.read(hub_file(catalog.root)).weights
    files: dict[str, dict[str, bytes]] = {
        name: {"open_clip_model.safetensors": resnet_file(catalog, name)}
        for name, entry in entries.items()
        if entry.layout == "openai"
    }
    for name, attribute in PUBLIC.items():
        whole = getattr(build_whole(catalog, catalog.model(name)), attribute)
        weights = "vit-gpt2" if attribute == "model" else "llava-1.5-7b" if attribute == "llava" else name
        files[weights] = _saved(whole, scratch / weights) | _tokenizer(weights, scratch / f"{weights}-words")
        if attribute == "llava":  # transformers has dropped a level of its vision names
            _rename(files[weights], "vision_tower.", "vision_tower.vision_model.")
    files["ast-base"] = _audio(catalog, scratch / "ast-base")
    return {
        entry.repository: Repository(files[name], revision=entry.revision or REVISION)
        for name, entry in entries.items()
    }


def _saved(model: Any, directory: Path) -> dict[str, bytes]:
    model.save_pretrained(directory)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def _rename(files: dict[str, bytes], before: str, after: str) -> None:
    weights = load(files["model.safetensors"])
    renamed = {
        f"{after}{key.removeprefix(before)}" if key.startswith(before) else key: tensor
        for key, tensor in weights.items()
    }
    files["model.safetensors"] = bytes(save(renamed, metadata={"format": "pt"}))


def _audio(catalog: Catalog, directory: Path) -> dict[str, bytes]:
    """The published AST is longer than ours, and has a classifier around it."""
    small: Any = build_module(catalog.module("ast-audio-128x204@ast-base"))
    config = type(small.tower.config).from_dict({**small.tower.config.to_dict(), "max_length": PUBLISHED_FRAMES})
    torch.manual_seed(0)
    files = _saved(ASTModel(config), directory)
    _rename(files, "", "audio_spectrogram_transformer.")
    return files


def _tokenizer(weights: str, directory: Path) -> dict[str, bytes]:
    """A tokeniser of bytes, so that different texts have different tokens."""
    start, end = ("</s>", "</s>") if weights == "vit-gpt2" else ("<s>", "</s>")
    vocabulary = {byte: i for i, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    vocabulary |= {f"<{i}>": i for i in range(len(vocabulary), VOCABULARY - 2)}
    vocabulary |= {"<s>": VOCABULARY - 2, "</s>": VOCABULARY - 1}
    if weights.startswith("llava"):
        del vocabulary[f"<{IMAGE_TOKEN}>"]
        vocabulary["<image>"] = IMAGE_TOKEN
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if weights != "vit-gpt2":
        after = " </s>" if weights.startswith("clip") else ""
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"<s> $A{after}", special_tokens=[("<s>", VOCABULARY - 2), ("</s>", VOCABULARY - 1)]
        )
    more = {"additional_special_tokens": ["<image>"]} if weights.startswith("llava") else {}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=start, eos_token=end, pad_token=end, **more)
    fast.save_pretrained(directory)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def resnet_file(catalog: Catalog, name: str = "clip-rn50", change: float = 0.0) -> bytes:
    """A small ResNet's three modules in OpenAI's layout, with the weights of ``build_module``."""
    model = catalog.model(name)
    own = {role: build_module(catalog.module(ref.module)).state_dict() for role, ref in model.modules().items()}
    whole = {f"visual.{key}": tensor + change for key, tensor in own["vision"].items() if "num_batches" not in key}
    whole["logit_scale"] = own["head"]["logit_scale"]
    text = {key.removeprefix("tower.text_model."): tensor for key, tensor in own["text"].items()}
    whole["token_embedding.weight"] = text["embeddings.token_embedding.weight"]
    whole["positional_embedding"] = text["embeddings.position_embedding.weight"]
    whole["ln_final.weight"], whole["ln_final.bias"] = text["final_layer_norm.weight"], text["final_layer_norm.bias"]
    whole["text_projection"] = own["text"]["tower.text_projection.weight"].T.contiguous()
    for i in range(2):
        ours, theirs = f"encoder.layers.{i}.", f"transformer.resblocks.{i}."
        for kind in ("weight", "bias"):
            parts = [text[f"{ours}self_attn.{p}_proj.{kind}"] for p in "qkv"]
            whole[f"{theirs}attn.in_proj_{kind}"] = torch.cat(parts)
            for mine, its in (
                ("self_attn.out_proj", "attn.out_proj"),
                ("layer_norm1", "ln_1"),
                ("layer_norm2", "ln_2"),
                ("mlp.fc1", "mlp.c_fc"),
                ("mlp.fc2", "mlp.c_proj"),
            ):
                whole[f"{theirs}{its}.{kind}"] = text[f"{ours}{mine}.{kind}"]
    return bytes(save({key: tensor.contiguous() for key, tensor in whole.items()}))
