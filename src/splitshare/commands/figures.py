"""``splitshare figures``: draw tables and figures from a run's results."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.figures.inputs import Inputs
from splitshare.figures.registry import FIGURES, FigureSpec
from splitshare.records import nearest

PACKAGE = "splitshare.figures"


def run(names: Sequence[str] | None, *, results: Path, config: Path, catalog_root: Path, output: Path) -> None:
    """Draw the figures ``names`` (default: all whose inputs are in ``results``) into ``output``.

    Args:
        names: names of ``splitshare.figures.registry``.
        results: directory of a scope's results, such as ``results/canonical``.
        config: the run's configuration.
        catalog_root: the data folder.
        output: directory.

    Raises:
        InputError: a name is unknown or an input is missing or wrong.
    """
    for name in names or ():
        if name not in FIGURES:
            raise InputError("NAME", "", f"unknown figure {name!r}; {nearest(name, list(FIGURES))}")
    chosen = [FIGURES[name] for name in names] if names else [s for s in FIGURES.values() if _drawable(s, results)]
    if not chosen:
        raise InputError(results, "", "holds no results to draw; give --results results/canonical after a run")
    inputs = Inputs(results, Config.read(config), load_catalog(catalog_root))
    for spec in chosen:
        needed = [results / path for path in spec.inputs] + [inputs.baselines / path for path in spec.records]
        for path in needed:
            if not path.is_file():
                raise InputError(path, "", f"is missing; {spec.name} is drawn from it: run its stage first")
        importlib.import_module(f"{PACKAGE}.{spec.module}").draw(inputs, output)


def _drawable(spec: FigureSpec, results: Path) -> bool:
    return all((results / path).is_file() for path in spec.inputs)
