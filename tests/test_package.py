"""The built package, installed apart and used where there is no checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from splitshare.places import share

ROOT = Path(__file__).parents[1]
ALGORITHM = """
class Fastest:
    name = "fastest"

    def place(self, instance, *, seed, time_limit):
        left = {device.name: device.memory_bytes for device in instance.devices}
        hosts = {}
        for module in sorted(instance.modules, key=lambda module: -module.memory_bytes):
            able = [d for d in left if left[d] >= module.memory_bytes and module.compute_s.get(d) is not None]
            if not able:
                return None
            hosts[module.name] = min(able, key=lambda d: module.compute_s[d])
            left[hosts[module.name]] -= module.memory_bytes
        return hosts
"""


def test_data_are_found_by_one_rule(tmp_path):
    checkout, installed = tmp_path / "checkout", tmp_path / "site-packages/splitshare"
    (installed / "share").mkdir(parents=True)
    assert share(checkout, installed) == installed / "share"
    (checkout / "data/catalogue").mkdir(parents=True)
    assert share(checkout, installed) == installed / "share", "a folder called data makes no checkout"
    (checkout / "profiles").mkdir()
    assert share(checkout, installed) == checkout
    sources = tmp_path / "other/src/splitshare"
    assert share(tmp_path, sources) == tmp_path / "other", "an editable installation has the data of its checkout"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder of a wheel that was built from the source distribution, so that both are whole."""
    folder: Path = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    hatch = "import sys, hatchling.build as b; print(b.build_sdist(sys.argv[1]))"
    made = subprocess.run([sys.executable, "-c", hatch, folder], cwd=ROOT, check=True, capture_output=True, text=True)
    sdist = folder / made.stdout.split()[-1]
    subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, sdist], check=True
    )
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The interpreter of an environment with the wheel; what the wheel needs it has from this one."""
    folder: Path = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    # Under another name, so that this environment's own splitshare is not found: .pth files of a .pth are not read.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.mark.slow
def test_the_package_is_at_work_in_an_empty_directory(installed, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def splitshare(*words: str) -> str:
        command = [installed, "-m", "splitshare.cli", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: PLW1510
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    where = subprocess.run(
        [installed, "-c", "import splitshare.places as p; print(p.SHARE)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    share_folder = Path(where.stdout.strip())
    assert installed.parents[1] in share_folder.parents
    (tmp_path / "fastest.py").write_text(ALGORITHM)
    assert "fastest places 95 of 95 instances" in splitshare("compare", "--algorithm", "fastest.py:Fastest")
    lines = (share_folder / "data/baselines/instances/s2m3.jsonl").read_text().splitlines()
    instance = next(line for line in lines if json.loads(line)["name"] == "four-tasks.laptop-two-jetsons")
    (tmp_path / "instance.json").write_text(instance)
    assert "optimal" in splitshare("solve", "instance.json", "--algorithm", "optimum", "-o", "best.json")
    splitshare("solve", "instance.json", "--algorithm", "fastest.py:Fastest", "-o", "placed.json")
    splitshare("trace", "instance.json", "--kind", "poisson", "--rate-per-s", "2", "--requests", "20", "-o", "t.csv")
    assert "(all)" in splitshare("simulate", "instance.json", "placed.json", "t.csv", "-o", "requests.csv")
    splitshare("emulate", "instance.json", "placed.json", "t.csv", "-o", "emulated.csv", "--any-links")
    assert len(splitshare("list", "models").splitlines()) == 14
    splitshare("describe", "--module", "cosine-512@clip-vit-b16", "-o", "modules.json")
    assert (tmp_path / "emulated.csv").is_file()
    splitshare("init", "study")
    snakemake = [installed, "-m", "snakemake", "--cores", "2", "--quiet=rules"]
    done = subprocess.run(  # noqa: PLW1510 - what it says is shown
        snakemake, cwd=tmp_path / "study", env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study/figures/claims.csv").is_file()


@pytest.mark.slow
def test_the_wheel_holds_what_the_checkout_has(built):
    (wheel,) = built.glob("*.whl")
    held = {name.removeprefix("splitshare/share/") for name in zipfile.ZipFile(wheel).namelist()}
    folders = ("config", "data", "profiles", "schemas", "workflow", "Snakefile")
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(listed.stdout.split("\n")) - {""} <= held
