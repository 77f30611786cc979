"""The accuracy table, and claim S3's verdict by it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from splitshare.benchmarks.accuracy import AccuracyRecord, AccuracyRow
from splitshare.catalog.loader import load_catalog
from splitshare.catalog.paths import published_accuracy_file
from splitshare.catalog.published_accuracy import PublishedAccuraciesFile
from splitshare.figures.accuracy import accuracy_by_model, accuracy_table
from splitshare.figures.registry import figures as declared
from splitshare.results.claims_s2m3 import accuracy_verdict, no_loss_of_accuracy
from splitshare.stages import figures

DATA = Path(__file__).parents[2] / "data"
CATALOG = load_catalog(DATA)
BENCHMARKS = list(CATALOG.benchmarks)
PAIRS = sorted((b, model.name) for model in CATALOG.models.values() for b in model.benchmarks)


def row(benchmark, arrangement, value=0.5, model="clip-vit-b16", differing=0, source="hub", metric="top-1", weights=""):
    return AccuracyRow(
        benchmark=benchmark,
        source=source,
        task="image-text-retrieval",
        model=model,
        arrangement=arrangement,
        metric=metric,
        value=value,
        ci_low=value - 0.05,
        ci_high=value + 0.05,
        samples=100,
        differing_predictions=differing,
        provenance={"weights": weights},
    )


def three(benchmark, **changes):
    return [row(benchmark, arrangement, **changes) for arrangement in ("whole", "split", "shared")]


def test_a_benchmark_that_was_not_run_is_an_empty_row():
    table = accuracy_table(CATALOG, [])
    assert list(table["benchmark"]) == BENCHMARKS
    assert set(table["status"]) == {"not run"}
    assert table[["whole", "split", "shared", "samples"]].isna().all(axis=None)


def test_measured_rows_stand_by_their_benchmark_and_what_is_missing_below():
    rows = [*three("cifar-10"), *three("easy-vqa", source="embedded", model="small")]
    table = accuracy_table(CATALOG, rows)
    assert list(dict.fromkeys(table["benchmark"])) == [*BENCHMARKS, "easy-vqa"]
    cifar = table[table["benchmark"] == "cifar-10"]
    assert list(cifar["model"]) == ["clip-vit-b16", "8 models"]
    assert cifar.iloc[0][["whole", "split", "shared", "differ_split"]].tolist() == [0.5, 0.5, 0.5, 0]
    assert table.iloc[-1]["source"] == "embedded"


@pytest.mark.parametrize(
    ("rows", "agree", "verdict"),
    [
        ([], True, "partly"),
        ([], False, "not reproduced"),
        (three("cifar-10"), True, "partly"),
        ([r for b, m in PAIRS for r in three(b, model=m)], True, "reproduced"),
        ([r for b, m in PAIRS for r in three(b, model=m)], False, "not reproduced"),
        ([r for b, m in PAIRS for r in three(b, model=m, source="embedded")], True, "partly"),
        ([r for b, m in PAIRS for r in three(b, model=m, weights="random, seed 0")], True, "partly"),
        ([r for b, m in PAIRS[1:] for r in three(b, model=m)], True, "partly"),
        ([r for b, m in PAIRS for r in three(b, model=m) if r.arrangement != "shared"], True, "partly"),
        ([r for b in BENCHMARKS for r in three(b)], True, "partly"),
        ([row("cifar-10", "whole", 0.5), row("cifar-10", "split", 0.44)], True, "not reproduced"),
        ([row("cifar-10", "whole", 0.5), row("cifar-10", "split", 0.46, differing=4)], True, "partly"),
    ],
)
def test_verdict_by_the_rule(rows, agree, verdict):
    assert accuracy_verdict(rows, PAIRS, agree) == verdict


def test_claim_tells_what_differs():
    equivalence = pd.DataFrame({"model": ["a", "b"], "agrees": [True, True], "compared": ["true size", "true size"]})
    claim = no_loss_of_accuracy(equivalence, [*three("cifar-10", differing=0)], PAIRS)
    assert claim.measured_value == "0 of 200"
    both = [*three("cifar-10", differing=0), *three("cifar-10", value=0.9, metric="top-5")]
    assert no_loss_of_accuracy(equivalence, both, PAIRS).measured_value == "0 of 200", "the same answers, judged twice"
    assert "1 of the catalogue's 51 pairs of model and benchmark are measured whole, split and shared" in claim.note
    assert claim.source == "accuracy.json"
    assert no_loss_of_accuracy(equivalence, [], PAIRS).measured_value == "2 of 2"


def test_a_run_s_own_accuracies_are_drawn(tmp_path):
    record = AccuracyRecord(schema_="splitshare.accuracy/1", rows=tuple(three("cifar-10", value=0.71)))
    record.write(tmp_path / "accuracy.json")
    config = DATA.parent / "config" / "config.yaml"
    figures.run(
        figures.Options(names=["accuracy"], results=tmp_path, config=config, catalog_root=DATA, output=tmp_path / "out")
    )
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(declared()["accuracy"].files())
    table = pd.read_csv(tmp_path / "out" / "accuracy.csv")
    assert table.loc[table["benchmark"] == "cifar-10", "split"].iloc[0] == 0.71


def test_published_values_stand_beside_and_what_is_far_off_is_marked():
    published = PublishedAccuraciesFile.read(published_accuracy_file(DATA))
    rows = [
        *three("cifar-10", value=0.90),
        *three("cifar-10", value=0.70, model="clip-rn50"),
        *three("flowers-102", value=0.66),
        *three("vqav2", value=0.6, model="vqa-vit-b16", metric="vqa-accuracy"),
    ]
    table: Any = accuracy_table(CATALOG, rows, published).set_index(["benchmark", "model"])
    assert table.loc[("cifar-10", "clip-vit-b16"), ["published", "beside_published"]].tolist() == [
        0.9077,
        "-0.8 points",
    ]
    assert table.loc[("cifar-10", "clip-rn50"), "beside_published"] == "-1.6 points (over one point)"
    assert table.loc[("flowers-102", "clip-vit-b16"), "beside_published"] == "mean over classes; ours is over pictures"
    assert table.loc[("vqav2", "vqa-vit-b16"), "beside_published"] == "not published"


def test_random_weights_are_no_measured_accuracy():
    """They serve to try the path: beside a published accuracy they would be a lie."""
    published = PublishedAccuraciesFile.read(published_accuracy_file(DATA))
    table = accuracy_table(
        CATALOG, three("cifar-10", weights="random, seed 0; probe fitted by us, sha256 1"), published
    )
    cifar = table[table["benchmark"] == "cifar-10"].iloc[0]
    assert cifar[["published", "beside_published", "status"]].tolist() == [0.9077, "random weights", "random weights"]


def test_the_papers_table_has_models_by_benchmarks():
    published = PublishedAccuraciesFile.read(published_accuracy_file(DATA))
    rows = [
        *three("cifar-10", value=0.9),
        *three("cifar-10", value=0.95, metric="top-5"),
        *three("food-101", value=0.8),
        *three("flickr30k", value=0.7, metric="cider", model="caption-vit-gpt2"),
        *three("easy-vqa", source="embedded", model="small"),
    ]
    table: Any = accuracy_by_model(CATALOG, rows, published).set_index(["model", "accuracy"])
    assert list(table.columns) == BENCHMARKS
    measured = [i for i in table.index if i[1] in ("whole", "split", "shared")]
    assert measured == [(m, a) for m in ("clip-vit-b16", "caption-vit-gpt2") for a in ("whole", "split", "shared")]
    assert table.loc[("clip-vit-b16", "split"), ["cifar-10", "food-101"]].tolist() == [90, 80]
    assert table.loc[("clip-vit-b16", "published"), "cifar-10"] == 90.77
    assert pd.isna(table.loc[("clip-vit-b16", "split"), "country-211"])
    assert table.loc[("caption-vit-gpt2", "shared"), "flickr30k"] == 0.7
    assert table.loc[("llava-7b", "published, not comparable"), ["vqav2", "textvqa"]].tolist() == [78.5, 58.2]
    assert not table.isna().all(axis=1).any()
