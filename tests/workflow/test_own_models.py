"""The walk of docs/your-own-models.md: from folders of checkpoints to placements and a replay with the real modules."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from splitshare.catalog.loader import load_catalog
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.lookup import look_up
from splitshare.places import DATA
from splitshare.profiling.records import ModuleProfile
from splitshare.stages import init
from tests.checkpoints.tiny import build, save
from tests.workflow.repository import SOURCE as ROOT

PAGE = (ROOT / "docs" / "your-own-models.md").read_text()
DATA_ROOT = (ROOT / DATA).resolve()


def block(language: str, first: str) -> str:
    found = re.search(rf"```{language}\n({re.escape(first)}.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def shell(directory: Path, script: str) -> str:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_walk_from_five_folders_to_a_placement(tmp_path: Path):
    clip, news, llava = build("clip"), build("clip", 1), build("llava", 2)
    news.vision_model.load_state_dict(clip.vision_model.state_dict())
    llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
    models = {"clip": clip, "clip-news": news, "llava": llava, "vit": build("vit"), "whisper": build("whisper")}
    for name, model in models.items():
        save(model, tmp_path / name)
    _, start, enter, shared, catalogue, run = block("bash", 'pip install "splitshare[').splitlines()
    shell(tmp_path, start)
    study = tmp_path / enter.removeprefix("cd ")
    (study / "testbeds" / "three-boxes.yaml").write_text(block("yaml", "schema: splitshare.testbed/1"))
    own = study / "own-models.yaml"
    own.write_text(own.read_text().replace("my-testbed", "three-boxes").replace("requests: 60", "requests: 8"))
    assert "have 14 different modules: sharing saves 173.1 kB" in shell(study, shared)
    assert (study / "shared.png").read_bytes().startswith(b"\x89PNG")
    said = shell(study, f"{catalogue} --text-tokens 16 --prompt-tokens 6 --new-tokens 4")
    assert said.count("equal bit for bit to the whole") == len(models)
    shell(study, run)

    placed = pd.read_csv(study / "results/own/placements.csv").set_index("method")
    assert placed.loc["optimum-highs", "status"] == "optimal"
    best_s = placed.loc["optimum-highs", "objective_s"]
    # Without sharing each model has copies of its own, another problem, whose best may lie below or above.
    assert placed.drop("no-sharing")["objective_s"].min() == best_s
    assert placed.loc[["s2m3-greedy", "local", "my_algorithm.py:MyAlgorithm"], "objective_s"].notna().all()
    for how in ("simulated", "emulated"):
        requests = pd.read_parquet(study / f"results/own/replay/all-models.three-boxes.{how}.parquet")
        assert (requests["status"] == "ok").all()
        assert set(requests["request"]) <= set(models)
        assert len(requests) == 8

    describe, profile, derive = block("bash", "splitshare describe --data models").splitlines()
    modules = load_catalog(study / "models").modules()
    few = "".join(f" --module {name}" for name in list(modules)[:2])
    shell(study, f"{describe}\n{profile} --budget-s 0.01{few}\n{derive}")
    measured = ModuleProfile.read(study / "profiles" / "mine.json")
    assert {row.module for row in measured.rows} == set(list(modules)[:2])
    derived = ModuleProfile.read(study / "jetson-nano.json")
    assert {row.module for row in derived.rows} == set(modules)


def asked(study: Path, monkeypatch: pytest.MonkeyPatch, device_type: str) -> None:
    """Look up a study's own models on a device of that type."""
    monkeypatch.chdir(study)
    testbed = yaml.safe_load(Path("testbeds/my-testbed.yaml").read_text())
    testbed["devices"][0]["device_type"] = device_type
    (study / "testbeds" / "theirs.yaml").write_text(yaml.safe_dump(testbed | {"name": "theirs"}))
    own = yaml.safe_load(Path("own-models.yaml").read_text())
    own["own_models"] |= {"data": str(DATA_ROOT), "testbeds": ["theirs"], "workloads": ["clip-rn50"]}
    config = Config.parse(yaml.safe_load(Path("config.yaml").read_text()) | own, "config.yaml")
    look_up(config, "config.yaml", DATA_ROOT)


@pytest.mark.parametrize("device_type", ["this-machine", "laptop-i7-12700h"])
def test_times_are_measured_or_derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device_type: str):
    init.run(init.Options(tmp_path / "study"))
    asked(tmp_path / "study", monkeypatch, device_type)


@pytest.mark.parametrize(
    ("device_type", "why"),
    [
        ("nvidia-h100-80gb-hbm3", "was measured with other models"),
        ("my-box", "has no file to derive times from"),
    ],
)
def test_a_device_whose_times_nobody_knows_is_told_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device_type: str, why: str
):
    init.run(init.Options(tmp_path / "study"))
    with pytest.raises(
        InputError, match=rf"own_models\.testbeds\[0\]: has 'laptop' of the type '{device_type}'.*{why}"
    ):
        asked(tmp_path / "study", monkeypatch, device_type)


def test_a_profile_that_was_measured_there_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    init.run(init.Options(tmp_path / "study"))
    (tmp_path / "study" / "profiles").mkdir()
    (tmp_path / "study" / "profiles" / "my-box.json").write_text("{}")
    asked(tmp_path / "study", monkeypatch, "my-box")


def test_a_catalogue_that_was_not_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    init.run(init.Options(tmp_path / "study"))
    monkeypatch.chdir(tmp_path / "study")
    own = yaml.safe_load(Path("own-models.yaml").read_text())
    config = Config.parse(yaml.safe_load(Path("config.yaml").read_text()) | own, "config.yaml")
    with pytest.raises(InputError, match=r"own_models\.data: models has no catalogue; write it: `splitshare catalogue"):
        look_up(config, "config.yaml", DATA_ROOT)


def test_a_workload_that_the_catalogue_lacks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    init.run(init.Options(tmp_path / "study"))
    monkeypatch.chdir(tmp_path / "study")
    own = yaml.safe_load(Path("own-models.yaml").read_text())
    own["own_models"]["data"] = str(DATA_ROOT)
    config = Config.parse(yaml.safe_load(Path("config.yaml").read_text()) | own, "config.yaml")
    with pytest.raises(InputError, match=r"own_models.workloads\[0\]: unknown workload 'all-models'"):
        look_up(config, "config.yaml", DATA_ROOT)


def test_a_method_that_is_not_solved_cannot_be_replayed(tmp_path: Path):
    init.run(init.Options(tmp_path / "study"))
    own = yaml.safe_load((tmp_path / "study" / "own-models.yaml").read_text())
    own["own_models"]["replay"]["method"] = "greedy"
    with pytest.raises(InputError, match=r"own_models\.replay\.method: 'greedy' is not solved in this run"):
        Config.parse(yaml.safe_load((tmp_path / "study" / "config.yaml").read_text()) | own, "config.yaml")
