"""Files that are not what they say: one line that names file, field and mend; nothing is loaded, and no code is run."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from splitshare.checkpoints.chain import check
from splitshare.checkpoints.cut import cut
from splitshare.checkpoints.families import load_families
from splitshare.checkpoints.source import load_checkpoint
from splitshare.checkpoints.tensors import read_header, read_headers
from splitshare.errors import InputError, SplitshareError
from splitshare.modules.hub_pins import Pins
from splitshare.places import DATA
from tests.checkpoints.tiny import build, save

FAMILIES = load_families(DATA)


@pytest.fixture
def folder(saved, tmp_path) -> Path:
    return Path(shutil.copytree(saved["vit"], tmp_path / "model"))


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def write(path: Path, header: object, data: bytes) -> None:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def changed(path: Path, **entry: object) -> str:
    """Change the first tensor's entry; its name."""
    header, data = header_of(path)
    name = next(key for key in header if key != "__metadata__")
    header[name] |= entry
    write(path, header, data)
    return str(name)


def test_headers_are_those_of_the_library(saved):
    found = read_headers(saved["llava"])
    library = load_file(saved["llava"] / "model.safetensors")
    assert {name: ref.shape for name, ref in found.items()} == {name: tuple(t.shape) for name, t in library.items()}
    for name, ref in found.items():
        content = ref.file.read_bytes()[ref.start : ref.start + ref.bytes]
        assert content == library[name].numpy().tobytes()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"data_offsets": [0, 10**12]}, "does not fit"),
        ({"data_offsets": [-8, 4]}, "does not fit"),
        ({"shape": [10**9, 10**9]}, "does not fit"),
        ({"shape": [-1]}, "has the shape"),
        ({"shape": "wide"}, "has no dtype, shape and data_offsets"),
        ({"dtype": "F4"}, "has the type 'F4', which is not read"),
        ({"dtype": 3}, "has no dtype, shape and data_offsets"),
    ],
)
def test_a_header_that_lies_is_one_line(folder, entry, told):
    name = changed(folder / "model.safetensors", **entry)
    with pytest.raises(InputError, match=told) as caught:
        load_checkpoint(str(folder))
    assert "model.safetensors" in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "says 0 bytes of 0"),
        (b"1234", "says 0 bytes of 4"),
        (struct.pack("<Q", 2**62) + b"{}", "says 4611686018427387904 bytes"),
        (struct.pack("<Q", 4) + b"nope", "is no JSON"),
        (struct.pack("<Q", 2) + b"[]", "is no table of tensors"),
        (struct.pack("<Q", 2) + b"{}more", "speaks of 10 bytes, the file has 14"),
    ],
)
def test_a_damaged_file_is_one_line(folder, content, told):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_checkpoint(str(folder))


def test_tensors_that_overlap_or_leave_a_gap_are_told(tmp_path):
    path = tmp_path / "model.safetensors"
    entry = {"dtype": "F32", "shape": [2]}
    write(path, {"a": entry | {"data_offsets": [0, 8]}, "b": entry | {"data_offsets": [4, 12]}}, bytes(12))
    with pytest.raises(InputError, match="b: starts at byte"):
        read_header(path)
    write(path, {"a": entry | {"data_offsets": [8, 16]}}, bytes(16))
    with pytest.raises(InputError, match="a: starts at byte"):
        read_header(path)


def test_a_broken_index_is_one_line(tmp_path):
    save(build("vit"), tmp_path / "model", max_shard_size="30KB")
    index = tmp_path / "model" / "model.safetensors.index.json"
    good = json.loads(index.read_text())
    name, file = next(iter(good["weight_map"].items()))
    for content, told in (
        ("{}", "is no table of tensors and files"),
        ("no", "is no table of tensors and files"),
        (json.dumps(good | {"weight_map": good["weight_map"] | {"ghost": file}}), "weight_map.ghost: is not in"),
        (json.dumps(good | {"weight_map": good["weight_map"] | {name: "gone.safetensors"}}), "names gone.safetensors"),
        (json.dumps(good | {"weight_map": good["weight_map"] | {name: "../up.safetensors"}}), "which is not beside it"),
    ):
        index.write_text(content)
        with pytest.raises(InputError, match=told):
            load_checkpoint(str(tmp_path / "model"))


def test_a_pickle_is_never_read(folder):
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"only pytorch_model\.bin, which may run code and is never read"):
        load_checkpoint(str(folder))


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("model_type", "nobodys", "model_type"),
        ("architectures", [], "architectures: names 0 classes"),
        ("architectures", ["A", "B"], "architectures: names 2 classes"),
        ("architectures", ["Mine"], "'Mine' is no class of transformers; code of a repository is not run"),
        ("architectures", ["AutoModel"], "is no class of transformers"),
        ("hidden_size", "wide", "config.json"),
        ("num_attention_heads", 5, "the two do not belong together"),
        ("hidden_size", 64, "the two do not belong together"),
        ("quantization_config", {"quant_method": "gptq"}, "quantised weights are not read"),
    ],
)
def test_a_configuration_that_is_wrong_is_one_line(folder, key, value, told):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(InputError, match=told) as caught:
        load_checkpoint(str(folder))
    assert "\n" not in str(caught.value)


def test_code_of_a_checkpoint_is_not_run(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    more = {"auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}, "model_type": "mine"}
    (folder / "config.json").write_text(json.dumps(config | more))
    with pytest.raises(InputError):
        load_checkpoint(str(folder))
    assert not (tmp_path / "ran").exists()


def test_missing_and_extra_tensors_are_told(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["classifier.weight"]
    save_file(weights | {"spare": torch.zeros(3)}, path, metadata={"format": "pt"})
    checkpoint = load_checkpoint(str(folder))
    assert checkpoint.missing == ["classifier.weight"]
    assert checkpoint.extra == ["spare"]


def test_a_tied_tensor_is_read_by_either_of_its_names(saved, tmp_path):
    """GPT-2's token embedding, saved as its output layer."""
    folder = Path(shutil.copytree(saved["gpt2"], tmp_path / "gpt2"))
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = weights.pop("transformer.wte.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    checkpoint = load_checkpoint(str(folder))
    assert not checkpoint.missing
    assert check(cut(checkpoint, FAMILIES), FAMILIES).agrees


@pytest.mark.parametrize("name", ["nowhere", "no/such/folder", "config.json", ""])
def test_what_is_no_model_is_one_line(name):
    with pytest.raises(InputError, match="no folder with a model"):
        load_checkpoint(name)


def test_a_folder_without_a_configuration_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"has no config\.json"):
        load_checkpoint(str(tmp_path))


def test_a_name_on_the_hub_that_cannot_be_reached_is_one_line(tmp_path):
    with pytest.raises(SplitshareError) as caught:
        load_checkpoint("owner/model", Pins(tmp_path / "hub.lock.json"))
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path_factory, saved, data):
    """Bytes changed anywhere in header and length: an answer, or one line."""
    content = bytearray((saved["vit"] / "model.safetensors").read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 8 + length - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "model.safetensors"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) - 3]))])
    try:
        found = read_header(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - a file is refused in one line, or read
    else:
        assert sum(ref.bytes for ref in found.values()) == path.stat().st_size - 8 - struct.unpack("<Q", content[:8])[0]
