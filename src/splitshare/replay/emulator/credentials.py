"""Who may talk to whom: TLS and a shared token, both required as soon as a worker listens beyond this machine."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from splitshare.errors import InputError, shown
from splitshare.replay.emulator.wire import CHUNK_BYTES, MESSAGE_BYTES

TOKEN_KEY = "authorization"  # noqa: S105 - where the token stands, not the token
MOST_PORT = 65_535
ADDRESS_PATTERN = (
    r"^(unix:.*|[^\n]+:0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))$"
)
"""Addresses that can be called, ``host:port`` or ``unix:path``."""
MIN_TOKEN_CHARACTERS = 16
"""A shorter token is refused: it could be guessed."""

OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_metadata_size", 16_384),
    ("grpc.http2.lookahead_bytes", 32 * CHUNK_BYTES),  # a long fast link must not wait for window updates,
    ("grpc.http2.bdp_probe", 0),  # nor for an estimate of how long it is
    ("grpc.use_local_subchannel_pool", 1),  # two links to one worker are two connections
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.so_reuseport", 0),
)
"""gRPC settings of both ends."""


@dataclass(frozen=True)
class Credentials:
    """What a client shows, and whom it trusts."""

    token: str | None = None
    ca: bytes | None = None
    """PEM of the authority that signed the other end's certificate; ``None``: no TLS."""

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The token as call metadata."""
        return ((TOKEN_KEY, f"Bearer {self.token}"),) if self.token else ()


@dataclass(frozen=True)
class ServerSecurity:
    """What a server proves and asks for."""

    token: str | None = None
    certificate: bytes | None = None
    key: bytes | None = None

    def admits(self, metadata: Sequence[tuple[str, str | bytes]] | None) -> bool:
        """Whether a call shows the token; compared in constant time."""
        if self.token is None:
            return True
        shown = next((value for key, value in metadata or () if key == TOKEN_KEY), "")
        text = shown if isinstance(shown, bytes) else shown.encode()
        return hmac.compare_digest(text, f"Bearer {self.token}".encode())


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: there is none, or it is too short.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(path, "", f"cannot be read as a token: {error.strerror}") from None
    except ValueError:  # the message of a UnicodeDecodeError would quote the secret
        raise InputError(path, "", "cannot be read as a token: it is not ASCII text") from None
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isprintable() or " " in token:
        raise InputError(path, "", f"a token has {MIN_TOKEN_CHARACTERS} printable characters or more, without spaces")
    return token


def read_pem(path: Path) -> bytes:
    """A certificate or key in PEM.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(path, "", f"cannot be read: {error.strerror}") from None
    if not data.lstrip().startswith(b"-----BEGIN "):
        raise InputError(path, "", "is not PEM; give a file that begins with -----BEGIN")
    return data


def is_local(address: str) -> bool:
    """Whether only this machine can reach ``address`` (``host:port`` or ``unix:path``)."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(address: str, *, least_port: int = 1) -> None:
    """See that ``address`` is ``host:port`` or ``unix:path``, and the port one that there is.

    Raises:
        ValueError: says what is wrong.
    """
    if address.startswith("unix:"):
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon):
        raise ValueError(f"{shown(address)} is neither host:port nor unix:path")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and least_port <= int(port) <= MOST_PORT):
        raise ValueError(f"no such port: {shown(port)}; ports are {least_port} to {MOST_PORT}")


def check_listening(addresses: Sequence[str], security: ServerSecurity) -> None:
    """Refuse to be reached from other machines without TLS and a token.

    Raises:
        InputError: names the address and what is missing, or a port that there is not.
    """
    if (security.certificate is None) != (security.key is None):
        raise InputError("--tls-certificate", "", "a certificate and its key belong together; give both")
    for address in addresses:
        try:
            check_address(address, least_port=0)
        except ValueError as error:
            raise InputError("--listen", address, str(error)) from None
        if not is_local(address) and (security.certificate is None or security.token is None):
            raise InputError(
                "--listen",
                address,
                "other machines can reach it: give --tls-certificate, --tls-key and --token-file",
            )


def open_channel(address: str, credentials: Credentials) -> grpc.aio.Channel:
    """A channel of its own to ``address``."""
    if credentials.ca is None:
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(credentials.ca), options=OPTIONS)
