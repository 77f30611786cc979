"""Fair subsets: by hand, by what must hold of any, and from data sets that are sorted by class."""

import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitshare.benchmarks.stratified import chosen_rows, shares
from tests.benchmarks.hub import datasets as tiny
from tests.benchmarks.hub.catalogue import COUNTRIES, FOODS, SOUNDS, fetch, pinned_catalogue
from tests.benchmarks.hub.server import Repository, serve


def test_a_class_with_few_samples_leaves_its_share_to_the_others():
    assert shares({"a": 1, "b": 10, "c": 10}, 9, seed=0) == {"a": 1, "b": 4, "c": 4}
    assert shares({"a": 1, "b": 2}, 9, seed=0) == {"a": 1, "b": 2}


@settings(max_examples=200, deadline=None)
@given(
    shards=st.lists(st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=12), min_size=1, max_size=8),
    samples=st.integers(1, 40),
    seed=st.integers(0, 5),
)
def test_what_holds_of_every_draw(shards, samples, seed):
    available = Counter(label for shard in shards for label in shard if label is not None)
    chosen = chosen_rows(shards, samples, seed)
    assert chosen == chosen_rows(shards, samples, seed)
    assert all(rows == sorted(set(rows)) and rows for rows in chosen.values())
    taken = Counter(shards[shard][row] for shard, rows in chosen.items() for row in rows)
    assert None not in taken
    assert sum(taken.values()) == min(samples, sum(available.values()))
    open_ = [taken[label] for label in available if taken[label] < available[label]]
    if open_:
        # Nobody has two more than a class that could have had another one.
        assert max(taken.values()) <= min(open_) + 1


def labels(path: Path) -> Counter[int]:
    return Counter(
        row["label"] for part in sorted(path.glob("part-*.parquet")) for row in pq.read_table(part).to_pylist()
    )


@pytest.mark.slow
def test_a_split_that_is_sorted_by_class_gives_all_classes(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    files = tiny.labelled("validation", 808, FOODS, rows=4, repeats=4)
    with serve({"ethz/food101": Repository(files)}) as hub:
        result = fetch(hub, tmp_path, "food-101", "--samples", "101")
        assert result.returncode == 0, result.stderr
        assert set(labels(tmp_path / "out/food-101/test-101-of-seed-0").values()) == {1}
        assert fetch(hub, tmp_path, "food-101", "--samples", "7").returncode == 0
    assert len(labels(tmp_path / "out/food-101/test-7-of-seed-0")) == 7


def test_no_more_shards_are_read_than_needed():
    draw = random.Random(0)
    shuffled = [i % 101 for i in range(10_100)]
    draw.shuffle(shuffled)
    shards = [shuffled[i : i + 100] for i in range(0, len(shuffled), 100)]
    assert len(chosen_rows(shards, 505, seed=0)) < 30
    by_class = [[i] * 100 for i in range(101)]
    assert len(chosen_rows(by_class, 50, seed=0)) == 50


@pytest.mark.slow
def test_tar_files_give_all_classes(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    with serve({"clip-benchmark/wds_country211": Repository(tiny.webdataset("test", 633, COUNTRIES))}) as hub:
        result = fetch(hub, tmp_path, "country-211", "--samples", "211")
        assert result.returncode == 0, result.stderr
    assert labels(tmp_path / "out/country-211/test-211-of-seed-0") == dict.fromkeys(range(211), 1)


@pytest.mark.slow
def test_only_the_folds_of_a_split_are_drawn_from(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    with serve({"ashraq/esc50": Repository(tiny.esc50(500, SOUNDS))}) as hub:
        result = fetch(hub, tmp_path, "esc-50", "--samples", "50", "--part", "train")
        assert result.returncode == 0, result.stderr
    assert labels(tmp_path / "out/esc-50/train-50-of-seed-0") == dict.fromkeys(range(50), 1)
