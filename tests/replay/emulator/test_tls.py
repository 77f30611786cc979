"""Two workers and a driver over TLS with a shared token; wrong certificates and tokens are told of in one line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tests.commands.test_replay import placement
from tests.replay.examples import example, fields

if shutil.which("openssl") is None:
    pytest.skip("the openssl program makes the certificates", allow_module_level=True)

NEW_KEY = (
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, a certificate of the first for either worker, two tokens, and what is to be replayed."""
    where = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([*NEW_KEY, *arguments], cwd=where, check=True, capture_output=True)

    for authority in ("ca", "other"):
        run("-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")
    for device in "ab":
        extensions = ("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key")
        run("-subj", f"/CN={device}", *extensions, *signed, "-keyout", f"{device}.key", "-out", f"{device}.pem")
    for token in ("token", "stale"):
        (where / token).write_text(f"the-{token}-of-this-test-alone\n")
    instance = example(
        devices=[device for device in fields()["devices"] if device["name"] != "c"],
        links=[link for link in fields()["links"] if {link["a"], link["b"]} == {"a", "b"}],
        modules=[
            module | {"compute_s": {device: module["compute_s"][device] for device in "ab"}}
            for module in fields()["modules"]
        ],
    )
    instance.write(where / "instance.json")
    on_b = {"vision": ["b"], "text": ["b"], "head": ["b"]}
    placement(instance.sha256(), assignment=on_b).write(where / "placement.json")
    (where / "trace.csv").write_text("request_id,arrival_s,request\n0,0.0,pair\n1,0.2,single\n")
    return where


@contextmanager
def workers(directory: Path, *, trusts: str = "ca") -> Iterator[dict[str, str]]:
    """Two workers; ``a`` checks ``b`` against the authority ``trusts``. Yields their addresses."""
    with ExitStack() as stack:
        children = {}
        for device, authority in (("a", trusts), ("b", "ca")):
            command = [sys.executable, "-m", "splitshare.cli", "worker", device, "--listen", "127.0.0.1:0"]
            tls = ["--tls-certificate", f"{device}.pem", "--tls-key", f"{device}.key", "--tls-ca", f"{authority}.pem"]
            children[device] = child = subprocess.Popen(
                [*command, *tls, "--token-file", "token"], cwd=directory, stdout=subprocess.PIPE, text=True
            )
            stack.callback(child.wait)
            stack.callback(child.kill)
        ready = {device: json.loads(child.stdout.readline()) for device, child in children.items() if child.stdout}
        yield {device: f"127.0.0.1:{told['ports'][0]}" for device, told in ready.items()}


def emulate(
    directory: Path, addresses: dict[str, str], *, token: str | None = "token", ca: str | None = "ca"
) -> subprocess.CompletedProcess[str]:
    found = {"schema": "splitshare.running-workers/1", "workers": addresses}
    found |= {} if token is None else {"token_file": token}
    found |= {} if ca is None else {"tls_ca": f"{ca}.pem"}
    (directory / "workers.json").write_text(json.dumps(found))
    files = ["instance.json", "placement.json", "trace.csv", "--workers", "workers.json", "-o", "requests.csv"]
    return subprocess.run(
        [sys.executable, "-m", "splitshare.cli", "emulate", *files, "--any-links"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], complaint: str) -> None:
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert not done.stdout


def test_who_is_let_in(directory: Path) -> None:
    with workers(directory) as addresses:
        at_a = f"worker a at {addresses['a']}: Describe: "
        refused(emulate(directory, addresses, token="stale"), f"{at_a}unauthenticated: no token, or the wrong one")
        refused(emulate(directory, addresses, ca="other"), "CERTIFICATE_VERIFY_FAILED")
        refused(emulate(directory, addresses, ca=None), f"{at_a}unavailable")
        done = emulate(directory, addresses)  # and the workers still serve
        assert done.returncode == 0, done.stderr
        requests = pd.read_csv(directory / "requests.csv")
        assert requests["status"].tolist() == ["ok", "ok"]
        assert requests["latency_s"].min() > 0.2


def test_workers_check_each_other(directory: Path) -> None:
    with workers(directory, trusts="other") as addresses:
        refused(emulate(directory, addresses), "Probe: invalid argument: link a->b: ")
