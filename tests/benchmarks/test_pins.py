"""Commits that a catalogue leaves out are found once, kept, and held to; against a hub of the test's own."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from splitshare.catalog.hub import PinsFile
from splitshare.catalog.paths import hub_file
from splitshare.errors import InputError
from splitshare.modules.whole import build_whole
from tests.benchmarks.hub.catalogue import FOODS, fetch, pinned_catalogue
from tests.benchmarks.hub.datasets import labelled
from tests.benchmarks.hub.server import REVISION, Hub, Repository, serve
from tests.benchmarks.hub.weights import resnet_file
from tests.modules.small import small_catalogue

OTHER = "f" * 40
RESNET = "timm/resnet50_clip.openai"
VISION = "clip-rn50-vision@clip-rn50"


def python(hub: Hub, root: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: the client reads its endpoint when it is imported."""
    environment = os.environ | {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(root / "hf-home"), "HF_HUB_OFFLINE": "0"}
    head = (
        "from pathlib import Path\n"
        "from splitshare.catalog.loader import load_catalog\n"
        "from splitshare.modules.hub import published_module\n"
        "from splitshare.modules.hub_pins import Pins, found_revision\n"
        "pins = Pins(Path('hub.lock.json'))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def pins(root: Path) -> dict[str, Any]:
    return {pin.repository: pin for pin in PinsFile.read(root / "hub.lock.json").pins}


def test_a_resnet_is_pinned_at_its_first_use_and_held_to_its_digest(tmp_path: Path):
    catalog = small_catalogue(tmp_path / "data")
    repository = Repository({"open_clip_model.safetensors": resnet_file(catalog)})
    load = (
        "from splitshare.modules.build import build_module\n"
        "import torch\n"
        "catalog = load_catalog(Path('data'))\n"
        "for name in {ref.module for ref in catalog.model('clip-rn50').modules().values()}:\n"
        "    found = published_module(catalog, name, pins).state_dict()\n"
        "    wanted = build_module(catalog.module(name)).state_dict()\n"
        "    assert found.keys() == wanted.keys()\n"
        "    assert all(torch.equal(found[key], wanted[key]) for key in wanted), name\n"
    )
    with serve({RESNET: repository}) as hub:
        answer = python(hub, tmp_path, load)
        assert answer.returncode == 0, answer.stderr
        pin = pins(tmp_path)[RESNET]
        assert (pin.revision, pin.asked, list(pin.files)) == (REVISION, None, ["open_clip_model.safetensors"])
        # Upstream moves on: the commit of the first use counts.
        repository.requests["refs/pr/1"] = (REVISION, repository.files)
        repository.revision, repository.files = OTHER, {"open_clip_model.safetensors": b"something else"}
        assert python(hub, tmp_path, load).returncode == 0
        assert pins(tmp_path)[RESNET] == pin
        # What is fetched at that commit is another file: both digests are named.
        lock = json.loads((tmp_path / "hub.lock.json").read_text())
        lock["pins"][0]["files"]["open_clip_model.safetensors"] = "0" * 64
        (tmp_path / "hub.lock.json").write_text(json.dumps(lock))
        answer = python(hub, tmp_path, load)
        assert answer.returncode == 1
        digest = pin.files["open_clip_model.safetensors"]
        assert f"at {REVISION} is another one than at the first use: locked {'0' * 64}" in answer.stderr
        assert f"fetched {digest}" in answer.stderr


def test_weights_that_a_public_class_reads_are_held_to_their_digest(tmp_path: Path):
    """The class is given its configuration, so the repository's is never fetched: weights are found all the same."""
    catalog = small_catalogue(tmp_path / "data")
    whole: Any = build_whole(catalog, catalog.model("clip-vit-b32"))
    whole.clip.save_pretrained(tmp_path / "checkpoint")
    files = {path.name: path.read_bytes() for path in (tmp_path / "checkpoint").iterdir()}
    name = "openai/clip-vit-base-patch32"
    load = "catalog = load_catalog(Path('data'))\npublished_module(catalog, 'clip-vit-b32-vision@clip-vit-b32', pins)\n"
    with serve({name: Repository(files, revision="c237dc49a33fc61debc9276459120b7eac67e7ef")}) as hub:
        answer = python(hub, tmp_path, load)
        assert answer.returncode == 0, answer.stderr
        digest = hashlib.sha256(files["model.safetensors"]).hexdigest()
        assert pins(tmp_path)[name].files == {"model.safetensors": digest}
        lock = tmp_path / "hub.lock.json"
        lock.write_text(lock.read_text().replace(digest, "0" * 64))
        answer = python(hub, tmp_path, load)
    assert answer.returncode == 1
    assert f"locked {'0' * 64}, fetched {digest}" in answer.stderr


@pytest.mark.parametrize(
    ("files", "requests", "told"),
    [
        ({"model.safetensors": b""}, {}, REVISION),
        ({"pytorch_model.bin": b""}, {"refs/pr/9": ("9" * 40, {"model.safetensors": b""})}, "9" * 40),
        (
            {"pytorch_model.bin": b""},
            {
                "refs/pr/9": ("9" * 40, {"model.safetensors": b""}),
                "refs/pr/10": ("a" * 40, {"model.safetensors": b""}),
                "refs/pr/11": ("b" * 40, {"README.md": b""}),
            },
            "a" * 40,
        ),
    ],
)
def test_a_commit_with_safetensors_is_looked_for(tmp_path: Path, files, requests, told: str):
    with serve({"owner/model": Repository(files, requests=requests)}) as hub:
        answer = python(hub, tmp_path, "print(pins.revision('model', 'owner/model', None))")
        assert answer.stdout.strip() == told, answer.stderr
        asked = python(hub, tmp_path, f"print(pins.revision('model', 'owner/model', '{REVISION}'))")
        assert asked.stdout.strip() == told, "the catalogue's commit has none either"
        assert len(PinsFile.read(tmp_path / "hub.lock.json").pins) == 2


def test_pickles_are_told_of_and_nothing_is_pinned(tmp_path: Path):
    with serve({"owner/model": Repository({"pytorch_model.bin": b"", "README.md": b""})}) as hub:
        answer = python(hub, tmp_path, "pins.revision('model', 'owner/model', None)")
    assert "only pytorch_model.bin, which are pickles and never read: choose another copy" in answer.stderr
    assert not (tmp_path / "hub.lock.json").exists()


def test_a_data_set_without_commit_is_pinned_and_a_changed_one_is_told(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    source = tmp_path / "data" / "catalogue" / "benchmarks.yaml"
    text = source.read_text()
    first = f'revision: "{REVISION}"'
    source.write_text(text.replace(first, "revision: null\n      revision_note: none could be read", 1))
    food = Repository(labelled("validation", 24, FOODS, rows=6))
    lock = str(tmp_path / "hub.lock.json")
    with serve({"ethz/food101": food}) as hub:
        result = fetch(hub, tmp_path, "food-101", "--pins", lock)
        assert result.returncode == 0, result.stderr
        assert pins(tmp_path)["ethz/food101"].revision == REVISION
        locked = json.loads((tmp_path / "out" / "benchmarks.lock.json").read_text())
        assert locked["entries"][0]["selection"]["source"]["revision"] == REVISION
        food.revision = OTHER  # main moves on; the commit that was found is gone
        for path in (tmp_path / "out" / "food-101").rglob("*"):
            if path.is_file():
                path.unlink()
        result = fetch(hub, tmp_path, "food-101", "--pins", lock)
    assert result.returncode == 1
    assert f"has no revision {REVISION} any more" in result.stderr


def test_check_tells_of_everything_and_downloads_nothing(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    weights = {"weights": {"repository": "owner/gated"}, "pickled": {"repository": "owner/pickled"}}
    hub_file(tmp_path / "data").write_text(json.dumps({"schema": "splitshare.hub/1", "weights": weights}))
    repositories = {
        "ethz/food101": Repository(labelled("validation", 24, FOODS, rows=6)),
        "owner/gated": Repository({"model.safetensors": b"12345678"}, gated=True, licence="llama2"),
        "owner/pickled": Repository({"pytorch_model.bin": b"1"}),
        "lmms-lab/flickr30k": Repository({}, status=401),
    }
    with serve(repositories) as hub:
        result = fetch(
            hub, tmp_path, "--check", "--table", str(tmp_path / "t.csv"), "--pins", str(tmp_path / "hub.lock.json")
        )
        assert not hub.served_bytes
    assert result.returncode == 1
    table: Any = pd.read_csv(tmp_path / "t.csv", keep_default_na=False).set_index("repository")
    size = sum(len(content) for content in repositories["ethz/food101"].files.values())
    assert table.loc["ethz/food101", ["names", "commit", "licence", "gated"]].tolist() == [
        "food-101 (test)",
        REVISION,
        "mit",
        "no",
    ]
    assert int(table.loc["ethz/food101", "size_bytes"]) == size
    assert table.loc["owner/gated", ["licence", "gated", "safetensors"]].tolist() == [
        "llama2",
        "yes",
        "model.safetensors",
    ]
    assert "pickles" in table.loc["owner/pickled", "problem"]
    assert table.loc["lmms-lab/flickr30k", "problem"]
    assert "model owner/gated (weights): " in result.stdout
    assert "gated, safetensors: model.safetensors" in result.stdout
    assert re.search(r"error: \d+ of 13 not found: .*owner/pickled", result.stderr)


def test_a_malformed_lock_file_is_one_line_and_exit_code_2(tmp_path: Path):
    pinned_catalogue(tmp_path / "data")
    lock = tmp_path / "hub.lock.json"
    lock.write_text('{"schema": "splitshare.hub-lock/1", "pins": 3}')
    for more in ([], ["--check"]):
        result = fetch("http://127.0.0.1:9", tmp_path, "food-101", "--pins", str(lock), *more)
        assert result.returncode == 2
        assert result.stderr.count("\n") == 1
        assert "hub.lock.json: pins: " in result.stderr


def test_a_lock_file_is_checked_on_reading(tmp_path: Path):
    pin = {"kind": "model", "repository": "a/b", "revision": REVISION}
    path = tmp_path / "hub.lock.json"
    path.write_text(json.dumps({"schema": "splitshare.hub-lock/1", "pins": [pin, pin]}))
    with pytest.raises(InputError, match=r"pins\[1\]: model a/b no commit stands in pins\[0\] too; keep one"):
        PinsFile.read(path)
    path.write_text(json.dumps({"schema": "splitshare.hub-lock/1", "pins": [pin | {"revision": "main"}]}))
    with pytest.raises(InputError, match=r"pins\[0\]\.revision"):
        PinsFile.read(path)
