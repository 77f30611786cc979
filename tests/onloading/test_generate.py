from pathlib import Path

import pytest

from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.families import marked
from splitshare.onloading.generate import BATCHES, PUBLISHED_ROLES, Role, Roles, Shape, generate, popularity, roles_of
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.published_zoo import FAMILIES
from splitshare.onloading.run import solve
from splitshare.onloading.suite import SIZES, suite
from splitshare.onloading.zoo import Zoo
from splitshare.placement.pinned import check_pinned
from splitshare.stages.onloading import suite as suite_stage

ROOT = Path(__file__).parents[2]
ZOO = Zoo.read(ROOT / "data" / "zoos" / "published.json")
BASELINES = ROOT / "data" / "baselines"


def test_the_committed_suite_is_what_is_drawn_and_what_is_pinned():
    committed = read_lines(OnloadingInstance, BASELINES / "onloading_instances.jsonl")
    check_pinned(committed, BASELINES / "onloading_instances.json")
    drawn = list(suite(ZOO, roles_of(ZOO, "zoo")))
    assert drawn == [instance for instance in committed if instance.zoo == ZOO.name]
    assert len(drawn) == 60


def test_the_suite_keeps_its_ranges():
    for instance in suite(ZOO, PUBLISHED_ROLES):
        size = SIZES[instance.name.partition("-")[0]]
        for names, (low, high) in (
            (instance.clients, size.clients),
            (instance.servers, size.servers),
            (instance.tasks, size.tasks),
            (instance.models, size.models),
        ):
            assert low <= len(names) <= high
        assert (len(instance.batches) > 1) is instance.name.endswith("-batching")


def test_factors_scale_what_is_drawn_and_change_no_draw():
    base, more = (
        generate(ZOO, PUBLISHED_ROLES, Shape(6, 2, 3, 8, memory=m, load=m, bandwidth=m), seed=3, name="x")
        for m in (1.0, 2.0)
    )
    assert more.models == base.models
    for a, b in zip(base.clients, more.clients, strict=True):
        assert b.memory_bytes == pytest.approx(2 * a.memory_bytes, rel=1e-3)
        assert b.uplink_bytes_per_s == pytest.approx(2 * a.uplink_bytes_per_s, rel=1e-2)
        assert b.demand_per_s == pytest.approx({task: 2 * rate for task, rate in a.demand_per_s.items()}, rel=1e-4)


def test_extremes_of_the_generator():
    for shape in (Shape(2, 1, 2, 5), Shape(200, 10, 6, 30, batches=BATCHES)):
        instance = generate(ZOO, PUBLISHED_ROLES, shape, seed=1, name="x")
        assert OnloadingInstance.parse(instance.model_dump(mode="json", by_alias=True), "x") == instance
        assert all(len(model.accuracy) >= 1 for model in instance.models)


@pytest.mark.parametrize(
    ("shape", "complaint"), [(Shape(2, 1, 7, 5), "tasks: has 6"), (Shape(2, 1, 2, 31), "models: has 30")]
)
def test_more_than_the_zoo_has_is_refused(shape, complaint):
    with pytest.raises(InputError, match=complaint):
        generate(ZOO, PUBLISHED_ROLES, shape, seed=0, name="x")


def measured_zoo():
    """The published models, a thousandth of their size, as if all had been timed on one machine."""
    fields = ZOO.model_dump(mode="json", by_alias=True) | {"name": "trained", "machine": "a machine"}
    for model in fields["models"]:
        model["memory_bytes"] = max(1.0, model["memory_bytes"] / 1000)
        model["curves"] = [model["curves"][1] | {"device": "this-machine", "provenance": "measured"}]
    for task in fields["tasks"]:
        task["query_bytes"] = 400
    return Zoo.parse(fields, "trained")


def test_a_measured_zoo_gives_instances_of_its_own_scale():
    zoo = measured_zoo()
    instances = list(suite(zoo, roles_of(zoo, "zoo"), first=False))
    assert [i.name for i in instances][:2] == ["trained-small-01", "trained-small-02-batching"]
    assert len(instances) == 12
    worth = [
        [solve(instance, load(name)).objective or 0.0 for name in ("j3o-batching", "cloud-only")]
        for instance in instances[:6]
    ]
    assert max(j3o / cloud for j3o, cloud in worth) > 1.05
    memory = [c.memory_bytes for i in instances for c in i.clients]
    sizes = [m.memory_bytes for m in zoo.models]
    assert min(sizes) < min(memory) < max(sizes)


