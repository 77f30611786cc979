"""Tensors in safetensors files, by their headers: nothing is loaded, and no header is believed."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitshare.errors import InputError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".h5")
ITEM_BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
"""Bytes of a value by the format's name of its type."""
DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Torch's names of floating point types."""
_LONGEST_HEADER = 100_000_000
"""The format's own limit."""


@dataclass(frozen=True)
class TensorRef:
    """A tensor, and where its bytes lie."""

    name: str
    """In the file."""
    dtype: str
    """The format's name."""
    shape: tuple[int, ...]
    file: Path
    start: int
    """First byte in the file."""
    bytes: int

    @property
    def values(self) -> int:
        """How many there are."""
        return self.bytes // ITEM_BYTES[self.dtype]


def read_headers(folder: Path) -> dict[str, TensorRef]:
    """All tensors of a checkpoint's folder by name.

    Args:
        folder: with ``model.safetensors``, or an index and its files.

    Raises:
        InputError: there is no such file, or one is not what it says.
    """
    index, weights = folder / INDEX, folder / WEIGHTS
    if index.is_file():
        return _indexed(index)
    if weights.is_file():
        return read_header(weights)
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES) if folder.is_dir() else []
    told = f"only {', '.join(pickles[:3])}, which may run code and is never read" if pickles else "no weights"
    raise InputError(folder, "", f"has no {WEIGHTS} nor {INDEX}, {told}; save it with safetensors")


def read_header(path: Path) -> dict[str, TensorRef]:
    """The tensors of one file by name.

    Raises:
        InputError: its header is damaged, or does not fit its bytes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
            raise InputError(path, "header", f"says {length} bytes of {size}; the file is damaged, fetch it again")
        text = file.read(length)
    try:
        header: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(path, "header", "is no JSON; the file is damaged, fetch it again") from None
    if not isinstance(header, dict):
        raise InputError(path, "header", "is no table of tensors; the file is damaged, fetch it again")
    header.pop("__metadata__", None)
    found = {name: _tensor(path, name, entry, 8 + length, size) for name, entry in header.items()}
    reached = 8 + length
    for tensor in sorted(found.values(), key=lambda t: (t.start, t.bytes)):
        if tensor.start != reached:
            raise InputError(path, tensor.name, f"starts at byte {tensor.start}, not {reached}; the file is damaged")
        reached += tensor.bytes
    if reached != size:
        raise InputError(path, "header", f"speaks of {reached} bytes, the file has {size}; fetch it again")
    return found


def _tensor(path: Path, name: str, entry: object, data: int, size: int) -> TensorRef:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(start), int(end)]}:
            pass
        case _:
            raise InputError(path, name, "has no dtype, shape and data_offsets; the file is damaged")
    if dtype not in ITEM_BYTES:
        raise InputError(path, name, f"has the type {dtype!r}, which is not read; use one of {', '.join(ITEM_BYTES)}")
    if not all(isinstance(n, int) and n >= 0 for n in shape):
        raise InputError(path, name, f"has the shape {shape}; the file is damaged")
    values = 1
    for n in shape:
        values *= n
    if end - start != values * ITEM_BYTES[dtype] or start < 0 or data + end > size:
        told = f"lies at bytes {start} to {end}, which does not fit {dtype} of shape {shape} in a file of {size} bytes"
        raise InputError(path, name, f"{told}; fetch it again")
    return TensorRef(name, dtype, tuple(shape), path, data + start, end - start)


def _indexed(index: Path) -> dict[str, TensorRef]:
    """Tensors of several files, each where the index says."""
    try:
        named: Any = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        assert isinstance(named, dict)
        wanted = {str(tensor): str(file) for tensor, file in named.items()}
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError):
        raise InputError(index, "weight_map", "is no table of tensors and files; fetch it again") from None
    files: dict[str, dict[str, TensorRef]] = {}
    for name in dict.fromkeys(wanted.values()):
        path = index.parent / name
        if Path(name).name != name:
            raise InputError(index, "weight_map", f"names {name!r}, which is not beside it")
        if not path.is_file():
            raise InputError(index, "weight_map", f"names {name}, which is not there; fetch it")
        files[name] = read_header(path)
    for tensor, file in wanted.items():
        if tensor not in files[file]:
            raise InputError(index, f"weight_map.{tensor}", f"is not in {file}; fetch both again")
    return {tensor: files[file][tensor] for tensor, file in wanted.items()}
