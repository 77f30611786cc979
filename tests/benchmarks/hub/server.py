"""A small server that speaks as much of the hub's protocol as its client asks for, with faults on request."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """A data set's files at its one revision, and what goes wrong with it."""

    files: dict[str, bytes]
    status: int | None = None
    """Every request of its metadata is answered with this status."""
    gated: bool = False
    delay_s: float = 0.0
    """Before every answer."""
    breaks: dict[str, int] = field(default_factory=dict)
    """File to how many requests of its bytes are cut off halfway; then it is well."""
    refused_after: dict[str, int] = field(default_factory=dict)
    """File to how many requests of its bytes are answered before the rest is refused with 410."""


@dataclass
class Hub:
    """A running server."""

    endpoint: str
    repositories: dict[str, Repository]
    requests: Counter[str] = field(default_factory=Counter)
    served_bytes: Counter[str] = field(default_factory=Counter)


@contextmanager
def serve(repositories: dict[str, Repository]) -> Iterator[Hub]:
    """Serve data sets by id on a free local port until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    hub = server.hub = Hub(f"http://127.0.0.1:{server.server_port}", repositories)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub

    def handle_error(self, request, client_address):
        """A client that closes a connection is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *arguments):
        pass

    @property
    def hub(self) -> Hub:
        assert isinstance(self.server, _Server)
        return self.server.hub

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self._answer(self.rfile.read(length))

    def _answer(self, body: bytes = b"") -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.hub.requests[f"{self.command} {path}"] += 1
        parts = path.strip("/").split("/")
        api = parts[:2] == ["api", "datasets"]
        name = "/".join(parts[2:4] if api else parts[1:3])
        rest = parts[4:] if api else parts[3:]
        repository = self.hub.repositories.get(name)
        if repository is not None:
            time.sleep(repository.delay_s)
        if not api and parts[0] != "datasets":
            self._refuse(404, "EntryNotFound")
        elif repository is None:
            self._refuse(404, "RepoNotFound")
        elif repository.status is not None:
            code = {401: "RepoNotFound", 403: "GatedRepo", 404: "RepoNotFound"}.get(repository.status, "")
            self._refuse(repository.status, code)
        elif api:
            self._describe(name, repository, rest, body, parse_qs(url.query))
        elif rest[0] == "resolve" and rest[1] in ("main", REVISION):
            self._send_file(name, repository, "/".join(rest[2:]))
        else:
            self._refuse(404, "RevisionNotFound")

    def _describe(
        self, name: str, repository: Repository, rest: list[str], body: bytes, query: dict[str, list[str]]
    ) -> None:
        if rest and rest[1:2] and rest[1] not in ("main", REVISION):
            self._refuse(404, "RevisionNotFound")
        elif not rest or rest[0] == "revision":
            self._send_json(
                {
                    "id": name,
                    "sha": REVISION,
                    "gated": "auto" if repository.gated else False,
                    "private": False,
                    "disabled": False,
                    "tags": [],
                    "downloads": 0,
                    "likes": 0,
                    "lastModified": "2024-01-01T00:00:00.000Z",
                    "createdAt": "2024-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": file} for file in repository.files],
                }
            )
        elif rest[0] == "tree":
            below = "/".join(rest[2:])
            recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            self._send_json(self._tree(repository, below, recursive))
        elif rest[0] == "paths-info":
            wanted = parse_qs(body.decode()).get("paths") if b"=" in body[:6] else json.loads(body)["paths"]
            found = self._tree(repository, "", recursive=True)
            self._send_json([entry for entry in found if entry["path"] in (wanted or [])])
        else:
            self._refuse(404, "EntryNotFound")

    def _tree(self, repository: Repository, below: str, recursive: bool) -> list[dict[str, Any]]:
        prefix = f"{below}/" if below else ""
        folders: set[str] = set()
        entries = []
        for file, content in repository.files.items():
            if not file.startswith(prefix):
                continue
            inside = file.removeprefix(prefix).split("/")
            folders |= {
                prefix + "/".join(inside[:i]) for i in range(1, len(inside) if recursive else min(2, len(inside)))
            }
            if recursive or len(inside) == 1:
                entries.append(
                    {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                )
        return [{"type": "directory", "path": f, "size": 0, "oid": "0" * 40} for f in sorted(folders)] + entries

    def _send_file(self, name: str, repository: Repository, file: str) -> None:
        if file not in repository.files:
            self._refuse(404, "EntryNotFound")
            return
        if repository.gated:
            self._refuse(403, "GatedRepo")
            return
        if file in repository.refused_after and self.command == "GET":
            repository.refused_after[file] -= 1
            if repository.refused_after[file] < 0:
                self._refuse(410, "")
                return
        content = repository.files[file]
        start, end = 0, len(content) - 1
        wanted = self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            if first:
                start, end = int(first), min(int(last or end), end)
            else:
                start = max(0, len(content) - int(last))
        chunk = content[start : end + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(chunk)))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if repository.breaks.get(file, 0) > 0:
            repository.breaks[file] -= 1
            self.wfile.write(chunk[: len(chunk) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(chunk)
        self.hub.served_bytes[f"{name}/{file}"] += len(chunk)

    def _send_json(self, value) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Repo-Commit", REVISION)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        content = json.dumps({"error": code}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/json")
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
