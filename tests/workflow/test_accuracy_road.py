"""The paper's configuration driven from the hub to the table: small data sets and weights, true names and schemas.

Nothing is edited but the size of the architectures; and what can go wrong on the way does, once each.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from splitshare.benchmarks.accuracy import AccuracyRecord
from splitshare.benchmarks.lock import read_lock
from splitshare.catalog.benchmarks import load_benchmarks
from splitshare.catalog.loader import Catalog, load_catalog
from splitshare.catalog.paths import class_names_file
from splitshare.catalog.published_accuracy import ClassNamesFile
from splitshare.places import DATA
from tests.benchmarks.hub import datasets as small
from tests.benchmarks.hub.server import REVISION, Repository, serve
from tests.benchmarks.hub.weights import IMAGE_TOKEN, VOCABULARY, published_weights
from tests.modules.small import edit, shrink
from tests.workflow.repository import Repository as Copy

pytestmark = pytest.mark.slow

PETS = [f"pet {i}" for i in range(37)]
SOUNDS = [f"sound {i}" for i in range(50)]
GATED, WITHOUT_FILE, BROKEN = "timm/oxford-iiit-pet", "uoft-cs/cifar10", "ethz/food101"
PART = "data/test-00001-of-00002.parquet"
SAMPLES = ("--config", 'benchmarks={"samples": 12}')
WITHOUT_SAFETENSORS = "timm/resnet50x64_clip.openai"
LOCKS = "results/paper/benchmarks/locks"


def small_weights(root: Path) -> Catalog:
    """Make the architectures of a data folder small, their texts long enough for true prompts."""

    def change(content: dict[str, Any]) -> None:
        shrink(content)
        for architecture in content["architectures"].values():
            params = architecture["params"]
            if "vocabulary" in params:
                params |= {"vocabulary": VOCABULARY, "context": 60 if architecture["builder"] == "clip-text" else 256}
            if "image_token" in params:
                params["image_token"] = IMAGE_TOKEN
        content["architectures"]["alignment-512"]["params"]["joint_embedding"] = 16  # as wide as the towers' space
        content["architectures"]["linear-512-to-37"]["params"]["classes"] = len(PETS)

    edit(root, "architectures", change)
    return load_catalog(root)


def data_sets() -> dict[str, Repository]:
    """All ten, at the catalogue's commits; class names are the true ones where CLIP's authors name them."""
    names = {name: list(of.names) for name, of in ClassNamesFile.read(class_names_file(DATA)).benchmarks.items()}
    files = {
        "ethz/food101": small.labelled("validation", 24, names["food-101"]),
        "uoft-cs/cifar10": small.labelled("test", 20, names["cifar-10"], image="img")
        | small.card("plain_text", "test"),
        "uoft-cs/cifar100": small.labelled("test", 20, names["cifar-100"], image="img", label="fine_label")
        | small.card("cifar100", "test"),
        "clip-benchmark/wds_country211": small.webdataset("test", 12, names["country-211"]),
        "dpdl-benchmark/oxford_flowers102": small.labelled("test", 10, names["flowers-102"]),
        "lmms-lab/VQAv2": small.vqav2("validation", 9),
        "Multimodal-Fatima/VQAv2_train": small.vqav2("train", 30),
        "lmms-lab/textvqa": small.textvqa("validation", 5),
        "ashraq/esc50": small.esc50(250, SOUNDS),
        "lmms-lab/flickr30k": small.flickr30k(7),
        "timm/oxford-iiit-pet": small.labelled("test", 20, PETS) | small.labelled("train", 20, PETS),
    }
    commits = {}
    for source in load_benchmarks(DATA, load_catalog().benchmarks).values():
        for part in filter(None, (source.test, source.train)):
            commits[part.dataset] = part.revision or REVISION
    assert files.keys() == commits.keys()
    return {name: Repository(files[name], revision=commit) for name, commit in commits.items()}


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """A copy of the repository, and a hub that has everything."""
    copy = Copy(tmp_path_factory.mktemp("road"), config="config/paper.yaml")
    catalog = small_weights(copy.root / "data")
    scratch = tmp_path_factory.mktemp("weights")
    with serve(data_sets() | published_weights(catalog, scratch)) as hub, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(scratch / "hf-home"),
            "HF_HUB_OFFLINE": "0",  # here the hub is the test's own
            "HF_HUB_DOWNLOAD_TIMEOUT": "1",
            "HF_HUB_ETAG_TIMEOUT": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }.items():
            patch.setenv(name, value)
        yield copy, hub


def locked(copy: Copy) -> set[str]:
    return {path.stem for path in (copy.root / LOCKS).glob("*.json") if read_lock(path).entries}


def figures(copy: Copy, name: str) -> Any:
    return pd.read_csv(copy.root / "results" / "paper" / "figures" / f"{name}.csv")


def log(copy: Copy, name: str) -> str:
    return (copy.root / "results" / "paper" / "logs" / f"{name}.log").read_text()


def test_from_the_hub_to_the_table_whatever_goes_wrong(road):
    copy, hub = road
    every = set(load_catalog().benchmarks)
    repositories = hub.repositories

    # A gated data set, one with a file less, a transfer that breaks off and is taken up by the client.
    repositories[GATED].gated = True
    part = repositories[WITHOUT_FILE].files.pop(PART)
    repositories[BROKEN].breaks = {"data/validation-00000-of-00002.parquet": 1}
    answer = copy.make("benchmarks", "SAMPLES=12", timeout_s=600)
    assert answer.returncode != 0
    assert locked(copy) == every - {"oxford-iiit-pet", "cifar-10"}, answer.stderr
    assert "gated" in answer.stdout, "is told of before anything is fetched"
    assert f"{GATED} is gated: accept its terms at {hub.endpoint}/datasets/{GATED}" in log(
        copy, "benchmarks/oxford-iiit-pet"
    )
    assert f"{WITHOUT_FILE} is not used: its file {PART} is missing" in log(copy, "benchmarks/cifar-10")

    # All is well again, but the server dies in the middle.
    repositories[GATED].gated = False
    repositories[WITHOUT_FILE].files[PART] = part
    hub.dies_after = 60
    answer = copy.make("benchmarks", "SAMPLES=12", timeout_s=600)
    assert answer.returncode != 0
    assert hub.dies_after < 0
    missed = every - locked(copy)
    assert missed <= {"oxford-iiit-pet", "cifar-10"}, "what was fetched is kept"
    assert missed
    assert "cannot be reached" in "".join(log(copy, f"benchmarks/{name}") for name in missed)

    # It comes back: the rest is fetched, and nothing of what was there.
    hub.dies_after = None
    before = {name: hub.served_bytes[name] for name in hub.served_bytes}
    answer = copy.make("benchmarks", "SAMPLES=12", timeout_s=600)
    assert answer.returncode == 0, answer.stderr
    assert locked(copy) == every
    served = {name for name in hub.served_bytes if hub.served_bytes[name] != before.get(name)}
    assert {"/".join(name.split("/")[:2]) for name in served} <= {GATED, WITHOUT_FILE}

    # Weights without a safetensors file: that model's rows stay empty, all others are measured.
    weights = repositories[WITHOUT_SAFETENSORS].files.pop("open_clip_model.safetensors")
    answer = copy.make("accuracy", timeout_s=900)  # of as many samples as were fetched
    assert answer.returncode == 0, answer.stderr + log(copy, "accuracy")
    pairs = {(b, model.name) for model in load_catalog().models.values() for b in model.benchmarks}
    missing = {(b, m) for b, m in pairs if m == "clip-rn50x64"}
    record = AccuracyRecord.read(copy.root / "results" / "paper" / "canonical" / "accuracy.json")
    assert {(row.benchmark, row.model) for row in record.rows} == pairs - missing
    assert max(row.samples for row in record.rows) == 12
    assert f"{WITHOUT_SAFETENSORS}" in log(copy, "accuracy")
    table = figures(copy, "accuracy")
    assert set(table.loc[table["status"] == "not run", "model"]) == {"clip-rn50x64"}
    claim = figures(copy, "accuracy_claim").iloc[0]
    assert claim["verdict"] == "partly"
    assert f"{len(pairs - missing)} of the catalogue's {len(pairs)} pairs" in claim["note"]

    # They are there: judged anew, what was answered is taken up, and the claim is decided by its rule.
    repositories[WITHOUT_SAFETENSORS].files["open_clip_model.safetensors"] = weights
    kept = {path: path.stat().st_mtime_ns for path in (copy.root / "results/paper/accuracy").rglob("part-*.json")}
    answer = copy.run("accuracy", "--forcerun", "judge_models", "--cores", "2", *SAMPLES, timeout_s=900)
    assert answer.returncode == 0, answer.stderr + log(copy, "accuracy")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    the_table_is_whole(copy, pairs)


def the_table_is_whole(copy: Copy, pairs: set[tuple[str, str]]) -> None:
    """Every model on each of its benchmarks, whole, split, shared and beside what is published; and S3 by its rule."""
    table = figures(copy, "accuracy")
    hub = table[table["source"] == "hub"]
    assert {(row.benchmark, row.model) for row in hub.itertuples()} == pairs
    assert set(hub["status"]) == {"measured"}
    assert not hub[["whole", "split", "shared", "differ_split", "differ_shared"]].isna().any(axis=None)
    assert hub["beside_published"].str.contains("over one point").any(), "random weights are far from the published"
    by_model = figures(copy, "accuracy_by_model").set_index(["model", "accuracy"])
    for benchmark, model in pairs:
        (row,) = (r for r in hub.itertuples() if (r.benchmark, r.model) == (benchmark, model) and r.metric != "top-5")
        unit = 1 if row.metric == "cider" else 100
        for arrangement in ("whole", "split", "shared"):
            assert by_model.loc[(model, arrangement), benchmark] == pytest.approx(unit * getattr(row, arrangement))
    lower = [row for row in hub.itertuples() if min(row.split, row.shared) < row.ci_low]
    claim = figures(copy, "accuracy_claim").iloc[0]
    assert claim["verdict"] == ("not reproduced" if lower else "reproduced")
    assert not lower
    assert (copy.root / "results" / "paper" / "figures" / "accuracy.png").stat().st_size > 10_000
