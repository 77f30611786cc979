"""Checkpoints of one's own on benchmarks: whole by transformers' own class, split and shared from their catalogue."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as t
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from splitshare.benchmarks.accuracy import AccuracyRecord, AccuracyRow
from splitshare.benchmarks.lock import read_lock
from splitshare.benchmarks.samples import Sample, read_samples
from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError, WorkError
from splitshare.places import DATA
from splitshare.stages import accuracy, catalogue
from tests.benchmarks.hub.catalogue import FOODS, fetch, pinned_catalogue
from tests.benchmarks.hub.server import serve
from tests.benchmarks.tiny import PETS, repositories
from tests.checkpoints.tiny import VISION, build, save

BENCHMARKS = ["food-101", "flickr30k", "oxford-iiit-pet"]
JUDGED = {"clip": "food-101", "captioning": "flickr30k", "vit": "oxford-iiit-pet"}
TOKENS = 16
SIZE = {"height": VISION["image_size"], "width": VISION["image_size"]}


def with_processors(folder: Path) -> Path:
    """Put what prepares pictures and texts beside a model's weights: words of a vocabulary of 99."""
    t.CLIPImageProcessorPil(size={"shortest_edge": SIZE["height"]}, crop_size=SIZE).save_pretrained(folder)
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"w{i}": i for i in range(3, 99)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    ends = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
    t.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models and their catalogue, what they are judged on, and the record."""
    root: Path = tmp_path_factory.mktemp("own")
    pinned_catalogue(root / "pinned")
    shutil.copytree(DATA / "families", root / "pinned" / "families")
    vit = build("vit")
    vit.config.id2label = dict(enumerate([*reversed([name.title() for name in PETS])]))
    for name, model in (("clip", build("clip")), ("captioning", build("captioning")), ("vit", vit)):
        with_processors(save(model, root / "models" / name))
    catalogue.run(options(root, list(JUDGED), root / "data"))
    with serve(repositories()) as hub:
        fetched = fetch(hub, root, *BENCHMARKS)
        assert fetched.returncode == 0, fetched.stderr
    told: list[str] = []
    rows = list(accuracy.run(judging(root), echo=told.append))
    assert told == []
    assert len(rows) > 0
    return root


def options(root: Path, names: list[str], output: Path, **more: Any) -> catalogue.Options:
    chosen: dict[str, Any] = {"benchmarks": BENCHMARKS, "text_tokens": TOKENS, "new_tokens": 4} | more
    folders = [str(root / "models" / name) for name in names]
    return catalogue.Options(folders, output, cache=root / "digests", catalog_root=root / "pinned", **chosen)


def judging(root: Path, data: Path | None = None) -> accuracy.Options:
    return accuracy.Options(
        root / "accuracy.json",
        benchmarks_root=root / "out",
        work=root / "work",
        catalog_root=data or root / "data",
        batch=8,
        threads=1,
    )


def rows(root: Path, **wanted: str) -> list[AccuracyRow]:
    record = AccuracyRecord.read(root / "accuracy.json")
    return [row for row in record.rows if all(getattr(row, key) == value for key, value in wanted.items())]


def samples(root: Path, benchmark: str) -> list[Sample]:
    lock = read_lock(root / "out" / "benchmarks.lock.json")
    entry = next(e for e in lock.entries if e.selection.benchmark == benchmark and e.selection.part == "test")
    return [sample for file in range(len(entry.files)) for sample in read_samples(entry, root / "out", file)]


def prepared(root: Path, name: str, sample: Sample) -> torch.Tensor:
    processor = t.AutoImageProcessor.from_pretrained(root / "models" / name, backend="pil")
    assert sample.image is not None
    picture = Image.open(io.BytesIO(sample.image)).convert("RGB")
    pixels: torch.Tensor = processor(images=[picture], return_tensors="pt")["pixel_values"]
    return pixels


def test_every_model_has_a_row_for_each_arrangement_and_none_answers_otherwise(root: Path):
    for name, benchmark in JUDGED.items():
        found = rows(root, model=name, benchmark=benchmark)
        assert {row.arrangement for row in found} == {"whole", "split", "shared"}
        assert {row.differing_predictions for row in found} == {0}


def test_a_zero_shot_accuracy_is_that_of_the_class_itself(root: Path):
    """Scores of each class are averaged over its templates: counted here one picture and one text at a time."""
    catalog = load_catalog(root / "data")
    templates = load_benchmarks(root / "data", catalog.benchmarks)["food-101"].templates
    model = t.AutoModel.from_pretrained(root / "models" / "clip").eval()
    tokenizer = t.AutoTokenizer.from_pretrained(root / "models" / "clip")
    right = []
    for sample in samples(root, "food-101")[:4]:
        pixels, scores = prepared(root, "clip", sample), []
        for name in FOODS:
            ids = [tokenizer(each.format(name.replace("_", " "))).input_ids[:TOKENS] for each in templates]
            with torch.inference_mode():
                logits = [
                    model(pixel_values=pixels, input_ids=torch.tensor([i + [2] * (TOKENS - len(i))])) for i in ids
                ]
            scores.append(sum(float(each.logits_per_image) for each in logits) / len(ids))
        right.append(max(range(len(FOODS)), key=lambda i: scores[i]))
    kept = root / "work" / "predictions" / "food-101" / "clip" / "split" / "part-00000.json"
    assert json.loads(kept.read_text())["answers"][: len(right)] == [str(best) for best in right]


def test_a_classifiers_outputs_are_found_by_their_names(root: Path):
    """Its labels stand in the opposite order, and written otherwise."""
    model = t.AutoModelForImageClassification.from_pretrained(root / "models" / "vit").eval()
    asked = samples(root, "oxford-iiit-pet")
    with torch.inference_mode():
        best = [int(model(pixel_values=prepared(root, "vit", sample)).logits.argmax()) for sample in asked]
    right = sum(len(PETS) - 1 - answer == sample.label for answer, sample in zip(best, asked, strict=True))
    (row,) = rows(root, model="vit", arrangement="split", metric="top-1")
    assert row.value == pytest.approx(right / len(asked))


def test_a_model_is_not_judged_where_it_cannot_be(root: Path, tmp_path: Path):
    for name in ("llava", "whisper"):
        save(build(name), root / "models" / name)
    shutil.copytree(root / "models" / "clip", root / "models" / "bare")
    (root / "models" / "bare" / "preprocessor_config.json").unlink()
    asked = options(root, ["llava", "whisper", "bare"], tmp_path / "data", benchmarks=["food-101", "vqav2"])
    written = catalogue.run(asked)
    assert list(written.notes) == [
        "llava is not judged on vqav2: how it wants a question to be put is not known",
        "bare is not judged on food-101: it has no preprocessor_config.json, which says how pictures are prepared",
        "no model is judged on food-101",
        "no model is judged on vqav2",
    ]
    assert all(model.other_benchmarks == () for model in load_catalog(tmp_path / "data").models.values())


def test_a_benchmark_that_there_is_not_is_told(root: Path, tmp_path: Path):
    with pytest.raises(InputError, match="no benchmark 'food-102'; did you mean 'food-101'"):
        catalogue.run(options(root, ["clip"], tmp_path / "data", benchmarks=["food-102"]))


def test_other_classes_than_a_models_are_told(root: Path, tmp_path: Path):
    with_processors(save(build("vit"), root / "models" / "unnamed"))
    catalogue.run(options(root, ["unnamed"], tmp_path / "data"))
    told: list[str] = []
    with pytest.raises(WorkError, match="1 of 1 not judged: unnamed on oxford-iiit-pet"):
        list(accuracy.run(judging(root, tmp_path / "data"), told.append))
    assert told == ["unnamed on oxford-iiit-pet: unnamed has no output for 5 of 5 classes, such as 'pug'"]
