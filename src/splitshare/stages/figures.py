"""Draw tables and figures from a run's results into the directory OUTPUT."""

from __future__ import annotations

import importlib

from splitshare.catalog.loader import load_catalog
from splitshare.commands.figures import Options
from splitshare.config import Config
from splitshare.errors import InputError
from splitshare.figures.inputs import Inputs
from splitshare.figures.registry import figures
from splitshare.records import nearest

PACKAGE = "splitshare.figures"


def run(options: Options) -> None:
    """Draw the figures ``names`` (default: all whose inputs are in ``results``) into ``output``.

    Raises:
        InputError: a name is unknown or an input is missing or wrong.
    """
    known = figures()
    for name in options.names:
        if name not in known:
            raise InputError("NAME", "", f"unknown figure {name!r}; {nearest(name, list(known))}")
    chosen = [known[name] for name in options.names]
    if not chosen:
        there = [f for f in known.values() if all((options.results / path).is_file() for path in f.inputs)]
        # Of figures that write the same files, each for a scope, the one that is drawn from more.
        there.sort(key=lambda figure: -len(figure.inputs))
        chosen = list({figure.tables: figure for figure in reversed(there)}.values())
    if not chosen:
        raise InputError(options.results, "", "holds no results to draw; give --results results/canonical after a run")
    config, catalog = Config.read(options.config), load_catalog(options.catalog_root)
    for figure in chosen:
        inputs = Inputs(figure, options.results, config, catalog)
        for path in (*map(inputs.result, figure.inputs), *map(inputs.recorded, figure.records)):
            if not path.is_file():
                raise InputError(path, "", f"is missing; {figure.name} is drawn from it: run its stage first")
        importlib.import_module(f"{PACKAGE}.{figure.module}").draw(inputs, options.output)
