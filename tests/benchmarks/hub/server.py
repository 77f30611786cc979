"""A small server that speaks as much of the hub's protocol as its client asks for, with faults on request.

It has data sets and models, by their ids; a model's pull requests have commits and files of their own.
"""

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
    requests: dict[str, tuple[str, dict[str, bytes]]] = field(default_factory=dict)
    """Pull requests, such as ``refs/pr/3``: commit and files."""
    licence: str = "mit"
    revision: str = REVISION
    """Commit of its main branch."""
    gated: bool = False
    delay_s: float = 0.0
    """Before every answer."""
    breaks: dict[str, int] = field(default_factory=dict)
    """File to how many requests of its bytes are cut off halfway; then it is well."""
    refused_after: dict[str, int] = field(default_factory=dict)
    """File to how many requests of its bytes are answered before the rest is refused with 410."""

    def at(self, revision: str) -> dict[str, bytes] | None:
        """Files of a branch, pull request or commit; ``None``: it has no such."""
        if revision in ("main", self.revision):
            return self.files
        for ref, (commit, files) in self.requests.items():
            if revision in (ref, commit):
                return files
        return None

    def commit(self, revision: str) -> str:
        """The commit of a branch, pull request or commit."""
        return next((c for ref, (c, _) in self.requests.items() if revision in (ref, c)), self.revision)


@dataclass
class Hub:
    """A running server."""

    endpoint: str
    repositories: dict[str, Repository]
    requests: Counter[str] = field(default_factory=Counter)
    served_bytes: Counter[str] = field(default_factory=Counter)
    dies_after: int | None = None
    """Requests that are answered before the server answers nothing more; until this is ``None`` again."""


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
        parts = [unquote(part) for part in url.path.strip("/").split("/")]  # a pull request's name has slashes
        path = "/" + "/".join(parts)
        self.hub.requests[f"{self.command} {path}"] += 1
        if self.hub.dies_after is not None:
            self.hub.dies_after -= 1
            if self.hub.dies_after < 0:
                self.close_connection = True
                self.connection.close()
                return
        api = parts[0] == "api" and parts[1] in ("datasets", "models")
        dataset = parts[0] == "datasets"
        name = "/".join(parts[2:4] if api else parts[1:3] if dataset else parts[:2])
        rest = parts[4:] if api else parts[3:] if dataset else parts[2:]
        repository = self.hub.repositories.get(name)
        if repository is not None:
            time.sleep(repository.delay_s)
        if repository is None:
            self._refuse(404, "RepoNotFound")
        elif repository.status is not None:
            code = {401: "RepoNotFound", 403: "GatedRepo", 404: "RepoNotFound"}.get(repository.status, "")
            self._refuse(repository.status, code)
        elif api:
            self._describe(name, repository, rest, body, parse_qs(url.query))
        elif rest[0] == "resolve" and repository.at(rest[1]) is not None:
            self._send_file(name, repository, rest[1], "/".join(rest[2:]))
        else:
            self._refuse(404, "RevisionNotFound")

    def _describe(
        self, name: str, repository: Repository, rest: list[str], body: bytes, query: dict[str, list[str]]
    ) -> None:
        revision = rest[1] if rest[1:2] else "main"
        files = repository.at(revision)
        if rest[:1] == ["refs"]:
            requests = [{"name": r, "ref": r, "targetCommit": c} for r, (c, _) in repository.requests.items()]
            main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.revision}
            self._send_json({"branches": [main], "converts": [], "tags": [], "pullRequests": requests})
        elif files is None:
            self._refuse(404, "RevisionNotFound")
        elif not rest or rest[0] == "revision":
            self._send_json(
                {
                    "id": name,
                    "sha": repository.commit(revision),
                    "cardData": {"license": repository.licence},
                    "gated": "auto" if repository.gated else False,
                    "private": False,
                    "disabled": False,
                    "tags": [],
                    "downloads": 0,
                    "likes": 0,
                    "lastModified": "2024-01-01T00:00:00.000Z",
                    "createdAt": "2024-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": file, "size": len(content)} for file, content in files.items()],
                }
            )
        elif rest[0] == "tree":
            below = "/".join(rest[2:])
            recursive = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            self._send_json(self._tree(files, below, recursive))
        elif rest[0] == "paths-info":
            wanted = parse_qs(body.decode()).get("paths") if b"=" in body[:6] else json.loads(body)["paths"]
            found = self._tree(files, "", recursive=True)
            self._send_json([entry for entry in found if entry["path"] in (wanted or [])])
        else:
            self._refuse(404, "EntryNotFound")

    def _tree(self, files: dict[str, bytes], below: str, recursive: bool) -> list[dict[str, Any]]:
        prefix = f"{below}/" if below else ""
        folders: set[str] = set()
        entries = []
        for file, content in files.items():
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

    def _send_file(self, name: str, repository: Repository, revision: str, file: str) -> None:
        files = repository.at(revision) or {}
        if file not in files:
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
        content = files[file]
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
        self.send_header("X-Repo-Commit", repository.commit(revision))
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
