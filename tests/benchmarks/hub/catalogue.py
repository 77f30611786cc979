"""The real catalogue with sources that a test's server has, and the command that fetches from it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from splitshare.places import DATA
from tests.benchmarks.hub.server import REVISION, Hub

FOODS = [f"w{35 + i % 10}_w{35 + i // 10}" for i in range(101)]
SOUNDS = [f"w{35 + i % 10} w{35 + i // 10}" for i in range(50)]
"""Of words that the tiny tokenisers know."""
COUNTRIES = [f"Country {i}" for i in range(211)]
PETS = [f"pet_{i}" for i in range(37)]


def pinned_catalogue(root: Path) -> Path:
    """Copy the catalogue under ``root``, all data sets at the server's revision."""
    (root / "catalogue").mkdir(parents=True)
    for file in (DATA / "catalogue").glob("*.yaml"):
        text = re.sub(
            r"revision: (null|[0-9a-f]{40}).*$", f'revision: "{REVISION}"', file.read_text(), flags=re.MULTILINE
        )
        (root / "catalogue" / file.name).write_text(text)
    return root


def fetch(hub: Hub | str, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``splitshare benchmarks`` in a process of its own: the client reads its endpoint when it is imported."""
    endpoint = hub if isinstance(hub, str) else hub.endpoint
    environment = os.environ | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(root / "hf-home"),
        "HF_HUB_DOWNLOAD_TIMEOUT": "1",
        "HF_HUB_ETAG_TIMEOUT": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0",  # here the hub is a test's own
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "splitshare.cli",
            "benchmarks",
            "-o",
            str(root / "out"),
            *arguments,
            "--data",
            str(root / "data"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
