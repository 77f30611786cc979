"""The real client against a local server in the hub's protocol, on tiny data sets in the true schemas."""

import hashlib
import io
import json

import pyarrow.parquet as pq
import pytest

from splitshare.benchmarks.hub import missing_part
from splitshare.benchmarks.lock import read_lock
from tests.benchmarks.hub import datasets as tiny
from tests.benchmarks.hub.catalogue import COUNTRIES, FOODS, PETS, SOUNDS, fetch, pinned_catalogue
from tests.benchmarks.hub.server import REVISION, Repository, serve


@pytest.fixture
def root(tmp_path):
    pinned_catalogue(tmp_path / "data")
    return tmp_path


def read(root, directory):
    files = sorted((root / "out" / directory).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_all_ten_are_fetched_whole_and_in_order(root):
    repositories = {
        "ethz/food101": Repository(tiny.labelled("validation", 210, FOODS)),
        "uoft-cs/cifar10": Repository(
            tiny.labelled("test", 10, [f"thing_{i}" for i in range(10)], "img") | tiny.card("plain_text", "test")
        ),
        "uoft-cs/cifar100": Repository(
            tiny.labelled("test", 10, [f"kind_{i}" for i in range(100)], "img", "fine_label", coarse_label="a")
            | tiny.card("cifar100", "test")
        ),
        "clip-benchmark/wds_country211": Repository(tiny.webdataset("test", 12, COUNTRIES)),
        "dpdl-benchmark/oxford_flowers102": Repository(tiny.labelled("test", 10, [f"flower {i}" for i in range(102)])),
        "lmms-lab/VQAv2": Repository(tiny.vqav2("validation", 9)),
        "Multimodal-Fatima/VQAv2_train": Repository(tiny.vqav2("train", 9)),
        "lmms-lab/textvqa": Repository(tiny.textvqa("validation", 5)),
        "ashraq/esc50": Repository(tiny.esc50(250, SOUNDS)),
        "lmms-lab/flickr30k": Repository(tiny.flickr30k(7)),
        "timm/oxford-iiit-pet": Repository(tiny.labelled("test", 8, PETS) | tiny.labelled("train", 9, PETS)),
    }
    # Left alone, they are not even opened: a program of the data set's own, and a pickle.
    program = f"open({str(root / 'ran')!r}, 'w')".encode()
    for repository in repositories.values():
        repository.files |= {"load.py": program, "data.pkl": b"\x80\x04}."}
    with serve(repositories) as hub:
        result = fetch(hub, root)
        assert result.returncode == 0, result.stderr
        assert not any("pkl" in path and path.startswith("GET /datasets") for path in hub.requests)
    assert not (root / "ran").exists()

    lock = {
        (e.selection.benchmark, e.selection.part): e for e in read_lock(root / "out" / "benchmarks.lock.json").entries
    }
    assert len(lock) == 13
    foods = read(root, "food-101/test-whole")
    assert [row["label"] for row in foods] == [i % 101 for i in range(105)] * 2
    assert foods[3]["image"] == tiny.image_bytes(3)
    assert len(lock["food-101", "test"].files) == 2, "one file of 200 samples and more, one with the rest"
    assert lock["food-101", "test"].class_names == tuple(FOODS)
    assert lock["country-211", "test"].class_names == tuple(COUNTRIES)
    assert [row["label"] for row in read(root, "country-211/test-whole")] == list(range(12))
    question = read(root, "vqav2/test-whole")[1]
    assert (question["question"], question["answers"]) == ("is this a question ?", ["no"] * 8 + ["2"] * 2)
    assert read(root, "textvqa/test-whole")[0]["answers"] == ["stop"] * 8 + ["go"] * 2
    assert len(read(root, "esc-50/test-whole")) == 50
    assert len(read(root, "esc-50/train-whole")) == 200
    assert lock["esc-50", "train"].class_names == tuple(SOUNDS)
    assert (
        hashlib.sha256(read(root, "esc-50/test-whole")[1]["audio"]).digest()
        == hashlib.sha256(tiny.wav_bytes(1)).digest()
    )
    assert read(root, "flickr30k/test-whole")[2]["captions"][0] == "A dog number 2 runs."
    assert len(read(root, "oxford-iiit-pet/train-whole")) == 9


def test_each_failure_is_a_line_and_the_others_go_on(root):
    """404, 401, gated, a column or a program too many, a cut-off file, and one that is well."""
    cut = tiny.flickr30k(40)
    cut = {name: content[: len(content) // 2] for name, content in cut.items()}
    repositories = {
        "uoft-cs/cifar100": Repository({}, status=401),
        "clip-benchmark/wds_country211": Repository(tiny.labelled("test", 10, COUNTRIES)),
        "dpdl-benchmark/oxford_flowers102": Repository(tiny.labelled("test", 10, ["1", "10"])),
        "lmms-lab/VQAv2": Repository(tiny.vqav2("validation", 9) | {"VQAv2.py": b"raise SystemExit('I ran')"}),
        "lmms-lab/textvqa": Repository({}, status=500),
        "lmms-lab/flickr30k": Repository(cut),
        "timm/oxford-iiit-pet": Repository(tiny.labelled("test", 8, PETS), gated=True),
        "ethz/food101": Repository(tiny.labelled("validation", 8, FOODS)),
    }
    with serve(repositories) as hub:
        result = fetch(hub, root, "--part", "test")
    lines = result.stderr.splitlines()
    assert result.returncode == 1
    told = {line.removeprefix("error: ").partition(" ")[0]: line for line in lines[:-1]}
    for benchmark, words in {
        "cifar-10": "not on the hub (404)",
        "cifar-100": "answers 401",
        "country-211": "no column 'webp' but image, label",
        "flowers-102": "names 2 classes, the catalogue says 102",
        "vqav2": "needs a program of its own to be read, which is never run",
        "textvqa": "cannot be reached (HfHubHTTPError: Server error '500",
        "esc-50": "not on the hub (404)",
        "flickr30k": "damaged or cut off",
        "oxford-iiit-pet": "is gated: accept its terms at http://127.0.0.1",
    }.items():
        assert words in told[benchmark], told[benchmark]
    assert len(told) == 9
    assert lines[-1].startswith("error: 9 of 10 not fetched: cifar-10 (test), ")
    assert "I ran" not in result.stderr
    assert len(read(root, "food-101/test-whole")) == 8
    assert result.stdout.startswith("food-101/test-whole: 8 samples, ")


def test_offline_is_a_line(root):
    result = fetch("http://127.0.0.1:9", root, "food-101")
    assert result.returncode == 1
    assert "food-101 (test): ethz/food101 cannot be reached" in result.stderr
    assert "check the network and run again" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupted_fetch_is_taken_up_where_it_stopped(root):
    files = tiny.labelled("validation", 410, FOODS, rows=50)
    first, second = sorted(files)
    requests = f"GET /datasets/ethz/food101/resolve/{REVISION}/{second}"
    with serve({"ethz/food101": Repository(files)}) as hub:
        assert fetch(hub, root, "food-101", "-o", str(root / "at-once")).returncode == 0
        before, read_first = hub.requests[requests], hub.served_bytes[f"ethz/food101/{first}"]
        hub.repositories["ethz/food101"].refused_after = {second: before - 3}
        broken = fetch(hub, root, "food-101")
        assert broken.returncode == 1
        state = json.loads((root / "out/food-101/test-whole/state.json").read_text())
        assert [file["rows"] for file in state["files"]] == [200]
        kept = (root / "out/food-101/test-whole/part-00000.parquet").stat().st_mtime_ns

        hub.repositories["ethz/food101"].refused_after = {}
        hub.repositories["ethz/food101"].breaks = {second: 1}  # a transfer cut off, which the client takes up itself
        hub.served_bytes.clear()
        assert fetch(hub, root, "food-101").returncode == 0
        assert hub.served_bytes[f"ethz/food101/{first}"] <= read_first / 2, "what is kept is not read again"
    assert (root / "out/food-101/test-whole/part-00000.parquet").stat().st_mtime_ns == kept
    locks = [read_lock(root / name / "benchmarks.lock.json") for name in ("at-once", "out")]
    assert locks[0].entries[0].content_sha256 == locks[1].entries[0].content_sha256
    assert [row["label"] for row in read(root, "food-101/test-whole")] == [i % 101 for i in range(205)] * 2


@pytest.mark.slow
def test_a_seeded_subset_is_the_same_everywhere_and_spread_over_the_split(root):
    files = tiny.labelled("validation", 120, FOODS, rows=10)
    with serve({"ethz/food101": Repository(files)}) as hub:
        for seed in ("0", "1"):
            assert fetch(hub, root, "food-101", "--samples", "30", "--seed", seed).returncode == 0
        first, other = (read(root, f"food-101/test-30-of-seed-{seed}") for seed in (0, 1))
        (root / "out").rename(root / "before")
        assert fetch(hub, root, "food-101", "--samples", "30").returncode == 0
    assert read(root, "food-101/test-30-of-seed-0") == first
    assert len(first) == 30
    assert first != other
    images = {row["image"] for row in first}
    assert len(images) == 30, "no sample twice"
    assert len({row["label"] // 10 for row in first}) > 3, "not all from one row group"


def test_changed_samples_are_an_error_that_names_both_digests(root):
    with serve({"ethz/food101": Repository(tiny.labelled("validation", 8, FOODS))}) as hub:
        assert fetch(hub, root, "food-101").returncode == 0
        lock = root / "out" / "benchmarks.lock.json"
        (locked,) = read_lock(lock).entries
        part = root / "out/food-101/test-whole/part-00000.parquet"
        right = part.read_bytes()

        part.write_bytes(right[:-1])
        damaged = fetch(hub, root, "food-101")
        assert damaged.returncode == 1
        assert hashlib.sha256(right).hexdigest() in damaged.stderr
        assert hashlib.sha256(right[:-1]).hexdigest() in damaged.stderr

        for file in (root / "out/food-101/test-whole").iterdir():
            file.unlink()
        hub.repositories["ethz/food101"].files = tiny.labelled("validation", 8, list(reversed(FOODS)), first_seed=1)
        changed = fetch(hub, root, "food-101")
    assert changed.returncode == 1
    assert f"locked {locked.content_sha256}, fetched " in changed.stderr
    assert changed.stderr.count(locked.content_sha256) == 1
    assert read_lock(lock).entries == (locked,), "the lock stays"


@pytest.mark.slow
def test_a_slow_server_is_waited_for_and_then_given_up(root):
    with serve({"ethz/food101": Repository(tiny.labelled("validation", 8, FOODS), delay_s=0.3)}) as hub:
        assert fetch(hub, root, "food-101").returncode == 0
        hub.repositories["ethz/food101"].delay_s = 2.5  # longer than the client waits
        slow = fetch(hub, root, "food-101", "--samples", "2")
    assert slow.returncode == 1
    assert "cannot be reached" in slow.stderr


def test_tiny_parquet_files_have_their_features(root):
    """What the server serves is what the hub's own writer makes: features in the metadata."""
    content = tiny.labelled("validation", 4, FOODS)["data/validation-00000-of-00002.parquet"]
    schema = pq.read_schema(io.BytesIO(content))
    assert b"ClassLabel" in schema.metadata[b"huggingface"]


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        (["data/test-00000-of-00002.parquet", "data/test-00001-of-00002.parquet", "README.md"], None),
        (["data/test-00000-of-00002.parquet"], "data/test-00001-of-00002.parquet"),
        (
            ["plain/test-00002-of-00003.parquet", "plain/test-00000-of-00003.parquet"],
            "plain/test-00001-of-00003.parquet",
        ),
        (["data/train-00000-of-00002.parquet", "data/test-00000-of-00001.parquet"], None),
        (["data/my-test-00000-of-00002.parquet", "test/0.tar"], None),
    ],
)
def test_a_split_without_one_of_its_files_is_not_a_smaller_benchmark(files, missing):
    assert missing_part(files, "test") == missing
