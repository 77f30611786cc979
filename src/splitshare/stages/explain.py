"""Explain on which instances a heuristic misses the optimum: features, gaps, and a few questions that tell."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import typer

from splitshare.commands.explain import Options
from splitshare.errors import InputError
from splitshare.placement.algorithms.optimum import Optimum
from splitshare.placement.contract import load
from splitshare.placement.explained import FEATURES, Node, features, gap_of, tree
from splitshare.placement.instance import PlacementInstance
from splitshare.progress import track
from splitshare.results.write import write_csv


@dataclass(frozen=True)
class Explained:
    """What was found."""

    table: pd.DataFrame
    questions: Node | None
    """``None``: nothing is proved of any instance."""
    right: float
    """Share of the instances of which the questions say what is so."""


def run(options: Options) -> Explained:
    """Write ``instances.csv``: ``instance``, the features, ``objective``, ``best``, ``bound``, ``gap``, ``missed``.

    ``missed`` is empty where the optimum was not proved in time, or where there is no placement; such instances are not
    asked about.

    Raises:
        InputError: an instance or the algorithm's name is wrong.
        WorkError: an answer that the evaluator does not confirm.
    """
    asked = [PlacementInstance.read(path) for path in options.instances]
    for i, path in enumerate(options.instances):
        if asked[i].name in [one.name for one in asked[:i]]:
            raise InputError(path, "name", f"another instance is called {asked[i].name!r} too; give each once")
    heuristic, exact = load(options.algorithm), Optimum(solver=options.solver)
    rows = []
    for instance in track(asked, "proving", total=len(asked)):
        gap = gap_of(instance, heuristic, exact, options.time_limit_s)
        known = {"objective": gap.objective, "best": gap.best, "bound": gap.bound, "gap": gap.share}
        rows.append({"instance": instance.name} | features(instance) | known | {"missed": gap.missed})
    table = pd.DataFrame(rows)
    write_csv(table, options.output / "instances.csv")
    told = table[table["missed"].notna()]
    if told.empty:
        return Explained(table, None, 0.0)
    missed = told["missed"].astype(bool).tolist()
    asked_of = told[list(FEATURES)]
    found = tree(asked_of, missed, depth=options.questions, least=options.least)
    said = [found.says({str(k): float(v) for k, v in row.items()}) for row in asked_of.to_dict("records")]
    return Explained(table, found, sum(a == b for a, b in zip(said, missed, strict=True)) / len(missed))


def show(explained: Explained) -> None:
    """The tree, and how often it is right."""
    table = explained.table
    told = table[table["missed"].notna()]
    left = len(table) - len(told)
    if left:
        typer.echo(f"{left} of {len(table)} instances left out: not proved in time, or without a placement")
    if explained.questions is None:
        return
    hit = int((~told["missed"].astype(bool)).sum())
    typer.echo(f"optimal on {hit} of {len(told)} instances")
    for line in explained.questions.lines():
        typer.echo(line)
    used = _asked(explained.questions)
    for name in used:
        typer.echo(f"{name}: {FEATURES[name]}")
    typer.echo(f"these questions are right about {explained.right:.0%} of the instances that they were made from")


def _asked(node: Node) -> list[str]:
    if node.feature is None or node.low is None or node.high is None:
        return []
    return list(dict.fromkeys([node.feature, *_asked(node.low), *_asked(node.high)]))
