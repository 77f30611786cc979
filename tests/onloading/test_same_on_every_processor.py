"""The alternation follows ties: a sum that is rounded otherwise on another processor sends it another way."""

import os
import subprocess
import sys
from pathlib import Path

SUITE = Path("data/baselines/onloading_instances.jsonl").resolve()
SENSITIVE = ("small-02-batching", "small-09")
"""Instances on which the results followed the processor while products were summed by BLAS."""
PROGRAM = f"""
from pathlib import Path
from splitshare.jsonl import read_lines
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
algorithm = load("j3o-batching")
for instance in read_lines(OnloadingInstance, Path({str(SUITE)!r})):
    if instance.name in {SENSITIVE}:
        decision = solve(instance, algorithm)
        print(instance.name, repr(decision.objective), repr(decision.bound), decision.iterations)
"""


def decided(**environment: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.count("\n") == len(SENSITIVE)
    return run.stdout


def test_the_kernels_of_blas_do_not_change_what_j3o_decides():
    assert decided(OPENBLAS_CORETYPE="Prescott") == decided()
