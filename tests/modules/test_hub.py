"""Published weights: names and shapes at true size, and a way there and back with small checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from transformers import ASTModel
from transformers.core_model_loading import revert_weight_conversion

from splitshare.catalog.hub import HubFile
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import hub_file
from splitshare.errors import InputError, WorkError
from splitshare.modules.build import build_module
from splitshare.modules.hub import PUBLISHED_FRAMES, published_module
from splitshare.modules.whole import build_whole, split_state, whole_class, whole_skeleton
from splitshare.places import DATA
from tests.modules import published_names
from tests.modules.published_names import Shapes
from tests.modules.small import small_catalogue

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PUBLISHED = ["clip-vit-b32", "clip-vit-b16", "clip-vit-l14", "clip-vit-l14-336", "caption-vit-gpt2", "llava-7b"]


def pin(catalog: Catalog, weights: str, repository: Path) -> None:
    """Write a hub file in which only these weights are published."""
    entries = {weights: {"repository": str(repository), "revision": COMMIT}}
    hub_file(catalog.root).write_text(yaml.safe_dump({"schema": "splitshare.hub/1", "weights": entries}))


def test_all_weights_that_are_not_ours_are_published():
    entries = HubFile.read(hub_file(DATA)).weights
    names = {ref.weights for model in load_catalog().models.values() for ref in model.modules().values()}
    assert set(entries) == {name for name in names if not name.startswith("ours-")}


@pytest.mark.parametrize("name", [*PUBLISHED, "align-vit-b16"])
def test_true_names_and_shapes_of_the_public_classes_become_those_of_our_modules(name: str):
    catalog = load_catalog()
    model = catalog.model(name)
    with torch.device("meta"):
        parts = split_state(whole_skeleton(catalog, model))
        public = whole_class(catalog, model).public
        assert public
        for role in public:
            expected = build_module(catalog.module(model.modules()[role].module)).state_dict()
            assert {k: t.shape for k, t in parts[role].items()} == {k: t.shape for k, t in expected.items()}


def saved_shapes(model: Any) -> Shapes:
    """Names and shapes that transformers gives a model in a file, for a model without storage."""
    return {name: tuple(t.shape) for name, t in revert_weight_conversion(model, model.state_dict()).items()}


@pytest.mark.parametrize(
    ("name", "attribute", "published"),
    [
        ("clip-vit-b32", "clip", published_names.clip(32, 224, (12, 768), (12, 512), 512)),
        ("clip-vit-b16", "clip", published_names.clip(16, 224, (12, 768), (12, 512), 512)),
        ("clip-vit-l14", "clip", published_names.clip(14, 224, (24, 1024), (12, 768), 768)),
        ("clip-vit-l14-336", "clip", published_names.clip(14, 336, (24, 1024), (12, 768), 768)),
        ("caption-vit-gpt2", "model", published_names.vit_gpt2()),
        ("llava-7b", "llava", published_names.llava_language()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_public_classes_read_the_published_names_at_true_size(name: str, attribute: str, published: Shapes):
    catalog = load_catalog()
    with torch.device("meta"):
        public = getattr(whole_skeleton(catalog, catalog.model(name)), attribute)
    saved = saved_shapes(public)
    # Only LLaVA's language half is read from its checkpoint; transformers has dropped a level of its vision names.
    wanted = {key: shape for key, shape in saved.items() if not key.startswith("vision_tower.")}
    assert wanted == published


def test_the_public_audio_class_reads_the_published_names_at_true_size():
    catalog = load_catalog()
    with torch.device("meta"):
        skeleton: Any = whole_skeleton(catalog, catalog.model("align-vit-b16"))
        config = skeleton.audio.config
        whole = ASTModel(type(config).from_dict({**config.to_dict(), "max_length": PUBLISHED_FRAMES}))
    saved = {f"audio_spectrogram_transformer.{key}": shape for key, shape in saved_shapes(whole).items()}
    assert saved == published_names.ast()


def rename(folder: Path, change: Callable[[str], str]) -> None:
    """Give the weights of a checkpoint other names."""
    path = folder / "model.safetensors"
    weights = {change(key): tensor.clone() for key, tensor in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


# Saving turns today's names of the classes back into those of the published files, but for what the third entry adds.
@pytest.mark.parametrize(
    ("name", "attribute", "published", "telling"),
    [
        ("clip-vit-b32", "clip", str, "vision_model.encoder.layers.1.mlp.fc1.weight"),
        ("caption-vit-gpt2", "model", str, "encoder.encoder.layer.1.attention.attention.query.weight"),
        (
            "llava-7b",
            "llava",
            lambda key: key.replace("vision_tower.", "vision_tower.vision_model."),
            "language_model.model.layers.1.self_attn.q_proj.weight",
        ),
    ],
)
def test_a_published_checkpoint_gives_the_modules_their_weights(
    tmp_path: Path, name: str, attribute: str, published: Callable[[str], str], telling: str
):
    catalog = small_catalogue(tmp_path / "data")
    model = catalog.model(name)
    whole = build_whole(catalog, model)
    getattr(whole, attribute).save_pretrained(tmp_path / "checkpoint")
    rename(tmp_path / "checkpoint", published)
    assert telling in load_file(tmp_path / "checkpoint" / "model.safetensors")
    pin(catalog, model.head.weights, tmp_path / "checkpoint")
    for role, ref in model.modules().items():
        if role in type(whole).public:
            found = published_module(catalog, ref.module).state_dict()
            expected = build_module(catalog.module(ref.module)).state_dict()
            assert found.keys() == expected.keys()
            assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_shorter_audio_takes_the_middle_position_embeddings(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    small: Any = build_module(catalog.module("ast-audio-128x204@ast-base"))
    config = type(small.tower.config).from_dict({**small.tower.config.to_dict(), "max_length": 1024})
    published = ASTModel(config)
    rows, columns = published.embeddings.get_shape(config)
    places = torch.arange(2.0, 2 + rows * columns).reshape(1, -1, 1)
    with torch.no_grad():
        published.embeddings.position_embeddings[:, 2:] = places
    published.save_pretrained(tmp_path / "checkpoint")
    rename(tmp_path / "checkpoint", lambda key: f"audio_spectrogram_transformer.{key}")  # published with a classifier
    pin(catalog, "ast-base", tmp_path / "checkpoint")
    found: Any = published_module(catalog, "ast-audio-128x204@ast-base")
    kept_rows, kept = small.tower.embeddings.get_shape(small.tower.config)
    start = columns // 2 - kept // 2
    expected = [2 + row * columns + start + i for row in range(kept_rows) for i in range(kept)]
    assert found.tower.embeddings.position_embeddings[0, 2:, 0].tolist() == expected
    assert found({"audio": torch.zeros(1, 24, 16)}).shape == (1, 32)


def test_weights_that_are_not_pinned_or_not_published_are_refused(tmp_path: Path):
    catalog = small_catalogue(tmp_path)
    vision = "clip-vit-b16-vision@clip-vit-b16"
    with pytest.raises(InputError, match=r"hub\.yaml: weights\.clip-rn50\.revision: is empty; pin a commit"):
        published_module(catalog, "clip-rn50-vision@clip-rn50")
    with pytest.raises(InputError, match=r"weights\.ours-vqa: is not there"):
        published_module(catalog, "vqa-classifier@ours-vqa")
    pin(catalog, "clip-vit-b16", tmp_path)
    hub_file(tmp_path).write_text(hub_file(tmp_path).read_text().replace(COMMIT, "main"))
    with pytest.raises(InputError, match="revision"):
        published_module(catalog, vision)


def test_pickled_and_strange_weights_are_refused(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    vision = "clip-vit-b16-vision@clip-vit-b16"
    clip: Any = build_whole(catalog, catalog.model("clip-vit-b16"))
    clip.clip.config.save_pretrained(tmp_path / "pickled")
    torch.save(clip.clip.state_dict(), tmp_path / "pickled" / "pytorch_model.bin")
    pin(catalog, "clip-vit-b16", tmp_path / "pickled")
    with pytest.raises(WorkError, match=r"weights of .*pickled at 0123.*safetensors"):
        published_module(catalog, vision)
    whole: Any = build_whole(catalog, catalog.model("caption-vit-gpt2"))
    whole.model.save_pretrained(tmp_path / "other")
    pin(catalog, "clip-vit-b16", tmp_path / "other")
    with pytest.raises(WorkError, match="is missing or of another shape"):
        published_module(catalog, vision)
