"""A made-up catalogue of two models that share two encoders, its descriptions and its profiles."""

from pathlib import Path

import yaml

from splitshare.profiling.records import (
    ModuleDescription,
    ModuleDescriptions,
    ModuleProfile,
    ProfiledDevice,
    ProfileRow,
    Work,
)

_KINDS = {"see": "vision-encoder", "read": "text-encoder", "match": "head", "answer": "head"}
_FILES = {
    "tasks": {
        "schema": "splitshare.tasks/1",
        "tasks": [{"name": "find", "title": "Find"}, {"name": "ask", "title": "Ask"}],
        "benchmarks": [
            {"name": "three", "title": "Three", "task": "find", "classes": 3},
            {"name": "quiz", "title": "Quiz", "task": "ask"},
        ],
    },
    "architectures": {
        "schema": "splitshare.architectures/1",
        "architectures": {name: {"builder": "made-up", "kind": kind, "params": {}} for name, kind in _KINDS.items()},
    },
    "models": {
        "schema": "splitshare.models/1",
        "models": [
            {
                "number": 1,
                "name": "finder",
                "title": "Finder",
                "task": "find",
                "benchmark": "three",
                "encoders": [
                    {"role": "vision", "architecture": "see", "weights": "w"},
                    {"role": "text", "architecture": "read", "weights": "w", "items": "classes"},
                ],
                "head": {"architecture": "match", "weights": "w"},
                "result_bytes": 12,
            },
            {
                "number": 2,
                "name": "talker",
                "title": "Talker",
                "task": "ask",
                "benchmark": "quiz",
                "encoders": [
                    {"role": "vision", "architecture": "see", "weights": "w"},
                    {"role": "text", "architecture": "read", "weights": "w"},
                ],
                "head": {"architecture": "answer", "weights": "w"},
                "result_bytes": 20,
            },
        ],
    },
    "workloads": {
        "schema": "splitshare.workloads/1",
        "workloads": [
            {"name": "both", "title": "Both", "models": ["finder", "talker"]},
            {"name": "talk", "title": "Talk", "models": ["talker"]},
        ],
    },
}


def write_catalogue(root: Path) -> None:
    """Write the catalogue's files under the data folder ``root``."""
    (root / "catalogue").mkdir(parents=True)
    for name, value in _FILES.items():
        (root / "catalogue" / f"{name}.yaml").write_text(yaml.safe_dump(value))


def _description(architecture: str, size: int, input_bytes: int, output_bytes: int) -> ModuleDescription:
    return ModuleDescription.model_validate(
        {
            "module": f"{architecture}@w",
            "architecture": architecture,
            "kind": _KINDS[architecture],
            "dtype": "float32",
            "parameters": size // 4,
            "embedding_parameters": 0,
            "parameter_bytes": size,
            "definition_sha256": "d" * 64,
            "work": tuple(
                Work(batch=b, flops=b, input_bytes=b * input_bytes, output_bytes=b * output_bytes) for b in (1, 3)
            ),
        }
    )


DESCRIPTIONS = ModuleDescriptions(
    schema_="splitshare.module-descriptions/1",
    modules=(
        _description("see", 400, 600, 8),
        _description("read", 80, 30, 8),
        _description("match", 4, 0, 12),
        _description("answer", 40, 0, 20),
    ),
)


def profile(device: str, *, memory_bytes: float, read_3: float | None, **seconds: float) -> ModuleProfile:
    """A measured profile: seconds by module at batch 1, and of ``read`` at batch 3 (``None``: it cannot run)."""
    rows = [(name, 1, value) for name, value in seconds.items()] + [("read", 3, read_3)]
    return ModuleProfile(
        schema_="splitshare.module-profile/1",
        device=ProfiledDevice(name=device, memory_bytes=memory_bytes),
        rows=tuple(
            ProfileRow(
                module=f"{name}@w",
                batch=batch,
                provenance="measured",
                source="made up",
                definition_sha256="d" * 64,
                runnable=value is not None,
                reason=None if value is not None else "too large",
                compute_median_s=value,
                parameter_bytes=0,
                output_bytes=0,
            )
            for name, batch, value in rows
        ),
    )
