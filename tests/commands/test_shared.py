"""`splitshare split` and `splitshare shared` as a person runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from splitshare.catalog.hub import PinsFile
from splitshare.errors import InputError, WorkError
from splitshare.stages import shared, split
from tests.benchmarks.hub.server import REVISION, Repository, serve
from tests.checkpoints.tiny import build, save


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    clip, llava = build("clip"), build("llava", 1)
    llava.model.vision_tower.load_state_dict(clip.vision_model.state_dict())
    return {
        "clip": save(clip, root / "clip"),
        "llava": save(llava, root / "llava"),
        "vilt": save(build("vilt"), root / "vilt"),
    }


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "splitshare.cli", *arguments],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_tree_of_each_model_checked(models, tmp_path):
    result = run(tmp_path, "split", str(models["clip"]), str(models["llava"]), "--check", "--table", "modules.csv")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "clip (CLIPModel), by the family clip\n|-- vision" in result.stdout
    assert result.stdout.count("equal bit for bit to the whole") == 2
    assert "vision sends hidden_states[1], 1.3 kB a request" in result.stdout
    table = pd.read_csv(tmp_path / "modules.csv")
    assert list(table.loc[table["model"] == "llava", "module"]) == ["vision", "projector", "decoder"]
    assert (table["bytes"] == 4 * table["parameters"]).all()


def test_what_is_shared_is_told_with_the_bytes_that_it_saves(models, tmp_path):
    result = run(tmp_path, "shared", str(models["clip"]), str(models["llava"]), "--table", "shared.csv")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    (first, *_, last) = result.stdout.splitlines()
    assert "vision" in first
    assert "of clip, llava" in first
    assert last.startswith("2 models of")
    table = pd.read_csv(tmp_path / "shared.csv")
    assert table["saved_bytes"].gt(0).sum() == 1
    assert (tmp_path / "results" / "digests").is_dir()


def test_a_name_on_the_hub_is_pinned_at_its_first_use(models, tmp_path):
    files = {path.name: path.read_bytes() for path in models["clip"].iterdir()}
    files |= {"modeling.py": b"raise SystemExit('I ran')", "pytorch_model.bin": b"a pickle"}
    repository = Repository(files)
    with serve({"owner/clip": repository}) as hub:
        there = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf-home"), "HF_HUB_OFFLINE": "0"}
        result = run(tmp_path, "split", "owner/clip", "--check", **there)
        assert result.returncode == 0, result.stderr
        assert f"owner/clip at {REVISION} (CLIPModel)" in result.stdout
        assert "equal bit for bit" in result.stdout
        fetched = {name.rsplit("/", 1)[-1] for name in hub.served_bytes}
        assert fetched == {"config.json", "model.safetensors"}
        (pin,) = PinsFile.read(tmp_path / "hub.lock.json").pins
        assert (pin.repository, pin.revision, list(pin.files)) == ("owner/clip", REVISION, ["model.safetensors"])
        # Upstream moves on: the commit of the first use counts, and nothing is fetched again.
        repository.requests["refs/pr/1"] = (REVISION, repository.files)
        repository.revision, repository.files = "f" * 40, {}
        served = sum(hub.served_bytes.values())
        result = run(tmp_path, "split", "owner/clip", **there)
        assert result.returncode == 0, result.stderr
        assert sum(hub.served_bytes.values()) == served
        result = run(tmp_path, "split", "owner/nobody", **there)
        assert (result.returncode, result.stderr.count("\n")) == (1, 1)


def test_one_that_cannot_be_split_counts_as_one_module(models, tmp_path, capsys):
    found = shared.run(shared.Options([str(models["vilt"]), str(models["clip"])], cache=tmp_path))
    sizes = {each.module.model: each.module.bytes for each in found.shared if each.module.name == "model"}
    assert sizes == {"vilt": sum(p.nbytes for p in build("vilt").parameters())}
    shared.show(found)
    assert "vilt cannot be split" in capsys.readouterr().out


def test_one_that_cannot_be_split_is_one_line_and_the_others_are_cut(models):
    seen: list[str] = []
    with pytest.raises(WorkError, match="vilt cannot be split: pictures and words enter one transformer together"):
        seen.extend(split.run(split.Options([str(models["vilt"]), str(models["clip"])])))
    assert len(seen) == 1
    assert seen[0].startswith("clip (CLIPModel)")


def test_a_graph_of_no_format_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match=r"has the suffix '\.doc'; use one of \.png, \.pdf, \.svg"):
        shared.run(shared.Options(["nowhere"], graph=tmp_path / "graph.doc"))


def test_two_models_of_one_name_are_told_apart_by_nobody(models, tmp_path):
    with pytest.raises(InputError, match="another model is called clip too; rename its folder"):
        shared.run(shared.Options([str(models["clip"])] * 2, cache=tmp_path))


@pytest.mark.slow
def test_digesting_takes_the_memory_of_a_block_not_of_a_model(tmp_path):
    """A model of 0.8 GB, in under 500 MB, of which most are libraries."""
    torch.manual_seed(0)
    shape = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 11, "num_attention_heads": 8}
    save(LlamaForCausalLM(LlamaConfig(**shape, vocab_size=8000)), tmp_path / "large")
    size = sum(path.stat().st_size for path in (tmp_path / "large").glob("*.safetensors"))
    assert size > 0.75e9
    measure = (
        "import resource, subprocess, sys;"
        "subprocess.run([sys.executable, '-m', 'splitshare.cli', 'shared', 'large'], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", measure], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) * 1024 < 500e6
