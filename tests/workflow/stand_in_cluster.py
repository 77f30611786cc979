"""What Snakemake asks of a Kubernetes API, answered by a process here: the container of a job is run as a process.

Not a cluster: there is no scheduler, no image, no volume and no check of what is asked. A container's folder is a
temporary one, its environment only what the image and its job say; so a job sees nothing but what the plugin brings
along and what the storage holds.
"""

import base64
import json
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class StandIn:
    """Jobs, as they were asked for and as they ended.

    Args:
        folder: below it each container has its folder.
        environment: what the image would have: where programs are.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._image = folder, environment
        self.secrets: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, Any] = {}
        """Everything that was asked for, by name; it stays when it is deleted."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and answer."""
        kind, name = re.fullmatch(r".*/namespaces/[^/]+/([a-z]+)(?:/([^/]+))?(?:/[a-z]+)?", path).groups()  # type: ignore[union-attr]
        if kind == "secrets" and method == "POST":
            self.secrets[body["metadata"]["name"]] = body.get("data") or {}
        elif kind == "jobs" and method == "POST":
            self._start(body)
        elif kind == "jobs" and method == "GET":
            return 200, self._told(name)
        elif kind == "jobs" and method == "DELETE":
            self._running[name].kill()
        elif kind == "pods" and method == "GET":
            return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}
        return 200, body if method == "POST" else {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def log(self, name: str) -> str:
        """What a job said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def _start(self, job: Any) -> None:
        name, (container,) = job["metadata"]["name"], job["spec"]["template"]["spec"]["containers"]
        self.jobs[name] = job
        environment = dict(self._image)
        for variable in container.get("env") or ():
            of = variable["valueFrom"]["secretKeyRef"]
            environment[variable["name"]] = base64.b64decode(self.secrets[of["name"]][of["key"]]).decode()
        workdir = Path(tempfile.mkdtemp(dir=self._folder))
        with (self._folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [*container["command"], *container["args"]], cwd=workdir, env=environment, stdout=log, stderr=log
            )

    def _told(self, name: str) -> Any:
        code = self._running[name].poll()
        status = {} if code is None else {"succeeded": 1} if code == 0 else {"failed": 1}
        return self.jobs[name] | {"kind": "Job", "apiVersion": "batch/v1", "status": status}


@contextmanager
def stand_in_cluster(folder: Path, environment: dict[str, str]) -> Iterator[tuple[StandIn, Path]]:
    """The stand-in and a file for `KUBECONFIG` that leads to it."""
    cluster = StandIn(folder, environment)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = cluster.answer(self.command, self.path.partition("?")[0], body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
        "clusters": [{"name": "here", "cluster": {"server": address}}],
        "users": [{"name": "here", "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    try:
        yield cluster, path
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        cluster.close()
