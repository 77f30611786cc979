"""What models have in common is found in their files, without an entry that somebody wrote."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from splitshare.checkpoints.chain import effect
from splitshare.checkpoints.cut import cut
from splitshare.checkpoints.digest import DigestCache, module_digest
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.inputs import seeded_inputs
from splitshare.checkpoints.sharing import SIMILAR, distances, pairs, shared_modules
from splitshare.checkpoints.source import load_checkpoint
from splitshare.places import DATA
from splitshare.stages import shared as stage
from tests.checkpoints.tiny import build, save

FAMILIES = load_families(DATA)


def modules(*folders: Path):
    return [module for folder in folders for module in cut(load_checkpoint(str(folder)), FAMILIES).modules]


def with_clips_tower(clip, seed: int = 1):
    llava = build("llava", seed)
    llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
    return llava


@pytest.fixture(scope="module")
def five(tmp_path_factory) -> dict[str, Path]:
    """CLIP, a copy of it that was trained on, and LLaVAs with CLIP's tower: as it is, in half, and with another."""
    root = tmp_path_factory.mktemp("five")
    clip = build("clip")
    found = {"clip": save(clip, root / "clip")}
    found["llava"] = save(with_clips_tower(clip), root / "llava")
    found["llava-half"] = save(with_clips_tower(clip, 2).half(), root / "llava-half")
    found["stranger"] = save(build("llava", 3), root / "stranger")
    tuned = build("clip")
    optimiser = torch.optim.SGD(tuned.vision_model.parameters(), lr=1e-3)
    tuned.vision_model(torch.randn(4, 3, 24, 24)).pooler_output.square().sum().backward()
    optimiser.step()
    found["tuned"] = save(tuned, root / "tuned")
    return found


def test_equal_tensors_are_one_module_whatever_they_are_called_in_the_file(five, tmp_path):
    shared = shared_modules(modules(five["clip"], five["llava"]), DigestCache(tmp_path))
    names = {(each.module.name, tuple(member.model for member in each.members)) for each in shared}
    assert ("vision", ("clip", "llava")) in names
    assert [each.saved_bytes for each in shared if len(each.members) == 2] == [
        sum(t.numel() * 4 for t in build("clip").vision_model.parameters())
    ]
    assert all(len(each.members) == 1 for each in shared if each.module.name != "vision")


def test_a_half_precision_copy_is_called_equal_after_rounding_and_not_shared(five, tmp_path):
    cache = DigestCache(tmp_path)
    shared = shared_modules(modules(five["clip"], five["llava-half"]), cache)
    assert all(len(each.members) == 1 for each in shared)
    (pair,) = (p for p in pairs(shared, cache) if p.first.name == "vision")
    assert (pair.relation, pair.note, pair.distance) == ("equal after rounding", "to float16", 0.0)


def test_a_copy_that_was_trained_on_looks_otherwise_than_a_stranger(five, tmp_path):
    cache = DigestCache(tmp_path)
    found = pairs(shared_modules(modules(five["clip"], five["tuned"], five["stranger"]), cache), cache)
    by = {(p.first.model, p.second.model, p.first.name): p for p in found}
    tuned, stranger = by["clip", "tuned", "vision"], by["clip", "stranger", "vision"]
    assert (tuned.relation, stranger.relation) == ("similar", "other values")
    assert 0 < tuned.distance < SIMILAR < stranger.distance
    # The distance by hand, from the models themselves.
    clip, other = build("clip").vision_model.state_dict(), load_vision(five["tuned"])
    change = math.sqrt(sum(float((clip[k] - other[k]).double().square().sum()) for k in clip))
    size = math.sqrt(sum(float(clip[k].double().square().sum()) for k in clip))
    assert tuned.distance == pytest.approx(change / size, rel=1e-6)


def load_clip(folder: Path):
    from transformers import CLIPModel

    return CLIPModel.from_pretrained(folder).eval().requires_grad_(False)


def load_vision(folder: Path):
    return load_clip(folder).vision_model.state_dict()


