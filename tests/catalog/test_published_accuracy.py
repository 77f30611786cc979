"""Class names and accuracies that others have published."""

import pytest

from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import class_names_file, published_accuracy_file
from splitshare.catalog.published_accuracy import ClassNames, ClassNamesFile, PublishedAccuraciesFile
from splitshare.errors import InputError
from splitshare.places import DATA

CATALOG = load_catalog()


def test_as_many_names_as_the_benchmark_has_classes():
    benchmarks = ClassNamesFile.read(class_names_file(DATA)).benchmarks
    assert {name: len(of.names) for name, of in benchmarks.items()} == {
        "food-101": 101,
        "cifar-10": 10,
        "cifar-100": 100,
        "country-211": 211,
        "flowers-102": 102,
    }
    sources = load_benchmarks(DATA, CATALOG.benchmarks)
    assert all(sources[name].templates for name in benchmarks)


def test_a_data_set_s_spelling_and_order_do_not_matter():
    food = ClassNamesFile.read(class_names_file(DATA)).benchmarks["food-101"]
    own = [name.replace(" ", "_").upper() for name in reversed(food.names)]
    assert food.published(own) == (tuple(reversed(food.names)), ())


def test_what_the_hub_spells_wrongly_has_its_published_name_and_what_nobody_knows_stays():
    cifar = ClassNamesFile.read(class_names_file(DATA)).benchmarks["cifar-100"]
    assert cifar.published(["cra", "Lawn_Mower", "unicorn"]) == (("crab", "lawn mower", "unicorn"), ("unicorn",))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"names": ["a b", "A-B"]}, r"names\[1\]: 'A-B' stands in names\[0\] too"),
        ({"names": ["a"], "other_names": {"x": "b"}}, "other_names.x: 'b' is not among the names"),
    ],
)
def test_wrong_names_are_refused(fields, told):
    with pytest.raises(InputError, match=told):
        ClassNames.parse(fields, "class_names.yaml")


def test_published_accuracies_are_of_the_catalogue():
    published = PublishedAccuraciesFile.read(published_accuracy_file(DATA)).published
    for part in published:
        for model in part.values:
            assert part.benchmark in CATALOG.model(model).benchmarks
    found = PublishedAccuraciesFile.read(published_accuracy_file(DATA)).find("cifar-10", "clip-vit-b32", "top-1")
    assert found is not None
    assert found[0] == 0.8983
    assert "open_clip" in found[1].source
    # Larger models of a kind are better: a row in the wrong place would show.
    by = {part.benchmark: part.values for part in published}
    for name in ("food-101", "country-211", "flowers-102"):
        assert by[name]["clip-rn50"] < by[name]["clip-rn50x16"] < by[name]["clip-rn50x64"]
        assert by[name]["clip-vit-b32"] < by[name]["clip-vit-b16"] < by[name]["clip-vit-l14"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"comparable": False}, r"published\[0\]: note: is missing; say why"),
        ({"values": {"m": 80.8}}, "values.m: 80.8 is no top-1; write a share"),
        ({"values": {}}, r"published\[0\].values"),
    ],
)
def test_wrong_accuracies_are_refused(change, told):
    part = {"benchmark": "b", "metric": "top-1", "source": "s", "values": {"m": 0.5}} | change
    with pytest.raises(InputError, match=told):
        PublishedAccuraciesFile.parse({"schema": "splitshare.published-accuracy/1", "published": [part]}, "x")
