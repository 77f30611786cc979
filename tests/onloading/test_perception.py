"""The perception zoo: its table, its architectures held against published sizes, and what is made of them."""

import csv
import random
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from splitshare.errors import WorkError
from splitshare.jsonl import read_lines
from splitshare.onloading.generate import drawn_models, roles_of
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.perception_measure import build, describe, measure
from splitshare.onloading.perception_models import CANDIDATES, MEMBERS, SEGMENTATION
from splitshare.onloading.perception_zoo import PROTOCOLS, accuracy_of, chosen, perception_zoo, share
from splitshare.onloading.published_scores import Score, read_scores
from splitshare.onloading.suite import suite
from splitshare.onloading.zoo import Zoo
from splitshare.profiling.records import ModuleDescriptions, ModuleProfile, ProfiledDevice, ProfileRow
from splitshare.stages.onloading.perception_zoo import made

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "data" / "published" / "multitask_zoo.csv"
PERCEPTION = ROOT / "data" / "perception"


@pytest.fixture(scope="module")
def zoo():
    return Zoo.read(ROOT / "data" / "zoos" / "perception.json")


@pytest.fixture(scope="module")
def counts():
    return ModuleDescriptions.read(PERCEPTION / "modules.json").by_name


def test_the_committed_zoo_is_what_table_counts_and_times_give(descriptions, zoo):
    assert made(TABLE, PERCEPTION, ROOT / "data", descriptions).to_json() == zoo.to_json()


def test_the_zoo_has_tasks_that_are_tasks(zoo):
    assert len(zoo.tasks) >= 5
    assert len(zoo.models) >= 30
    # A frozen backbone with its heads is one published model that serves several tasks.
    served: dict[str, set[str]] = {}
    for model in zoo.models:
        served.setdefault(model.backbone or model.name, set()).update(model.accuracy)
    assert len(served) >= 30
    assert sum(len(tasks) > 1 for tasks in served.values()) >= len(served) / 3


def test_scores_are_those_of_the_table(zoo):
    with TABLE.open() as file:
        rows = list(csv.DictReader(file))
    published = {member.name: member.published for member in (*MEMBERS, *CANDIDATES)}
    for model in zoo.models:
        for task, value in model.accuracy.items():
            protocol = PROTOCOLS[task]
            (row,) = [
                row
                for row in rows
                if row["model"] == published[model.name]
                and (row["task"], row["test_set"]) == (protocol.task, protocol.test_set)
                and row["metric"] in protocol.metrics
            ]
            said = float(row["value"])
            error = row["metric"].startswith("RMSE")
            assert value == pytest.approx(1 - said if error else said / (100 if said > 1 else 1))


@pytest.mark.parametrize(("metric", "value", "expected"), [("RMSE, m", 0.25, 0.75), ("RMSE, m", 1.5, 0.0)])
def test_an_error_becomes_a_share(metric, value, expected):
    assert share(Score("m", None, None, "t", "s", metric, value, "x")) == expected


def test_a_unit_without_a_rule_and_a_missing_score_are_refused():
    with pytest.raises(WorkError, match="no rule makes a share of 'dB'"):
        share(Score("m", None, None, "t", "s", "PSNR, dB", 30.0, "x"))
    with pytest.raises(WorkError, match="the table has 0 values; one is needed"):
        accuracy_of(MEMBERS[0], [])


def test_architectures_have_the_published_sizes(counts):
    """Exactly where all digits are published, otherwise to the digits that are (and DINOv2's to 6 %)."""
    published = {score.model: score.parameters for score in read_scores(TABLE) if score.parameters}
    checked = 0
    for member in (*MEMBERS, *CANDIDATES):
        if member.published not in published:
            continue
        ours, theirs = counts[member.modules[0].name].parameters, published[member.published]
        if member in CANDIDATES:
            assert ours == theirs
        else:
            assert ours == pytest.approx(theirs, rel=0.06)
        checked += 1
    assert checked > 40


def test_operations_of_classifiers_are_near_the_published_ones(counts):
    """Ours leave out all but products; published ones count a few more."""
    published = {score.model: score.giga_operations for score in read_scores(TABLE) if score.giga_operations}
    for member in CANDIDATES:
        if not member.published.startswith("efficientnet_b1"):  # its second weights are published at another size
            ours = counts[member.modules[0].name].work[0].flops / 2e9
            assert ours == pytest.approx(published[member.published], rel=0.25)


def test_chosen_classifiers_are_beaten_by_none(counts):
    scores = read_scores(TABLE)
    taken = [member for member in chosen(scores, counts) if member in CANDIDATES]

    def better(one, other):
        return (
            accuracy_of(one, scores)["image-classification"] >= accuracy_of(other, scores)["image-classification"]
            and counts[one.modules[0].name].parameters <= counts[other.modules[0].name].parameters
        )

    for member in CANDIDATES:
        beaten = any(better(other, member) for other in CANDIDATES if other is not member)
        assert beaten is (member not in taken), member.name


@pytest.mark.parametrize("name", ["segformer-b0", "dinov2-small-image-classification"])
def test_counts_and_times_of_a_small_model(name, counts):
    """The committed counts are today's, and the modules run one after the other."""
    (member,) = [member for member in MEMBERS if member.name == name]
    states = torch.rand(1, *member.modules[0].input_shape)
    for module in member.modules:
        assert describe(module) == counts[module.name]
        with torch.inference_mode():
            states = build(module, "cpu")(states)
            states = states[0] if isinstance(states, tuple) else states
    (row, *_) = measure(member.modules[-1], counts[member.modules[-1].name], 0.01, 0.01)
    assert row.compute_median_s is not None
    assert row.compute_median_s > 0