def test_equal_tensors_that_compute_otherwise_are_not_one_module(five, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in five["clip"].iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    config = (other / "config.json").read_text()
    assert '"quick_gelu"' in config
    (other / "config.json").write_text(config.replace('"quick_gelu"', '"gelu"'))
    cache = DigestCache(None)
    shared = shared_modules(modules(five["clip"], other), cache)
    apart = {each.module.name for each in shared if len(each.members) == 1}
    assert apart == {"vision", "text"}
    notes = {p.first.name: (p.relation, p.note) for p in pairs(shared, cache)}
    assert notes["vision"] == ("computes otherwise", "hidden_act: quick_gelu and gelu")


def test_digests_are_kept_and_a_changed_file_is_digested_anew(five, tmp_path, monkeypatch):
    from splitshare.checkpoints import digest

    (vision, *_) = modules(five["clip"])
    cache = DigestCache(tmp_path / "kept")
    first = module_digest(vision, cache)
    cache.save()
    monkeypatch.setattr(digest, "blocks", lambda tensor: pytest.fail("is read again"))
    assert module_digest(vision, DigestCache(tmp_path / "kept")) == first
    monkeypatch.undo()
    copy = save(build("clip", 1), tmp_path / "clip")
    (again, *_) = modules(copy)
    second = module_digest(again, cache)
    cache.save()
    assert second != first
    save(build("clip"), tmp_path / "clip")
    (again, *_) = modules(copy)
    assert module_digest(again, DigestCache(tmp_path / "kept")) == first
    for path in (tmp_path / "kept").iterdir():
        path.write_text("no json")
    assert module_digest(again, DigestCache(tmp_path / "kept")) == first


def test_ten_models_of_eight_families_are_right_without_an_entry(saved, five, tmp_path, capsys):
    """CLIP's tower is LLaVA's, and the copy that was trained on has all but that; the others have nothing in common."""
    names = ("vit", "ast", "whisper", "gpt2", "blip-2", "siglip")
    folders = [saved[name] for name in names] + [five["clip"], five["llava"], five["tuned"], five["stranger"]]
    found = stage.run(stage.Options([str(folder) for folder in folders], cache=tmp_path, table=tmp_path / "t.csv"))
    several = {each.module.name: [m.model for m in each.members] for each in found.shared if len(each.members) > 1}
    assert several == {
        "vision": ["clip", "llava"],
        "vision-projection": ["clip", "tuned"],
        "text": ["clip", "tuned"],
        "text-projection": ["clip", "tuned"],
        "head": ["clip", "tuned"],
    }
    assert found.bytes == sum(m.bytes for c in found.cuts for m in c.modules)
    stage.show(found)
    out = capsys.readouterr().out
    assert "10 models of" in out
    assert "clip's and tuned's vision are similar" in out
    assert (tmp_path / "t.csv").read_text().count("\n") == 1 + len(found.shared)


def test_distances_name_the_tensors_that_moved_most(five):
    (first, *_), (second, *_) = modules(five["clip"]), modules(five["tuned"])
    total, layers = distances(first, second, most=2)
    assert len(layers) == 2
    assert layers[0][1] >= layers[1][1] >= total * 0.1


@pytest.mark.slow
def test_a_gigabyte_is_digested_in_the_memory_of_a_block(tmp_path):
    """Beside what Python and torch take themselves."""
    big = torch.zeros(256 << 20, dtype=torch.float32)
    save_file({"weight": big}, tmp_path / "model.safetensors")
    del big
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from splitshare.checkpoints.digest import DigestCache\n"
        "from splitshare.checkpoints.tensors import read_header\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "(tensor,) = read_header(Path(sys.argv[1])).values()\n"
        "cache = DigestCache(None)\n"
        "cache.tensor(tensor); cache.tensor(tensor, 'F16')\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "model.safetensors")]
    grown_mb = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert grown_mb < 300


def test_similar_modules_are_shared_on_demand_and_it_is_said_what_that_does(five, tmp_path, capsys):
    """The answers of the copy with the first one's tower are those of the first one's tower with the copy's rest."""
    folders = [str(five[name]) for name in ("clip", "llava-half", "tuned", "stranger")]
    found = stage.run(stage.Options(folders, share_similar=True, cache=tmp_path))
    members = {each.module.name: [m.model for m in each.members] for each in found.shared if len(each.members) > 1}
    assert members["vision"] == ["clip", "llava-half", "tuned"]
    assert len(found.effects) == 2
    stage.show(found)
    out = capsys.readouterr().out
    assert "similar" in out
    assert "shared on demand" in out
    assert "clip's and stranger's vision are of one architecture and have other values" in out

    clip, tuned = build("clip"), load_clip(five["tuned"])
    checkpoint = cut(load_checkpoint(str(five["tuned"])), FAMILIES)
    (vision, *_) = cut(load_checkpoint(str(five["clip"])), FAMILIES).modules
    inputs = seeded_inputs(checkpoint.checkpoint, FAMILIES["clip"])
    with torch.inference_mode():
        own = tuned(**inputs)
        tuned.vision_model.load_state_dict(clip.vision_model.state_dict())
        swapped = tuned(**inputs)
    size = moved = 0.0
    for key in ("logits_per_image", "logits_per_text", "text_embeds", "image_embeds"):
        size += float(own[key].double().square().sum())
        moved += float((own[key] - swapped[key]).double().square().sum())
    changed = effect(checkpoint, "vision", vision, FAMILIES)
    assert changed.distance == pytest.approx(math.sqrt(moved / size), rel=1e-4)
    assert changed.distance > 0
    assert effect(checkpoint, "vision", checkpoint.modules[0], FAMILIES).distance == 0
