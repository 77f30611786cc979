"""Messages and tensors: what was packed comes back, everything else is refused."""

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from splitshare.replay.emulator.wire import (
    HEADER_BYTES,
    TRANSFER_BYTES,
    WireError,
    announced_bytes,
    decode,
    encode,
    field,
    pack,
    unpack,
)

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.text(max_size=5), VALUES | st.lists(VALUES, max_size=3), max_size=5), st.binary(max_size=50))
def test_a_message_comes_back(header, body):
    assert unpack(pack(header, body)) == (header, body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data):
    """Whatever is accepted is what the plain JSON parser reads at that place."""
    try:
        header, rest = unpack(data)
    except WireError:
        return
    length = int.from_bytes(data[:4], "big")
    assert json.loads(data[4 : 4 + length]) == header
    assert rest == data[4 + length :]


def test_headers_have_a_bound():
    fits = "x" * (HEADER_BYTES - len('{"a":""}'))
    assert unpack(pack({"a": fits})) == ({"a": fits}, b"")
    with pytest.raises(WireError, match="at most 16384 are sent"):
        pack({"a": fits + "x"})
    text = json.dumps({"a": fits + "x"}, separators=(",", ":")).encode()
    with pytest.raises(WireError, match="too long, or cut off"):
        unpack(len(text).to_bytes(4, "big") + text)
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"a": math.nan})


@pytest.mark.parametrize(
    ("value", "kind", "right"),
    [
        (3, int, True),
        (3.5, (int, float), True),
        ("x", str, True),
        (True, bool, True),
        (True, int, False),
        (False, (int, float), False),
        (3.0, int, False),
        ("3", int, False),
        (None, str, False),
    ],
)
def test_a_field_is_of_its_type(value, kind, right):
    if right:
        assert field({"a": value}, "a", kind) == value
    else:
        with pytest.raises(WireError, match="'a' is missing or of the wrong type"):
            field({"a": value}, "a", kind)
    with pytest.raises(WireError, match="'b' is missing"):
        field({"a": value}, "b", kind)


@pytest.mark.parametrize("size", [-1, TRANSFER_BYTES + 1, 2**70])
def test_transfers_have_a_bound(size):
    assert announced_bytes({"bytes": 0}) == 0
    assert announced_bytes({"bytes": TRANSFER_BYTES}) == TRANSFER_BYTES
    with pytest.raises(WireError, match=f"{size} bytes are announced"):
        announced_bytes({"bytes": size})


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_a_tensor_comes_back(dtype, shape):
    tensor = (np.arange(math.prod(shape)).reshape(shape) % 2).astype(dtype)
    for given_as in (tensor, np.array(tensor, order="F"), np.stack([tensor, tensor], -1)[..., 0]):
        back = decode(encode(given_as))
        assert back.dtype == tensor.dtype
        assert back.shape == tensor.shape
        assert (back == tensor).all()


def test_only_safetensors_of_one_tensor_are_read():
    one = np.zeros(3, dtype=np.float32)
    for data in (b"", b"x", b"\xff" * 64, pickle.dumps(one), encode(one)[:-1], encode(one) + b"x"):
        with pytest.raises(WireError, match="the payload is not safetensors"):
            decode(data)
    for tensors in ({"y": one}, {"x": one, "y": one}, {}):
        with pytest.raises(WireError, match="not one tensor 'x'"):
            decode(save(tensors))
