"""The worker for real devices: a package of its own, light, and on older Pythons than the rest."""

import ast
import json
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from splitshare.code_digest import SOURCES
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.run import solve
from splitshare.replay.generators import poisson_trace
from splitshare.replay.traces import write_trace
from splitshare.version import __version__
from tests.replay.examples import example

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "packages" / "worker"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"grpcio": "grpc", "grpcio-health-checking": "grpc_health", "pyyaml": "yaml"}
LOADED = """
import json, sys
import splitshare.stages.worker
names = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(json.dumps([sorted(names), [m.__file__ for n, m in sys.modules.items() if n.startswith("splitshare")]]))
"""


def loaded() -> tuple[set[str], list[str]]:
    """Packages, and files of ours, that a worker imports before it is given anything."""
    said = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True)
    packages, files = json.loads(said.stdout)
    return set(packages), files


def test_a_worker_imports_what_its_package_asks_for_and_nothing_heavy():
    packages, _ = loaded()
    asked = {IMPORTED_AS.get(Requirement(text).name, Requirement(text).name) for text in PROJECT["dependencies"]}
    assert asked <= packages
    assert not packages & {"numba", "pandas", "pyarrow", "scipy", "highspy", "matplotlib", "torch", "transformers"}


def test_the_workers_files_are_of_an_older_grammar():
    _, files = loaded()
    assert len(files) > 20
    for file in files:
        ast.parse(Path(file).read_text(), feature_version=(3, 10))


def test_the_package_is_of_the_same_version():
    assert PROJECT["version"] == __version__
    assert SOURCES == ROOT / "src"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12"])
def test_workers_of_other_pythons_serve_this_driver(version: str, tmp_path: Path):
    python = shutil.which(f"python{version}")
    probe = None if python is None else subprocess.run([python, "-c", ""], check=False, capture_output=True)
    if python is None or probe is None or probe.returncode:
        pytest.skip(f"there is no Python {version} here")
    subprocess.run([python, "-m", "venv", tmp_path / "environment"], check=True)
    installed = tmp_path / "environment/bin"
    install = [installed / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
    subprocess.run([str(word) for word in install], check=True)
    instance = example()
    instance.write(tmp_path / "instance.json")
    solve(instance, S2M3Greedy()).write(tmp_path / "placement.json")
    write_trace(poisson_trace(instance, rate_per_s=2.0, requests=4, seed=0), tmp_path / "trace.csv")
    workers, addresses = [], {}
    try:
        for device in instance.devices:
            words = [installed / "splitshare", "worker", device.name, "--listen", "127.0.0.1:0"]
            words += ["--memory-bytes", str(device.memory_bytes)]
            worker = subprocess.Popen([str(word) for word in words], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            workers.append(worker)
            assert worker.stdout is not None
            (port,) = json.loads(worker.stdout.readline())["ports"]
            addresses[device.name] = f"127.0.0.1:{port}"
        listed = "".join(f"  {name}: {address}\n" for name, address in addresses.items())
        (tmp_path / "workers.yaml").write_text(f"schema: splitshare.running-workers/1\nworkers:\n{listed}")
        words = [
            Path(sys.executable).with_name("splitshare"),
            "emulate",
            "instance.json",
            "placement.json",
            "trace.csv",
        ]
        words += ["--workers", "workers.yaml", "--any-links", "-o", "requests.csv"]
        done = subprocess.run([str(w) for w in words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "4 issued: 4 ok" in done.stdout + done.stderr
    finally:
        for worker in workers:
            worker.terminate()
        deadline = time.monotonic() + 10
        for worker in workers:
            worker.wait(max(0.1, deadline - time.monotonic()))
