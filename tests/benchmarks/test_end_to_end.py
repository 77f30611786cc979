"""Fetch from a local server, train the heads, judge: every task, whole, split and shared, on tiny architectures."""

import json
import shutil

import numpy as np
import pytest
import torch

from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.benchmarks.arrangements import SharedAnswering
from splitshare.benchmarks.embeddings import KeptEmbeddings
from splitshare.benchmarks.lock import read_lock
from splitshare.benchmarks.metrics.vqa import vqa_accuracy
from splitshare.benchmarks.preprocess import clip_image
from splitshare.benchmarks.samples import read_samples
from splitshare.benchmarks.weights import Weights
from splitshare.catalog.loader import load_catalog
from splitshare.errors import WorkError
from splitshare.stages import accuracy, fit_heads
from tests.benchmarks.hub.catalogue import FOODS, fetch
from tests.benchmarks.hub.server import serve
from tests.benchmarks.tiny import repositories, tiny_catalogue, write_tokenizers

MODELS = ["clip-rn50", "clip-vit-b32", "clip-vit-b16", "vqa-vit-b16", "llava-7b", "align-vit-b16", "caption-vit-gpt2"]
MODELS += ["probe-vit-b16"]
BENCHMARKS = ["food-101", "vqav2", "textvqa", "esc-50", "flickr30k", "oxford-iiit-pet"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Everything fetched, trained and judged once."""
    root = tmp_path_factory.mktemp("bench")
    tiny_catalogue(root)
    write_tokenizers(root / "tokenizers")
    with serve(repositories()) as hub:
        result = fetch(hub, root, *BENCHMARKS)
        assert result.returncode == 0, result.stderr
    told: list[str] = []
    list(
        fit_heads.run(
            fit_heads.Options(root / "heads", **settings(root)),
            echo=told.append,
        )
    )
    judge(root, told.append)
    assert told == []
    return root


def settings(root, **changes):
    chosen = {
        "benchmarks_root": root / "out",
        "work": root / "work",
        "weights": "random",
        "tokenizers": root / "tokenizers",
        "batch": 8,
        "threads": 1,
        "catalog_root": root / "data",
    }
    return chosen | changes


def judge(root, echo, models=MODELS, benchmarks=None, **changes):
    chosen = {"heads": root / "heads"} | settings(root, **changes)
    options = accuracy.Options(root / "accuracy.json", models=models, benchmarks=benchmarks or [], **chosen)
    return list(accuracy.run(options, echo=echo))


def rows(root, **wanted):
    record = AccuracyRecord.read(root / "accuracy.json")
    return [row for row in record.rows if all(getattr(row, key) == value for key, value in wanted.items())]


def entry(root, benchmark):
    lock = read_lock(root / "out" / "benchmarks.lock.json")
    return next(e for e in lock.entries if e.selection.benchmark == benchmark and e.selection.part == "test")


def test_every_task_has_a_row_for_each_arrangement_and_none_answers_otherwise(root):
    pairs = {(row.benchmark, row.model) for row in rows(root)}
    assert pairs == {
        ("food-101", "clip-rn50"),
        ("food-101", "clip-vit-b32"),
        ("food-101", "clip-vit-b16"),
        ("vqav2", "vqa-vit-b16"),
        ("vqav2", "llava-7b"),
        ("textvqa", "llava-7b"),
        ("esc-50", "align-vit-b16"),
        ("flickr30k", "caption-vit-gpt2"),
        ("oxford-iiit-pet", "probe-vit-b16"),
    }
    for benchmark, model in pairs:
        found = rows(root, benchmark=benchmark, model=model)
        assert {row.arrangement for row in found} == {"whole", "split", "shared"}
        for metric in {row.metric for row in found}:
            values = {(r.value, r.ci_low, r.ci_high, r.samples) for r in found if r.metric == metric}
            assert len(values) == 1, "equal answers have equal scores"
        assert all(row.differing_predictions == 0 for row in found)
    assert {row.metric for row in rows(root, benchmark="food-101")} == {"top-1", "top-5"}
    (row,) = rows(root, benchmark="oxford-iiit-pet", arrangement="shared", metric="top-1")
    assert row.samples == 20
    assert 0 <= float(row.provenance["loading_share"]) <= 1
    assert "random, seed 0; linear-512-to-37@ours-probe fitted by us, sha256" in row.provenance["weights"]
    assert row.provenance["data_sha256"] == entry(root, "oxford-iiit-pet").content_sha256


def test_zero_shot_accuracy_is_that_of_a_plain_loop(root):
    """One picture and one prompt at a time, straight from the modules."""
    catalog = load_catalog(root / "data")
    weights = Weights(catalog, "random", tokenizers=root / "tokenizers")
    model = catalog.model("clip-vit-b16")
    vision, text = (weights.module(encoder.module) for encoder in model.encoders)
    words = weights.words("clip-vit-b16")
    with torch.inference_mode():
        classes = [
            torch.nn.functional.normalize(
                text({"text": words.padded([f"a photo of {name.replace('_', ' ')}, a type of food."], 12)})[0], dim=0
            )
            for name in FOODS
        ]
        right = []
        for sample in read_samples(entry(root, "food-101"), root / "out", 0):
            assert sample.image is not None
            image = torch.nn.functional.normalize(vision({"vision": clip_image(sample.image, 24)[None]})[0], dim=0)
            right.append(int(np.argmax([float(image @ c) for c in classes])) == sample.label)
    (row,) = rows(root, model="clip-vit-b16", arrangement="split", metric="top-1")
    assert (row.value, row.samples) == (np.mean(right), 24)


def test_heads_of_ours_judge_in_all_arrangements_as_they_did_in_training(root):
    """Test samples are those of training here; that heads learn is tested on features of their own."""
    recipes = {path.stem: json.loads(path.read_text()) for path in (root / "heads").glob("*.json")}
    assert set(recipes) == {"vqa-classifier@ours-vqa", "alignment-512@ours-alignment", "linear-512-to-37@ours-probe"}
    assert recipes["vqa-classifier@ours-vqa"]["answers"] == ["2", "no", "yes"]
    (probe,) = rows(root, benchmark="oxford-iiit-pet", arrangement="whole", metric="top-1")
    assert probe.value == pytest.approx(recipes["linear-512-to-37@ours-probe"]["train_metric"]), (
        "test pictures = train's"
    )
    (sounds,) = rows(root, benchmark="esc-50", arrangement="split", metric="top-1")
    assert sounds.value == pytest.approx(recipes["alignment-512@ours-alignment"]["train_metric"])


def test_vqa_row_is_the_mean_of_the_kept_answers(root):
    (part,) = (root / "work/predictions/vqav2/vqa-vit-b16/split").glob("*.json")
    answers = json.loads(part.read_text())["answers"]
    samples = read_samples(entry(root, "vqav2"), root / "out", 0)
    scores = [vqa_accuracy(a, s.answers) for a, s in zip(answers, samples, strict=True)]
    (row,) = rows(root, model="vqa-vit-b16", arrangement="split")
    assert row.value == pytest.approx(np.mean(scores))
    assert set(answers) <= {"2", "no", "yes"}


def test_what_was_answered_is_kept_and_what_depends_on_something_else_is_not(root):
    kept = root / "work/predictions/food-101/clip-vit-b32/split/part-00000.json"
    before, prompts = kept.stat().st_mtime_ns, set((root / "work/prompts").iterdir())
    told: list[str] = []
    judge(root, told.append, ["clip-vit-b32"], ["food-101"])
    assert kept.stat().st_mtime_ns == before
    assert set((root / "work/prompts").iterdir()) == prompts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Weights, "module", lambda *_: pytest.fail("nothing is asked, and no weights are loaded"))
        judge(root, told.append)
    assert told == []
    with pytest.raises(WorkError, match="1 of 1 not judged: clip-vit-b32 on cifar-10"):
        judge(root, told.append, ["clip-vit-b32"], ["cifar-10"])
    assert told == ["clip-vit-b32 on cifar-10: is not fetched in this selection; run `splitshare benchmarks` first"]

    shard = json.loads(kept.read_text())
    kept.write_text(json.dumps(shard | {"identity": "of another code", "answers": ["100"] * 24}))
    judge(root, told.append, ["clip-vit-b32"], ["food-101"])
    assert json.loads(kept.read_text())["answers"] == shard["answers"]


def test_an_answer_that_differs_is_counted(root):
    kept = root / "work/predictions/food-101/clip-vit-b32/shared/part-00000.json"
    shard = json.loads(kept.read_text())
    other = [str((int(answer) + 1) % 101) for answer in shard["answers"][:3]]
    kept.write_text(json.dumps(shard | {"answers": other + shard["answers"][3:]}))
    try:
        judge(root, print, ["clip-vit-b32"], ["food-101"])
        (row,) = rows(root, model="clip-vit-b32", arrangement="shared", metric="top-1")
        assert row.differing_predictions == 3
    finally:
        kept.write_text(json.dumps(shard))
        judge(root, print, ["clip-vit-b32"], ["food-101"])


def test_a_head_that_was_not_trained_and_weights_that_cannot_be_had_are_a_line(root, tmp_path):
    told: list[str] = []
    with pytest.raises(WorkError):
        judge(root, told.append, ["probe-vit-b16"], heads=tmp_path)
    with pytest.raises(WorkError):
        judge(root, told.append, ["clip-vit-b16"], ["food-101"], weights="hub", pins=tmp_path / "hub.lock.json")
    assert "run `splitshare fit-heads` first" in told[0]
    assert "weights of openai/clip-vit-base-patch16 at 5ef227a78de3" in told[1]


def answers(kept):
    return [answer for part in sorted(kept.glob("*.json")) for answer in json.loads(part.read_text())["answers"]]


def test_a_precision_is_judged_beside_the_models_own(root, tmp_path):
    """Differences are counted from the kept predictions of both."""
    output = tmp_path / "accuracy.json"
    options = accuracy.Options(
        output,
        models=["clip-vit-b16", "probe-vit-b16"],
        benchmarks=["food-101", "oxford-iiit-pet"],
        precisions=["bfloat16"],
        heads=root / "heads",
        **settings(root),
    )
    found = list(accuracy.run(options, echo=pytest.fail))
    record = AccuracyRecord.read(output)
    assert sorted(r.key for r in record.rows) == sorted(r.key for r in found)
    assert {r.precision for r in found} == {None, "bfloat16"}
    for row in record.rows:
        if row.precision is None:
            assert row.differing_from_own_precision is None
            continue
        kept = root / "work" / "predictions" / row.benchmark / row.model
        own, half = (answers(kept / name) for name in (row.arrangement, f"{row.arrangement}-bfloat16"))
        assert len(own) == len(half) == row.samples
        assert row.differing_from_own_precision == sum(a != b for a, b in zip(own, half, strict=True))


def test_predictions_of_other_prompts_are_not_taken_up(root, tmp_path):
    """The first class has a published name now: prompts are others, and so is what predictions depend on."""
    shutil.copytree(root / "data", tmp_path / "data")

    def identities():
        options = accuracy.Options(
            tmp_path / "accuracy.json",
            models=["clip-vit-b16"],
            benchmarks=["food-101"],
            heads=root / "heads",
            **settings(root, work=tmp_path / "work", catalog_root=tmp_path / "data"),
        )
        (row, *_) = accuracy.run(options, echo=pytest.fail)
        kept = tmp_path / "work" / "predictions" / "food-101" / "clip-vit-b16" / "whole" / "part-00000.json"
        return json.loads(kept.read_text())["identity"], row.provenance["class_names"]

    before, told = identities()
    assert told == "CLIP's: 0 of 101 otherwise than the data set's"
    names = tmp_path / "data" / "catalogue" / "class_names.yaml"
    content = names.read_text()
    names.write_text(content.replace("other_names: {}", f"other_names: {{ {FOODS[0]}: apple pie }}", 1))
    after, told = identities()
    assert told == "CLIP's: 1 of 101 otherwise than the data set's"
    assert before != after


def test_a_towers_embeddings_are_computed_once(root, monkeypatch):
    """With kept embeddings, no tower computes; and answers are theirs."""
    kept = {path: path.stat().st_mtime_ns for path in (root / "work" / "embeddings").rglob("*.safetensors")}
    assert {path.name.rsplit("-", 3)[0] for path in kept} >= {"food-101", "vqav2", "esc-50", "oxford-iiit-pet"}
    before = rows(root, benchmark="food-101", model="clip-vit-b16", arrangement="shared")

    def refused(self, role, tensor):
        raise WorkError(f"{role} is embedded anew")

    monkeypatch.setattr(SharedAnswering, "embed", refused)
    for name, benchmark in (("clip-vit-b16", "food-101"), ("vqa-vit-b16", "vqav2")):
        shutil.rmtree(root / "work" / "predictions" / benchmark / name / "shared")
        judge(root, pytest.fail, [name], [benchmark])
    after = rows(root, benchmark="food-101", model="clip-vit-b16", arrangement="shared")
    assert [(r.value, r.differing_predictions) for r in after] == [(r.value, 0) for r in before]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_kept_embeddings_are_found_by_all_that_they_depend_on(root, tmp_path):
    """They are the tower's own; another precision, other weights, data or file have others."""
    shutil.copytree(root / "work" / "embeddings", tmp_path / "embeddings")
    catalog = load_catalog(root / "data")
    weights = Weights(catalog, "random", tokenizers=root / "tokenizers")
    pictures = entry(root, "food-101")
    store = KeptEmbeddings(tmp_path / "embeddings", weights, "batch 8 on cpu")
    name = "clip-vit-b16-vision@clip-vit-b16"
    rows = store.rows(name, pictures, 0, lambda: pytest.fail("is not kept"))
    with torch.inference_mode():
        tensor = torch.stack([clip_image(s.image or b"", 24) for s in read_samples(pictures, root / "out", 0)])
        torch.testing.assert_close(rows, weights.module(name)({"vision": tensor}), rtol=1e-4, atol=1e-5)
    others = [
        KeptEmbeddings(tmp_path / "embeddings", weights, "batch 8 on cpu in float16"),
        KeptEmbeddings(tmp_path / "embeddings", Weights(catalog, "random", seed=1), "batch 8 on cpu"),
    ]
    paths = {s.path(name, pictures, 0) for s in (store, *others)} | {store.path(name, entry(root, "vqav2"), 0)}
    paths |= {store.path("clip-vit-b32-vision@clip-vit-b32", pictures, 0), store.path(name, pictures, 1)}
    assert len(paths) == 6
