"""Draw tables and figures from a run's results into the directory OUTPUT."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import get_args

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.commands.figures import Options
from splitshare.config import Config
from splitshare.errors import InputError, WorkError
from splitshare.figures.declaration import Scope
from splitshare.figures.facts import caption_of
from splitshare.figures.inputs import Inputs
from splitshare.figures.registry import figures
from splitshare.figures.style import save_caption, watching
from splitshare.figures.tex import table_in_tex
from splitshare.files import write_text
from splitshare.records import nearest

PACKAGE = "splitshare.figures"


def run(options: Options) -> None:
    """Draw the figures ``names`` (default: all whose inputs are in ``results``) into ``output``.

    Of results in a folder that is called as a scope is, only figures of that scope are drawn.

    Raises:
        InputError: a name is unknown, a figure is of another scope, or an input is missing or wrong.
        WorkError: ``strict``, and a figure breaks the rules of style.
    """
    known = figures()
    for name in options.names:
        if name not in known:
            raise InputError("NAME", "", f"unknown figure {name!r}; {nearest(name, list(known))}")
        scopes = known[name].scopes
        if options.results.name in get_args(Scope) and options.results.name not in scopes:
            raise InputError("NAME", "", f"{name} is drawn from results of the scope {' or '.join(scopes)} only")
    chosen = [known[name] for name in options.names]
    if not chosen:
        there = [
            figure
            for figure in known.values()
            if all((options.results / path).is_file() for path in figure.inputs)
            and (options.results.name not in get_args(Scope) or options.results.name in figure.scopes)
        ]
        # Of figures that write the same files, each for a scope, the one that is drawn from more.
        there.sort(key=lambda figure: -len(figure.inputs))
        chosen = list({figure.tables: figure for figure in reversed(there)}.values())
    if not chosen:
        raise InputError(options.results, "", "holds no results to draw; give --results results/canonical after a run")
    config, catalog = Config.read(options.config), load_catalog(options.catalog_root)
    if not options.strict:
        for figure in chosen:
            _draw(Inputs(figure, options.results, config, catalog), options.output)
        return
    with watching() as told:
        for figure in chosen:
            told.extend(_draw(Inputs(figure, options.results, config, catalog), options.output))
    if told:
        raise WorkError("these break the rules of style (splitshare.figures.style_rules):\n  " + "\n  ".join(told))


def _draw(inputs: Inputs, output: Path) -> list[str]:
    """Draw a figure with its captions and printed tables; say which of these do not fit a page."""
    figure = inputs.declared
    for path in (*map(inputs.result, figure.inputs), *map(inputs.recorded, figure.records)):
        if not path.is_file():
            raise InputError(path, "", f"is missing; {figure.name} is drawn from it: run its stage first")
    importlib.import_module(f"{PACKAGE}.{figure.module}").draw(inputs, output)
    caption = caption_of(figure, inputs)
    for name in figure.drawn:
        save_caption(caption, output, name)
    faults: list[str] = []
    for name, columns in figure.printed.items():
        printed = table_in_tex(pd.read_csv(output / f"{name}.csv"), columns, caption, name, inputs.titles())
        write_text(output / f"{name}.tex", printed.text)
        faults += printed.faults
    return faults
