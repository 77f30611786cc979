"""Draw tables and figures from a run's results into the directory OUTPUT."""

from __future__ import annotations

import importlib
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.commands.figures import Options
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.figures.inputs import Inputs
from splitshare.figures.registry import FIGURES, FigureSpec
from splitshare.records import nearest

PACKAGE = "splitshare.figures"


def run(options: Options) -> None:
    """Draw the figures ``names`` (default: all whose inputs are in ``results``) into ``output``.

    Raises:
        InputError: a name is unknown or an input is missing or wrong.
    """
    for name in options.names or ():
        if name not in FIGURES:
            raise InputError("NAME", "", f"unknown figure {name!r}; {nearest(name, list(FIGURES))}")
    chosen = (
        [FIGURES[name] for name in options.names]
        if options.names
        else [s for s in FIGURES.values() if _drawable(s, options.results)]
    )
    if not chosen:
        raise InputError(options.results, "", "holds no results to draw; give --results results/canonical after a run")
    inputs = Inputs(options.results, Config.read(options.config), load_catalog(options.catalog_root))
    for spec in chosen:
        needed = [options.results / path for path in spec.inputs] + [inputs.baselines / path for path in spec.records]
        for path in needed:
            if not path.is_file():
                raise InputError(path, "", f"is missing; {spec.name} is drawn from it: run its stage first")
        importlib.import_module(f"{PACKAGE}.{spec.module}").draw(inputs, options.output)


def _drawable(spec: FigureSpec, results: Path) -> bool:
    return all((results / path).is_file() for path in spec.inputs)
