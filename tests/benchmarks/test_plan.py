"""What judging will take, from committed profiles."""

import json

import pytest

from splitshare.benchmarks.lock import LockEntry, Selection
from splitshare.benchmarks.plan import REFERENCE_PROFILES, Pair, bar_weights, duration, plan, sample_s, times_asked
from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.loader import load_catalog
from splitshare.places import DATA, PROFILES
from splitshare.profiling.records import ModuleProfile

CATALOG = load_catalog()


@pytest.fixture(scope="module")
def profile():
    return ModuleProfile.read(PROFILES / f"{REFERENCE_PROFILES['cpu']}.json")


def pair(model, benchmark, samples, times=3):
    source = load_benchmarks(DATA, CATALOG.benchmarks)[benchmark].test
    selection = Selection(benchmark=benchmark, part="test", source=source, samples=samples, seed=0)
    entry = LockEntry(selection=selection, rows=samples, content_sha256="0" * 64, files=())
    return Pair(CATALOG.model(model), entry, times)


def row_s(module, batch):
    """Straight from the file."""
    rows = json.loads((PROFILES / "amd-epyc-2-threads.json").read_text())["rows"]
    (row,) = (r for r in rows if r["module"] == module and r["batch"] == batch and "precision" not in r)
    return row["compute_median_s"] / batch


def test_every_model_has_a_time_where_all_were_measured(profile):
    assert all((sample_s(model, profile) or 0) > 0 for model in CATALOG.models.values())


def test_a_samples_time_is_that_of_its_towers_and_head(profile):
    """At the largest measured batch. Class prompts are embedded once; a question is not."""
    vision, head = "clip-vit-b16-vision@clip-vit-b16", "cosine-512@clip-vit-b16"
    assert sample_s(CATALOG.model("clip-vit-b16"), profile) == pytest.approx(row_s(vision, 8) + row_s(head, 8))
    asked = row_s(vision, 8) + row_s("clip-text-512-to-512@clip-vit-b16", 101) + row_s("vqa-classifier@ours-vqa", 8)
    assert sample_s(CATALOG.model("vqa-vit-b16"), profile) == pytest.approx(asked)


def test_the_plan_adds_up_and_names_whose_times_these_are(profile):
    assert (times_asked([]), times_asked(["float16"])) == (3, 6)
    pairs = [pair("clip-rn50", "cifar-10", 500), pair("clip-rn50", "food-101", 100), pair("llava-7b", "vqav2", 10)]
    weighed = bar_weights(pairs, profile)
    of = {name: sample_s(CATALOG.model(name), profile) or 0 for name in ("clip-rn50", "llava-7b")}
    assert weighed == pytest.approx([1500 * of["clip-rn50"], 300 * of["clip-rn50"], 30 * of["llava-7b"]])
    line = plan(pairs, profile)
    took = duration(sum(weighed))
    assert line.startswith(f"2 models on 3 benchmarks: 1,830 answers, {took} of computing on amd-epyc-2-threads, ")
    assert "not known" not in line


def test_without_a_profile_answers_are_counted_and_no_time_is_said():
    pairs = [pair("clip-rn50", "cifar-10", 500)]
    assert bar_weights(pairs, None) == [1500.0]
    assert plan(pairs, None) == "1 model on 1 benchmark: 1,500 answers; what was answered before is taken up"


def test_a_model_that_was_not_profiled_is_named(profile):
    others = profile.model_copy(update={"rows": tuple(r for r in profile.rows if "rn50-" not in r.module)})
    pairs = [pair("clip-rn50", "cifar-10", 5), pair("clip-vit-b16", "cifar-10", 10)]
    known = bar_weights(pairs[1:], profile)
    assert bar_weights(pairs, others) == pytest.approx([known[0] / 2, known[0]])
    line = plan(pairs, others)
    assert f"{duration(known[0])} of computing" in line
    assert "and that of clip-rn50, not known there" in line


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said
