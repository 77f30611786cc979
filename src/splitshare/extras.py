"""Packages that not everybody needs: which extra of the package brings each, for the one line that says so."""

from __future__ import annotations

EXTRAS = {
    "bokeh": "explore",
    "datasets": "hub",
    "easy_vqa": "embedded",
    "grpc": "emulate",
    "grpc_health": "emulate",
    "gurobipy": "gurobi",
    "huggingface_hub": "measure",
    "pyroute2": "emulate",
    "safetensors": "measure",
    "seaborn": "figures",
    "snakemake": "workflow",
    "torch": "measure",
    "transformers": "measure",
}
"""Extra by the name that the package is imported under."""


def missing(error: ModuleNotFoundError, command: str) -> str | None:
    """What to tell of an import that failed: what to install; ``None`` where it is no package of an extra.

    Args:
        error: the import's error.
        command: what needs the package.
    """
    name = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(name)
    return None if extra is None else f'{command} needs the package {name}: pip install "splitshare[{extra}]"'
