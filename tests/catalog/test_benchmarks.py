"""The sources of the benchmarks: those of the catalogue, and what is refused."""

from pathlib import Path

import pytest
import yaml

from splitshare.catalog.benchmarks import BenchmarksFile, load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.errors import InputError

DATA = Path(__file__).parents[2] / "data"
CATALOG = load_catalog(DATA)
SOURCES = load_benchmarks(DATA, CATALOG.benchmarks)


def test_every_benchmark_of_the_catalogue_has_a_source():
    assert list(SOURCES) == list(CATALOG.benchmarks)
    for model in CATALOG.models.values():
        for name in model.benchmarks:
            assert SOURCES[name].templates or all(encoder.items != "classes" for encoder in model.encoders)
        if model.head.weights.startswith("ours-"):
            assert SOURCES[model.benchmark].train is not None, "its head has to be trained on something"


@pytest.mark.parametrize("name", SOURCES)
def test_every_benchmark_has_a_card_that_says_the_same(name):
    source = SOURCES[name]
    card = (DATA / "benchmarks" / f"{name}.md").read_text()
    for split in (source.test, source.train):
        if split is not None:
            assert split.dataset in card
            assert (split.revision or split.revision_note) in card
            assert f"`{split.split}`" in card
    assert source.licence in card
    assert source.homepage in card
    assert source.metric in card


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda b: b["test"].update(revision="main"), "benchmarks[0].test.revision"),
        (lambda b: b["test"].update(revision=None), "revision_note: is missing; say why"),
        (lambda b: b["test"].update(dataset="food101"), "benchmarks[0].test.dataset"),
        (lambda b: b["test"]["columns"].pop("label"), "test.columns.label: is missing; accuracy needs it"),
        (lambda b: b["test"].update(folds=[1]), "folds: go with a fold_column"),
        (lambda b: b.update(templates=["a photo"]), "templates[0]: 'a photo' needs {} once"),
        (lambda b: b.update(name="food-102"), "unknown benchmark 'food-102'; did you mean 'food-101'"),
        (lambda b: b.update(name="cifar-10"), "benchmarks[1].name: 'cifar-10' is there already"),
    ],
)
def test_a_wrong_source_is_told(tmp_path, change, told):
    content = yaml.safe_load((DATA / "catalogue" / "benchmarks.yaml").read_text())
    change(content["benchmarks"][0])
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "benchmarks.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as error:
        load_benchmarks(tmp_path, CATALOG.benchmarks)
    assert told in str(error.value)


def test_the_file_is_a_contract():
    assert len(BenchmarksFile.read(DATA / "catalogue" / "benchmarks.yaml").benchmarks) == 10