def test_a_device_that_the_zoo_does_not_know_is_refused():
    roles = Roles(Role("phone"), Role("rtx-3090"), Role("rtx-3090"))
    with pytest.raises(InputError, match="has none for 'phone'"):
        generate(ZOO, roles, Shape(2, 1, 2, 5), seed=0, name="x")


def test_skewed_demand_follows_zipf_and_none_leaves_instances_as_they_are():
    assert popularity(["a", "b", "c"], 0.0) == {"a": 1.0, "b": 1.0, "c": 1.0}
    skewed = popularity(["a", "b", "c", "d"], 1.0)
    assert [skewed["a"] / skewed[task] for task in "abcd"] == pytest.approx([1, 2, 3, 4])
    assert sum(skewed.values()) == pytest.approx(4)
    even, uneven = (
        generate(ZOO, PUBLISHED_ROLES, Shape(8, 2, 4, 8, skew=skew), seed=3, name="x") for skew in (0.0, 2.0)
    )
    tasks = [task.name for task in even.tasks]
    weights = popularity(tasks, 2.0)
    for before, after in zip(even.clients, uneven.clients, strict=True):
        assert after.demand_per_s == pytest.approx(
            {t: d * weights[t] for t, d in before.demand_per_s.items()}, rel=1e-5
        )


def test_variants_are_a_rule_more_and_change_no_draw():
    """Families are the zoo's; one with a single model in an instance is none."""
    of = {model.name: model.variant_of for model in ZOO.models}
    plain = list(suite(ZOO, PUBLISHED_ROLES))
    groups = set()
    for instance, other in zip(plain, suite(ZOO, PUBLISHED_ROLES, variants=True), strict=True):
        said = other.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        named = [model.pop("variant_of", None) for model in said["models"]]
        assert OnloadingInstance.parse(said | {"name": instance.name}, "x") == instance
        assert other.name == f"{instance.name}-variants"
        for model, group in zip(other.models, named, strict=True):
            alike = sum(of[m.name] == of[model.name] for m in other.models)
            assert group == (of[model.name] if alike > 1 else None)
        groups |= set(named)
    assert groups == {None, "efficientnet", "xcit", "eva-giant"}


def test_families_are_told_by_how_names_begin():
    """A family with one model marks nothing, and the committed zoo's families are of sizes of one architecture."""
    few = marked(ZOO.models[:8], FAMILIES)
    assert [model.variant_of for model in few] == [None] * 8
    families = {model.variant_of for model in ZOO.models} - {None}
    for family in families:
        members = [model for model in ZOO.models if model.variant_of == family]
        assert len(members) > 1
        assert len({model.name.split("_")[family == "efficientnet"].rstrip("01234567b") for model in members}) == 1


def test_variants_of_a_zoo_without_families_are_refused(tmp_path):
    zoo = ROOT / "data" / "zoos" / "trained.json"
    with pytest.raises(InputError, match="models: none has a family; give variant_of"):
        suite_stage.run(suite_stage.Options([zoo], output=tmp_path, variants=True))
    assert not list(tmp_path.iterdir())


def test_a_file_each_is_written_where_asked_for(tmp_path):
    zoo = ROOT / "data" / "zoos" / "trained.json"
    suite_stage.run(suite_stage.Options([zoo], output=tmp_path / "lines", further=True))
    suite_stage.run(suite_stage.Options([zoo], output=tmp_path / "each", further=True, each=True))
    instances = read_lines(OnloadingInstance, tmp_path / "lines" / "onloading_instances.jsonl")
    names = {file.stem: file for file in (tmp_path / "each").glob("*.json")}
    names.pop("onloading_instances")
    assert {name: OnloadingInstance.read(file) for name, file in names.items()} == {i.name: i for i in instances}
    assert len(list((tmp_path / "lines").iterdir())) == 2


def test_a_zoo_stands_once_in_a_suite(tmp_path):
    zoo = ROOT / "data" / "zoos" / "trained.json"
    (tmp_path / "copy.json").write_bytes(zoo.read_bytes())
    for twice in ([zoo, zoo], [zoo, tmp_path / "copy.json"]):
        with pytest.raises(InputError, match="name: 'trained' stands twice in one suite; give each zoo once"):
            suite_stage.run(suite_stage.Options(twice, output=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