def test_operations_are_those_of_torchs_own_counter():
    """Which asks for gradients, so only of what is small."""
    (module,) = next(member for member in MEMBERS if member.name == "segformer-b1").modules
    with FlopCounterMode(display=False) as counter:
        build(module, "meta")(torch.zeros(1, *module.input_shape, device="meta"))
    work = describe(module).work[0]
    assert work.flops == counter.get_total_flops()
    assert work.convolution_flops == counter.get_flop_counts()["Global"][torch.ops.aten.convolution]


def test_seconds_of_a_query_are_those_of_its_modules_one_after_the_other(counts):
    """Made-up times: every module takes as many seconds as its place in the list, times the batch."""
    place = {name: number for number, name in enumerate(counts, start=1)}

    def profile(device, batches):
        rows = [
            ProfileRow(
                module=name,
                batch=batch,
                provenance="measured",
                source="made up",
                definition_sha256=said.definition_sha256,
                compute_median_s=float(place[name] * batch),
                parameter_bytes=said.parameter_bytes,
                output_bytes=0,
            )
            for name, said in counts.items()
            for batch in (batches if said.kind == "vision-encoder" else (1, 2, 4, 8))
        ]
        about = ProfiledDevice(name=device, cpu="cpu", threads=1, memory_bytes=1, os="os", versions={"torch": "2"})
        return ModuleProfile(schema_="splitshare.module-profile/1", device=about, notes=("busy",), rows=tuple(rows))

    modules = ModuleDescriptions(schema_="splitshare.module-descriptions/1", modules=tuple(counts.values()))
    made_up = perception_zoo(
        read_scores(TABLE), modules, [profile("laptop-i7-12700h", (1, 2))], profile("this-machine", (1, 2, 4))
    )
    assert made_up.machine == "cpu, 1 thread(s), os; torch 2"
    assert made_up.notes[-1] == "busy"
    for member in MEMBERS:
        curves = made_up.by_name[member.name].by_device
        each_s = sum(place[module.name] for module in member.modules)
        assert curves["laptop-i7-12700h"].batches == (1,)
        assert curves["this-machine"].batches == (1, 2, 4)
        assert curves["this-machine"].seconds == (each_s, 2 * each_s, 4 * each_s)
    # A backbone with one head is what the two weigh; its heads do not count it again.
    small = [model for model in made_up.models if model.backbone == "dinov2-small"]
    (backbone,) = [backbone for backbone in made_up.backbones if backbone.name == "dinov2-small"]
    assert len(small) == 5
    assert all(made_up.alone_bytes[model.name] == backbone.memory_bytes + model.memory_bytes for model in small)
    assert max(model.memory_bytes for model in small) < backbone.memory_bytes


@pytest.mark.slow
def test_all_counts_are_todays(counts):
    for member in (*MEMBERS, *CANDIDATES):
        for module in member.modules:
            assert describe(module) == counts[module.name], module.name


def test_heads_answer_at_their_tasks_size():
    segmenter = next(member for member in MEMBERS if member.name == f"dinov2-small-{SEGMENTATION}")
    depth = next(member for member in MEMBERS if member.name == "dinov2-small-depth-estimation")
    with torch.inference_mode():
        for member, shape in ((segmenter, (2, 644, 644)), (depth, (2, 1, 140, 184))):
            head = member.modules[1]
            assert build(head, "cpu")(torch.rand(2, *head.input_shape)).shape == shape


def test_every_module_of_the_zoo_was_timed(zoo, counts):
    path = PERCEPTION / "profile.json"
    assert path.is_file() is ("this-machine" in zoo.models[0].by_device)
    if not path.is_file():
        pytest.skip("no times of a machine are recorded: make record-perception takes them")
    profile = ModuleProfile.read(path)
    names = {model.name for model in zoo.models}
    modules = {module.name for m in (*MEMBERS, *CANDIDATES) if m.name in names for module in m.modules}
    assert {row.module for row in profile.rows} == modules
    for row in profile.rows:
        assert row.definition_sha256 == counts[row.module].definition_sha256


def test_the_committed_instances_are_what_the_zoo_gives(zoo):
    instances = list(suite(zoo, roles_of(zoo, "zoo.json"), first=False))
    committed = read_lines(OnloadingInstance, ROOT / "data" / "baselines" / "onloading_instances.jsonl")
    assert instances == [instance for instance in committed if instance.zoo == zoo.name]
    assert len(instances) >= 16
    shared = [len({m.name for m in i.models if m.backbone == b.name}) for i in instances for b in i.backbones]
    assert sum(count > 1 for count in shared) > len(shared) / 2
    assert sum(bool(instance.backbones) for instance in instances) >= 16


def test_models_of_a_backbone_come_together(zoo):
    tasks = ["depth-estimation", "image-retrieval", "object-detection"]
    for seed in range(20):
        models = drawn_models(random.Random(seed), zoo, tasks, 6)
        assert {task for task in tasks if any(task in model.accuracy for model in models)} == set(tasks)
        families = {model.backbone or model.name for model in models}
        assert len(families) == 6
        for model in models:
            if model.backbone:
                assert {m.name for m in models if m.backbone == model.backbone} == {
                    m.name for m in zoo.models if m.backbone == model.backbone and set(m.accuracy) & set(tasks)
                }
