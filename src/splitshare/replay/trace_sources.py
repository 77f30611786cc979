"""Where public traces lie, what they must be, and fetching one: whole and as promised, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from splitshare.catalog.paths import traces_file
from splitshare.errors import InputError, WorkError, one_line
from splitshare.files import atomic_path
from splitshare.progress import steps
from splitshare.records import Name, Record, nearest
from splitshare.replay.public_traces import FORMATS
from splitshare.replay.trace_files import SUFFIXES

if TYPE_CHECKING:
    from typing import Self

DIGEST = r"^[0-9a-f]{64}$"
MOST_BYTES = 1 << 36
"""Of a download whose size nobody stated: 64 GiB."""
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60.0
"""Without a byte."""


class TraceSource(Record):
    """A file that somebody published."""

    title: str
    url: str = Field(pattern=r"^https?://[!-~]+$")
    licence: str
    format: str
    """A name of ``splitshare.replay.public_traces.FORMATS``."""
    size_bytes: int | None = Field(default=None, ge=1, le=MOST_BYTES)
    digest: str | None = Field(default=None, pattern=DIGEST)
    """SHA-256; ``None``: nobody has stated one."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        names = [known.name for known in FORMATS]
        if self.format not in names:
            raise ValueError(f"format: {nearest(self.format, names)}")
        if not self.url.endswith(SUFFIXES):
            raise ValueError(f"url: must end in one of {', '.join(SUFFIXES)}")
        return self


class TracesFile(Record):
    """``data/catalogue/traces.yaml``."""

    schema_: Literal["splitshare.traces/1"] = Field(alias="schema")
    traces: dict[Name, TraceSource]


@dataclass(frozen=True)
class Fetched:
    """What was fetched."""

    path: Path
    size_bytes: int
    digest: str
    checked: bool
    """Whether a digest was known beforehand."""


def read_trace_source(root: Path, name: str) -> TraceSource:
    """The source of that name in ``root``'s catalogue.

    Raises:
        InputError: the catalogue is wrong, or has no such trace.
    """
    path = traces_file(root)
    known = TracesFile.read(path).traces
    if name not in known:
        raise InputError(path, f"traces.{name}", f"is not there; {nearest(name, list(known))}")
    return known[name]


def fetch(source: TraceSource, output: Path, digest: str | None = None) -> Fetched:
    """Fetch a trace to a file, which is there only if all of it came and is what was promised.

    Args:
        source: where it lies.
        output: where it goes; its suffixes must be the source's.
        digest: SHA-256 that it must have, where the source states none.

    Raises:
        InputError: the output is named as another kind of file, or another digest is asked for than the source's.
        WorkError: it cannot be fetched, or has another size or digest.
    """
    suffix = next(known for known in sorted(SUFFIXES, key=len, reverse=True) if source.url.endswith(known))
    if not output.name.endswith(suffix):
        raise InputError(output, "", f"must end in {suffix}, as what is fetched does")
    if digest is not None and source.digest is not None and digest != source.digest:
        raise InputError("--digest", digest, f"the catalogue has {source.digest}; leave the option out")
    wanted = source.digest or digest
    found, size = hashlib.sha256(), 0
    request = urllib.request.Request(source.url, headers={"User-Agent": "splitshare"})  # noqa: S310 - the pattern has http only
    try:
        with (
            atomic_path(output) as temporary,
            urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer,  # noqa: S310
            temporary.open("wb") as file,
        ):
            length = source.size_bytes or int(answer.headers.get("Content-Length") or 0)
            with steps("fetching", max(length, 1)) as start:
                advance = start(output.name, max(length, 1), max(length, 1))
                while chunk := answer.read(CHUNK_BYTES):
                    size += len(chunk)
                    if size > (source.size_bytes or MOST_BYTES):
                        raise WorkError(f"{source.url}: has more than {source.size_bytes or MOST_BYTES} bytes")
                    found.update(chunk)
                    file.write(chunk)
                    advance(len(chunk))
            if source.size_bytes is not None and size != source.size_bytes:
                raise WorkError(f"{source.url}: has {size} bytes where the catalogue says {source.size_bytes}")
            if wanted is not None and found.hexdigest() != wanted:
                raise WorkError(f"{source.url}: has the SHA-256 {found.hexdigest()} where {wanted} was expected")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        why = one_line(str(getattr(error, "reason", None) or error) or type(error).__name__)
        raise WorkError(f"{source.url}: cannot be fetched ({why}); nothing was written") from None
    return Fetched(output, size, found.hexdigest(), wanted is not None)
