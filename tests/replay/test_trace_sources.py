"""Fetching public traces, from a server of this test's own: what is whole and as promised is kept, nothing else."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from splitshare.cli import app
from splitshare.errors import WorkError
from splitshare.places import DATA
from splitshare.replay.public_traces import read_public_trace
from splitshare.replay.trace_sources import TracesFile, TraceSource, fetch

ROWS = b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.1,3180,8\n"
PACKED = gzip.compress(ROWS, mtime=0)


class Server(BaseHTTPRequestHandler):
    """Serves rows plain and packed, half of them, and an error."""

    def do_GET(self) -> None:
        """Answer by the path."""
        if self.path == "/missing.csv":
            self.send_error(404)
            return
        body = PACKED if self.path.endswith(".gz") else ROWS
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/half.csv" else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def source(url: str, data: bytes = ROWS, *, size: int | None = None, digest: str | None = None) -> TraceSource:
    wanted = hashlib.sha256(data).hexdigest() if digest is None else digest
    return TraceSource(title="t", url=url, licence="l", format="azure-llm", size_bytes=size or len(data), digest=wanted)


def test_what_was_promised_is_fetched_and_read(address: str, tmp_path: Path) -> None:
    fetched = fetch(source(f"{address}/a.csv"), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == ROWS
    assert (fetched.size_bytes, fetched.digest, fetched.checked) == (len(ROWS), hashlib.sha256(ROWS).hexdigest(), True)
    fetch(source(f"{address}/a.csv.gz", PACKED), tmp_path / "b.csv.gz")
    assert read_public_trace(tmp_path / "b.csv.gz").arrival_s == pytest.approx([0.0, 0.12004])


@pytest.mark.parametrize(
    ("path", "more", "problem"),
    [
        ("/a.csv", {"digest": "0" * 64}, "has the SHA-256"),
        ("/a.csv", {"size": 5}, "has more than 5 bytes"),
        ("/a.csv", {"size": 9999}, "bytes where the catalogue says 9999"),
        ("/half.csv", {}, f"has {len(ROWS) // 2} bytes where the catalogue says"),
        ("/missing.csv", {}, "cannot be fetched (Not Found)"),
    ],
)
def test_anything_else_leaves_what_was_there(
    path: str, more: dict[str, int | str], problem: str, address: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(WorkError) as caught:
        fetch(source(address + path, **more), tmp_path / "a.csv")  # type: ignore[arg-type]  # one of two options
    assert problem in str(caught.value)
    assert (tmp_path / "a.csv").read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="cannot be fetched"):
        fetch(source("http://127.0.0.1:9/a.csv"), tmp_path / "a.csv")


def test_the_command_says_what_vouches_for_a_file(address: str, tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    entry = f"{{title: T, url: '{address}/a.csv', licence: L, format: azure-llm}}"
    (tmp_path / "catalogue" / "traces.yaml").write_text(f"schema: splitshare.traces/1\ntraces: {{mine: {entry}}}\n")
    asked = ["fetch-trace", "mine", "--data", str(tmp_path), "-o", str(tmp_path / "a.csv")]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, str(done.exception) + done.output
    digest = hashlib.sha256(ROWS).hexdigest()
    assert digest in done.output
    assert "nobody has stated its digest" in done.output
    held = CliRunner().invoke(app, [*asked, "--digest", digest])
    assert "nobody has stated" not in held.output
    for more, problem in ((["--digest", "0" * 64], "was expected"), (["--digest", "ab"], "must be 64 hex digits")):
        wrong = CliRunner().invoke(app, [*asked, *more])
        assert problem in str(wrong.exception)
    wrong = CliRunner().invoke(app, [*asked[:-1], str(tmp_path / "a.parquet")])
    assert "must end in .csv" in str(wrong.exception)
    elsewhere = CliRunner().invoke(app, [*asked[:3], str(tmp_path / "nosuch"), *asked[4:]])
    assert "nosuch/catalogue/traces.yaml: no such file" in str(elsewhere.exception)
    wrong = CliRunner().invoke(app, ["fetch-trace", "azure", "-o", str(tmp_path / "b.csv")])
    assert "traces.azure: is not there" in str(wrong.exception)


def test_addresses_are_of_commits_where_there_are_any() -> None:
    """A file that stands at a commit cannot change; the only address without one has no digest that could break."""
    loose = []
    for name, entry in TracesFile.read(DATA / "catalogue" / "traces.yaml").traces.items():
        if not any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in entry.url.split("/")):
            loose.append(name)
    assert loose == ["azure-llm-2024-code"]
    listed = CliRunner().invoke(app, ["list", "traces"]).output.splitlines()
    assert [line.split()[0] for line in listed] == list(TracesFile.read(DATA / "catalogue" / "traces.yaml").traces)
