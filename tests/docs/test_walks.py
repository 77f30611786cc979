"""The walks in the documentation are executed as a reader would, block by block."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from splitshare.placement.held_out import HELD_OUT
from splitshare.replay.arrivals import PROCESSES
from tests.docs.test_lists import files_of, rows

ROOT = Path(__file__).parents[2]
WALKED = {
    *("first-steps.md", "new-algorithm.md", "onloading.md", "real-testbed.md", "your-own-hardware.md"),
    *("your-own-trace.md", "hard-instances.md", "queues.md"),
}
"""Pages of ``docs/`` whose shell blocks are executed here."""


def blocks(page):
    """The shell commands of a page, in order."""
    assert page in WALKED
    return re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / page).read_text(), flags=re.DOTALL)


@pytest.fixture
def clone(tmp_path):
    """What a walk needs of a clone, and a shell in it that has the `splitshare` command."""
    for name in ("data", "profiles", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, arguments in {
        "splitshare": "-m splitshare.cli",
        "python": "",
    }.items():  # a link would leave the environment
        command = commands / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        command.chmod(0o755)
    environment = os.environ | {"PATH": f"{commands}:{os.environ['PATH']}"}

    def run(script):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return tmp_path, run


@pytest.mark.slow
def test_your_own_hardware(clone):
    directory, run = clone
    scripts = blocks("your-own-hardware.md")
    assert len(scripts) >= 4
    for script in scripts:
        run(script)
    placements = pd.read_csv(directory / "results/office/placements.csv")
    assert placements["method"].tolist() == ["optimum-highs", "s2m3-greedy", "sequential-routing", "local"]
    assert placements["status"].iloc[0] == "optimal"
    placed = placements.dropna(subset=["objective_s"])
    assert "local" not in set(placed["method"])  # two encoders of 345 and 254 MB do not fit into the robot's 500 MB
    assert (placed["objective_s"].to_numpy() >= placed["optimum_s"].to_numpy() * (1 - 1e-9)).all()
    assert (directory / "results/office/figures/latency_by_method.png").stat().st_size > 10_000


def test_new_algorithm(clone):
    directory, run = clone
    printed = "".join(run(script) for script in blocks("new-algorithm.md"))
    verdict = json.loads((directory / "results/compare/verdict.json").read_text())
    assert verdict["method"] == "fastest-with-room"
    assert all(check["passed"] for check in verdict["checks"])
    for family in verdict["families"]:
        assert {duel["baseline"] for duel in family["duels"]} >= {"optimum", "s2m3-greedy", "heft", "random"}
    assert verdict["repeated"] == {"runs": 135, "changed": []}
    assert {failure["instance"].partition("-")[0] for failure in verdict["failures"]} == {"random"}
    assert "fastest-with-room places 95 of 95 instances" in printed
    named = {name for row in rows("docs/new-algorithm.md", "lies in `results/compare`:") for name in files_of(row[0])}
    assert {path.name for path in (directory / "results/compare").iterdir()} == named
    families = pd.read_csv(directory / "results/held-out/by_family.csv").set_index("family")
    assert set(families.index) == set(HELD_OUT)
    assert (families["new_best"] == 0).all()  # it is a simple one


def test_first_steps(clone):
    directory, run = clone
    printed = "".join(run(script) for script in blocks("first-steps.md"))
    first_fit, greedy, optimum = (
        json.loads((directory / f"{name}.json").read_text())["objective"] for name in ("first-fit", "greedy", "optimum")
    )
    assert optimum <= greedy * (1 + 1e-9) < first_fit
    assert len(pd.read_parquet(directory / "replay.parquet")) == 1000
    placed = int(re.findall(r"nearest-first places (\d+) of 95 instances", printed)[0])
    assert placed < 95 / 2  # "most workloads do not fit on one board"


def test_hard_instances(clone):
    directory, run = clone
    for script in blocks("hard-instances.md"):
        run(script)
    assert len(list((directory / "tight").iterdir())) == 5
    assert json.loads((directory / "placement.json").read_text())["status"] == "feasible"
    optimum = json.loads((directory / "optimum.json").read_text())
    assert optimum["objective"] == pytest.approx(26 - 336 / 15)
    worst = pd.read_csv(directory / "worst/worst.csv").set_index(["of", "against"])["ratio"]
    assert (worst > 1).all()  # "each of two algorithms usually has instances on which it is the worse one"
    seconds = [
        json.loads((directory / f"answers/{name}/heft-against-s2m3-greedy.json").read_text())["objective"]
        for name in ("heft", "s2m3-greedy")
    ]
    assert seconds[0] / seconds[1] == pytest.approx(worst["heft", "s2m3-greedy"], rel=1e-6)
    named = {name for row in rows("docs/hard-instances.md", "-o answers") for name in files_of(row[0])}
    assert {path.name for path in (directory / "worst").iterdir()} == {name.rstrip("/") for name in named}


def test_your_own_trace(clone):
    directory, run = clone
    printed = "".join(run(script) for script in blocks("your-own-trace.md"))
    assert "['clip-vit-b16', 'vqa-vit-b16', 'align-vit-b16', 'probe-vit-b16']" in printed
    replayed = pd.read_parquet(directory / "replayed.parquet")
    written = pd.read_csv(directory / "mine.csv")
    assert replayed["arrival_s"].tolist() == written["arrival_s"].tolist()
    assert len(pd.read_parquet(directory / "bursty.parquet")) == len(pd.read_parquet(directory / "mmpp.parquet")) == 500
    logged = pd.read_parquet(directory / "log.parquet")
    assert logged["request"].tolist()[::2] == ["clip-vit-b16"] * 2  # the row without an image and a rule is left out
    assert logged["size"].tolist() == pytest.approx([0.4, 3.0, 80 / 300])
    assert logged["arrival_s"].tolist() == pytest.approx([0, 0.7, 9.0])
    assert "1 of 4 rows fit no rule and are left out" in printed
    assert json.loads((directory / "bursty.json").read_text())["traceEvents"]
    knees = pd.read_csv(directory / "capacity/knees.csv").set_index("placement")
    assert (knees["knee_per_s"] < knees["holds_per_s"]).all()
    assert knees["knee_per_s"]["heft"] > knees["knee_per_s"]["first-fit"]
    kinds = {name for row in rows("docs/your-own-trace.md", "`--parameter` sets what they have:") for name in row[:1]}
    assert kinds == {f"`{kind}`" for kind in ("poisson", *PROCESSES)}
    assert {"device", "ready_s", "start_s", "finish_s"} <= set(pd.read_parquet(directory / "stages.parquet").columns)


def test_queues(clone):
    directory, run = clone
    printed = "".join(run(script) for script in blocks("queues.md"))
    names = ("fcfs", "ps", "priority", "swapped", "plan", "least-completion", "shortest-queue")
    mean_s = {name: pd.read_parquet(directory / f"{name}.parquet")["latency_s"].mean() for name in names}
    assert mean_s["least-completion"] < mean_s["shortest-queue"] < mean_s["plan"]
    assert mean_s["ps"] < mean_s["fcfs"] < mean_s["swapped"]
    asked = {name: pd.read_parquet(directory / f"{name}.parquet").set_index("request")["latency_s"] for name in names}
    assert asked["priority"]["vqa-vit-b16"].mean() < asked["fcfs"]["vqa-vit-b16"].mean()
    dropped = pd.read_parquet(directory / "dropped.parquet")
    assert set(dropped["status"]) == {"ok", "dropped"}
    assert "goodput_per_s" in printed
    assert "load_bytes" in printed


def test_onloading(clone):
    directory, run = clone
    printed = "".join(run(script) for script in blocks("onloading.md"))
    optimum, j3o = (json.loads((directory / f"{name}.json").read_text()) for name in ("optimum", "j3o"))
    assert 0.95 * optimum["objective"] < j3o["objective"] <= optimum["objective"] * (1 + 1e-6)
    above, j3o = (json.loads((directory / f"regional/{name}.json").read_text()) for name in ("optimum", "j3o"))
    assert 0.95 * above["objective"] < j3o["objective"] <= above["objective"] * (1 + 1e-6) <= j3o["bound"] * (1 + 2e-6)
    assert any("server" in flow for flow in above["offloading"])
    verdict = json.loads((directory / "results/compare/verdict.json").read_text())
    assert verdict["method"] == "smallest-first"
    (family,) = verdict["families"]
    assert {duel["baseline"] for duel in family["duels"]} >= {"optimum-highs", "j3o-batching", "random", "cloud-only"}
    assert verdict["failures"] == []
    assert "smallest-first decides 92 of 92 instances" in printed
    windows = pd.read_csv(directory / "follow/replayed.csv")
    assert windows.groupby("policy").size().to_dict() == dict.fromkeys(("keep", "anew", "priced", "clairvoyant"), 15)
    assert (windows["accuracy_in_time"] <= windows["accuracy"]).all()
    assert "0.1222 requests a second in the mean, multiplied by" in printed
    assert (directory / "follow/follow.png").exists()


@pytest.mark.slow
def test_real_testbed(clone):
    directory, run = clone
    try:
        printed = "".join(run(script) for script in blocks("real-testbed.md"))
    finally:
        for number in (directory / "testbed/pids").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGTERM)
    requests = pd.read_parquet(directory / "testbed/requests.parquet")
    assert requests["status"].tolist() == ["ok"] * 12
    assert "mean latency" in printed
    simulated = pd.read_parquet(directory / "testbed/simulated.parquet")
    # The loopback is faster than the simulated links: below the simulated latency, and not by more than the transfers.
    assert 0.5 < requests["latency_s"].mean() / simulated["latency_s"].mean() < 1.1
