import csv
import json
from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.onloading.published_zoo import published_zoo
from splitshare.onloading.zoo import Zoo

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "data" / "published" / "timm_accuracy_zoo.csv"
ZOO = ROOT / "data" / "zoos" / "published.json"


def test_the_committed_zoo_is_what_the_table_gives():
    assert published_zoo(TABLE).to_json() == ZOO.read_text()


def test_figures_are_those_of_the_table():
    with TABLE.open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    zoo = Zoo.read(ZOO)
    assert len(zoo.models) == 30
    assert {zoo.models[0].name, zoo.models[-1].name} == {next(iter(rows)), list(rows)[-1]}
    for model in zoo.models:
        row = rows[model.name]
        assert model.accuracy["imagenet-a"] == pytest.approx(float(row["top1_a"]) / 100)
        assert model.accuracy["imagenet-1k"] == pytest.approx(float(row["top1_in1k"]) / 100)
        assert model.memory_bytes == pytest.approx(4e6 * float(row["params_millions"]))
        laptop, gpu = model.by_device["laptop-i7-12700h"], model.by_device["rtx-3090"]
        assert laptop.at(1) == pytest.approx(float(row["i7_12700h_fp32_batch1_ms"]) / 1e3)
        # Two points of the curve give the published throughput back.
        per_image = (gpu.at(64) - gpu.at(32)) / 32
        assert 1 / per_image == pytest.approx(float(row["rtx3090_amp_images_per_s"]), rel=1e-3)


def changed(path: tuple[str | int, ...], value: object) -> object:
    fields = json.loads(ZOO.read_text())
    target = fields
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return fields


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("models", 0, "memory_bytes"), 0, "models[0].memory_bytes"),
        (("models", 0, "accuracy"), {"imagenet-1k": 45.8}, "models[0].accuracy.imagenet-1k"),
        (("models", 0, "accuracy"), {"imagenet": 0.5}, "did you mean"),
        (("models", 1, "name"), "test_byobnet.r160_in1k", "stands twice"),
        (("models", 0, "curves", 1, "batches"), [1, 2, 4, 8, 16, 32, 32], "must ascend"),
        (("models", 0, "curves", 1, "seconds"), [0.1], "give one each"),
        (("models", 0, "curves", 1, "device"), "laptop-i7-12700h", "has a curve already"),
        (("models", 0, "memory_provenance"), "measured", "name the machine"),
        (("models", 0, "variant_of"), "xcitt", "models[0].variant_of: no other model is a variant of 'xcitt'; did you"),
        (("tasks", 0, "query_bytes"), -1, "tasks[0].query_bytes"),
    ],
)
def test_a_wrong_zoo_is_refused_in_one_line(path, value, complaint):
    with pytest.raises(InputError) as error:
        Zoo.parse(changed(path, value), "zoo.json")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_task_that_no_model_serves_is_refused():
    fields = json.loads(ZOO.read_text())
    for model in fields["models"]:
        del model["accuracy"]["imagenet-r"]
    with pytest.raises(InputError, match="no model serves 'imagenet-r'"):
        Zoo.parse(fields, "zoo.json")
