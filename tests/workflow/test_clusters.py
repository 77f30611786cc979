"""The workflow where its jobs run elsewhere: a Slurm of one node that really runs them, a stand-in for Kubernetes."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.workflow.repository import SOURCE, Repository
from tests.workflow.stand_in_cluster import stand_in_cluster

CONFIG = "config/smoke.yaml"
PROFILE = "workflow/profiles/slurm"
RESULTS = Path("results/smoke/canonical")
TARGETS = [f"{RESULTS}/placements.csv", f"{RESULTS}/replay/replay.csv"]
"""Needs six rules, of which two run several times."""
ONE_NODE = SOURCE / "workflow" / "one_node_slurm.py"
PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
PLUGIN = "snakemake_executor_plugin_slurm"
KUBERNETES = "workflow/profiles/kubernetes"
OF_KUBERNETES = ("snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_fs")
needs_plugins = pytest.mark.skipif(
    None in map(find_spec, OF_KUBERNETES), reason=f"{' or '.join(OF_KUBERNETES)} is not here: make install"
)
needs_plugin = pytest.mark.skipif(find_spec(PLUGIN) is None, reason=f"there is no {PLUGIN} here: make install")


def snakemake(repository: Repository, *words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """As somebody with a cluster types it, not by `make`."""
    command = [sys.executable, "-m", "snakemake", "--configfile", CONFIG, *words]
    return repository.execute(command, timeout_s)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("cluster"), CONFIG)


def test_a_job_of_another_snakemake_is_the_plain_command(repository: Repository) -> None:
    """On a node a second Snakemake runs the job; nothing there has imported the libraries before."""
    made = RESULTS / "modules.json"
    answer = snakemake(repository, "--mode", "remote", "--cores", "1", str(made))
    assert answer.returncode == 0, answer.stderr
    assert (repository.root / made).stat().st_size


@needs_plugin
def test_a_run_on_a_cluster_needs_no_number_of_cores(repository: Repository) -> None:
    """The rules are read before the plugin asks for Slurm, which need not be here."""
    answer = snakemake(repository, "--workflow-profile", PROFILE, "Snakefile")
    assert "Building DAG of jobs" in answer.stdout + answer.stderr


@pytest.mark.parametrize("name", [PROFILE, KUBERNETES])
def test_the_profile_gives_a_node_to_every_rule_that_has_its_machine_to_itself(name: str) -> None:
    profile = yaml.safe_load((SOURCE / name / "config.yaml").read_text())
    rules = set()
    for path in (SOURCE / "workflow" / "rules").glob("*.smk"):
        for text in re.split(r"^ *(?=rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            if "threads: WHOLE_MACHINE" in text:
                rules.add(re.match(r"rule (\w+):", text)[1])  # type: ignore[index]
    assert set(profile["set-threads"]) == rules
    assert set(profile.get("set-resources", {})) <= rules


@pytest.fixture
def script() -> ModuleType:
    """The script that starts a Slurm of one node, as a module."""
    spec = spec_from_file_location("one_node_slurm", ONE_NODE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_node_of_slurm_is_refused_in_a_line(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(script, "_program", lambda name: None if name == "munged" else name)
    with pytest.raises(script.NoSlurmError, match=r"there is no munged here: apt-get install munge slurmctld slurmd"):
        script.start(tmp_path / "slurm")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(script.NoSlurmError, match="needs root"):
        script.start(tmp_path / "slurm")
    assert not (tmp_path / "slurm").exists()


def test_the_slurm_of_a_machine_that_has_one_is_left_alone(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "slurm.conf"
    theirs.write_text("ClusterName=theirs\n")
    monkeypatch.setattr(script, "missing", lambda: None)
    monkeypatch.setattr(script, "LINK", theirs)
    with pytest.raises(script.NoSlurmError, match="there is a Slurm on this machine already"):
        script.start(tmp_path / "mine")
    script.stop(tmp_path / "mine")  # nothing of ours runs: no error, and nothing is removed
    assert theirs.read_text() == "ClusterName=theirs\n"


def test_a_number_that_another_process_has_by_now_is_not_ended(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "slurmd.pid").write_text(f"{os.getpid()}\n")
    script.stop(tmp_path)  # else this test ends here
    (tmp_path / "slurmd.pid").write_text("none\n")
    script.stop(tmp_path)


def install() -> str | None:
    """Have Debian's packages here; why they are not, in a line."""
    if os.geteuid() != 0:
        return "a Slurm of one's own needs root"
    if not shutil.which("apt-get"):
        return "Slurm comes from Debian's packages, and there is no apt-get here"
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for first in ([], ["apt-get", "update"]):
        if first:
            subprocess.run(first, capture_output=True, check=False, timeout=300)
        done = subprocess.run(command, env=quietly, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode == 0:
            return None
    return f"Slurm's packages are not to be had: {(done.stderr or done.stdout).strip().splitlines()[-1]}"


def one_node(action: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ONE_NODE), action, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def daemons() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            name = path.read_text().strip()
        except OSError:  # it has ended
            continue
        if name in {"munged", "slurmctld", "slurmd"}:
            found.append(name)
    return sorted(found)


@pytest.fixture
def slurm() -> Iterator[Path]:
    """A Slurm of one node for the length of a test."""
    if (reason := install()) is not None:
        pytest.skip(reason)
    before = daemons()
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # munge's socket must be where everybody may go, unlike tmp_path
    answer = one_node("start", folder)
    if "there is a Slurm on this machine already" in answer.stderr:
        pytest.skip(answer.stderr)
    try:
        assert answer.returncode == 0, answer.stderr
        yield folder
    finally:
        answer = one_node("stop", folder)
    assert answer.returncode == 0, answer.stderr
    assert daemons() == before
    assert not os.path.lexists("/etc/slurm/slurm.conf")
    shutil.rmtree(folder)


def tables(repository: Repository) -> dict[str, bytes]:
    """What does not depend on where and when it is made: all but single placements, which have seconds."""
    root = repository.root / RESULTS
    kept = [
        path for pattern in ("*.csv", "*.json", "instances/*", "replay/*", "traces/*") for path in root.glob(pattern)
    ]
    return {str(path.relative_to(root)): path.read_bytes() for path in kept if path.is_file()}


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.network
@needs_plugin
def test_slurm_gives_the_same_tables_as_this_machine_alone(slurm: Path, tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = (Repository(tmp_path / name, CONFIG) for name in ("here", "there"))
    answer = here.run(*TARGETS, timeout_s=300)
    assert answer.returncode == 0, answer.stderr

    sent = ["--workflow-profile", PROFILE, "--jobs", "4", "--slurm-no-account"]
    sent += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"]
    answer = snakemake(there, *sent, "--", *TARGETS, timeout_s=900)
    assert answer.returncode == 0, answer.stderr

    steps = re.search(r"(\d+) of \1 steps \(100%\) done", answer.stdout + answer.stderr)
    assert steps is not None
    told = subprocess.run(["squeue", "-h", "-t", "all", "-o", "%T"], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["COMPLETED"] * int(steps[1])

    expected = tables(here)
    assert {*TARGETS} <= {str(RESULTS / name) for name in expected}
    assert tables(there) == expected


def with_storage(folder: Path) -> tuple[Repository, list[str]]:
    """A checkout with Git, its inputs in a storage, and the words that name it."""
    for name in ("checkout", "pods", "image"):
        (folder / name).mkdir()
    checkout = Repository(folder / "checkout", CONFIG)
    told = ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "all"]
    for words in (["init", "-q", "."], ["add", "--all"], told):
        subprocess.run(["git", *words], cwd=checkout.root, check=True)
    for name in ("data", "profiles"):
        shutil.copytree(checkout.root / name, folder / "storage" / name)
    prefix = ["--default-storage-provider", "fs", "--default-storage-prefix", str(folder / "storage")]
    return checkout, ["--workflow-profile", KUBERNETES, "--jobs", "2", *prefix]


@needs_plugins
def test_kubernetes_is_planned_without_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    checkout, words = with_storage(tmp_path)
    answer = snakemake(checkout, *words, "--dry-run", "--", TARGETS[0])
    assert answer.returncode == 0, answer.stderr
    stats = re.search(r"^total +(\d+)$", answer.stdout + answer.stderr, flags=re.MULTILINE)
    assert stats is not None
    assert int(stats[1]) == 9


@pytest.mark.slow
@needs_plugins
@pytest.mark.skipif(shutil.which("rsync") is None, reason="a folder as storage needs rsync: apt-get install rsync")
def test_containers_that_share_only_a_storage_give_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    here = Repository(tmp_path / "here", CONFIG)
    answer = here.run(TARGETS[0], timeout_s=300)
    assert answer.returncode == 0, answer.stderr

    checkout, words = with_storage(tmp_path)
    programs = tmp_path / "image"
    (programs / "pip").write_text("#!/bin/sh\n# The storage's plugin is in the image, and there is no index.\n")
    (programs / "pip").chmod(0o755)
    path = [str(programs), str(Path(sys.executable).parent), "/usr/bin", "/bin"]
    image = {"PATH": os.pathsep.join(path), "PYTHONPATH": str(SOURCE / "src"), "HOME": str(programs)}
    with stand_in_cluster(tmp_path / "pods", image) as (cluster, kubeconfig):
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        sent = ["--container-image", "example.org/splitshare:0.1.0", "--seconds-between-status-checks", "1"]
        answer = snakemake(checkout, *words, *sent, "--", TARGETS[0], timeout_s=1500)
        said = "\n".join(cluster.log(name)[-2000:] for name in cluster.jobs)
    assert answer.returncode == 0, answer.stderr + said

    assert len(cluster.jobs) == 9
    containers = [job["spec"]["template"]["spec"]["containers"][0] for job in cluster.jobs.values()]
    assert {container["image"] for container in containers} == {"example.org/splitshare:0.1.0"}
    assert all(container["resources"]["requests"]["memory"].endswith("M") for container in containers)
    made = tmp_path / "storage" / RESULTS
    for name in ("placements.csv", "latencies.csv", "assignments.csv", "modules.json"):
        assert (made / name).read_bytes() == (here.root / RESULTS / name).read_bytes(), name
    assert not (checkout.root / RESULTS).exists()  # nothing was made beside the storage
