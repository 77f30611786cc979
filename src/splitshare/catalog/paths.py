"""Where the catalogue's files lie, defined once; every function takes the root explicitly."""

from __future__ import annotations

from pathlib import Path

from splitshare.places import DATA

EMBEDDED = DATA / "embedded"
"""The embedded benchmark's own data root: a catalogue apart from the papers', so that their counts stay theirs."""


def tasks_file(root: Path) -> Path:
    """Tasks and benchmarks under the data root."""
    return root / "catalogue" / "tasks.yaml"


def architectures_file(root: Path) -> Path:
    """Architectures under the data root."""
    return root / "catalogue" / "architectures.yaml"


def models_file(root: Path) -> Path:
    """Task models under the data root."""
    return root / "catalogue" / "models.yaml"


def published_towers_file(root: Path) -> Path:
    """Published latencies of image towers under the data root, or the program's where there are none."""
    return _there(root, Path("published", "timm_image_towers.csv"))


def device_file(root: Path, device_type: str) -> Path:
    """A device type under the data root, or the program's where that has none of that name."""
    return _there(root, Path("devices", f"{device_type}.yaml"))


def _there(root: Path, file: Path) -> Path:
    """What does not depend on a catalogue, which a data root of one's own may leave out."""
    return root / file if (root / file).is_file() else DATA / file


def workloads_file(root: Path) -> Path:
    """Workloads under the data root."""
    return root / "catalogue" / "workloads.yaml"


def benchmarks_file(root: Path) -> Path:
    """Sources of the benchmarks' data under the data root."""
    return root / "catalogue" / "benchmarks.yaml"


def traces_file(root: Path) -> Path:
    """Where public request traces lie, under the data root."""
    return root / "catalogue" / "traces.yaml"


def hub_file(root: Path) -> Path:
    """Where weights are published, under the data root."""
    return root / "catalogue" / "hub.yaml"


def class_names_file(root: Path) -> Path:
    """Published class names for prompts, under the data root."""
    return root / "catalogue" / "class_names.yaml"


def published_accuracy_file(root: Path) -> Path:
    """Published accuracies on the benchmarks, under the data root."""
    return root / "catalogue" / "published_accuracy.yaml"
