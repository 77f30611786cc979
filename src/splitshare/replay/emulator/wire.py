"""What travels between workers, and its bounds (format ours).

A message is a header, a small JSON object, then bytes: four bytes with the header's length (big-endian), the header,
the rest. Tensors are safetensors bytes, cut into messages of ``CHUNK_BYTES`` after the header that announces them.
Nothing is unpickled, and nothing is allocated for more bytes than a bound allows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK_BYTES = 262_144
"""Bytes of a tensor in one message: small enough to pipeline, large enough to cost little."""
MESSAGE_BYTES = 4 * 2**20
"""Bytes of the largest message that is received."""
HEADER_BYTES = 16_384
"""Bytes of the largest header."""
TRANSFER_BYTES = 256 * 2**20
"""Bytes of the largest transfer."""

VERSION = 3
"""Of the format and of what the methods mean: raised by every change that an older worker would misread."""
SERVICE = "splitshare.Worker"
"""Name of the gRPC service."""
TENSOR = "x"
"""Name of the one tensor of a transfer."""

Header = dict[str, Any]


class WireError(ValueError):
    """A message breaks the format or a bound; the message says which."""


def pack(header: Header, body: bytes = b"") -> bytes:
    """A message."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > HEADER_BYTES:
        raise WireError(f"the header has {len(text)} bytes, at most {HEADER_BYTES} are sent")
    return len(text).to_bytes(4, "big") + text + body


def unpack(message: bytes) -> tuple[Header, bytes]:
    """Header and rest of a message.

    Raises:
        WireError: it is not one.
    """
    if len(message) < 4:
        raise WireError("shorter than the length of a header")
    length = int.from_bytes(message[:4], "big")
    if length > HEADER_BYTES or 4 + length > len(message):
        raise WireError(f"a header of {length} bytes is too long, or cut off")
    try:
        header = json.loads(message[4 : 4 + length])
    except (ValueError, RecursionError):
        raise WireError("the header is not JSON") from None
    if not isinstance(header, dict):
        raise WireError("the header is not a JSON object")
    return header, message[4 + length :]


def field(header: Header, name: str, kind: type | tuple[type, ...]) -> Any:
    """A field of a header that came over the network.

    Raises:
        WireError: it is missing or of another type.
    """
    value = header.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise WireError(f"the header's {name!r} is missing or of the wrong type")
    return value


def announced_bytes(header: Header) -> int:
    """How many bytes follow a header.

    Raises:
        WireError: none or more than ``TRANSFER_BYTES``.
    """
    size: int = field(header, "bytes", int)
    if not 0 <= size <= TRANSFER_BYTES:
        raise WireError(f"{size} bytes are announced, 0 to {TRANSFER_BYTES} are received")
    return size


def encode(tensor: NDArray[Any]) -> bytes:
    """A tensor as safetensors bytes."""
    data: bytes = save({TENSOR: np.asarray(tensor, order="C")})
    return data


def decode(data: bytes) -> NDArray[Any]:
    """The tensor of a transfer.

    Raises:
        WireError: these are not safetensors bytes of one tensor ``x``.
    """
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        raise WireError("the payload is not safetensors") from None
    if list(tensors) != [TENSOR]:
        raise WireError(f"the payload holds {sorted(tensors)}, not one tensor {TENSOR!r}")
    return tensors[TENSOR]
