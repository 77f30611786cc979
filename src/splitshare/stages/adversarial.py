"""Find instances on which algorithms do worst against others, by annealed perturbation of times, links and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import typer

from splitshare.commands.adversarial import Options
from splitshare.errors import InputError
from splitshare.methods import Method, check_labels
from splitshare.placement.adversarial import Schedule, Search, search
from splitshare.placement.contract import FINDER
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.run import objective_of
from splitshare.results.worst_cases import COLUMNS, matrix_of
from splitshare.results.write import write_csv
from splitshare.side_by_side import side_by_side


@dataclass(frozen=True)
class Found:
    """What was found of an algorithm against another, from all starts."""

    of: str
    against: str
    search: Search
    """That of the largest ratio."""
    dead_ends: int
    """Instances tried, of all searches, that the other places and it does not."""
    file: Path | None
    """The worst instance; ``None`` where no instance was met that both place."""


def run(options: Options) -> list[Found]:
    """Search for each pair from each instance, and write into ``output``.

    Writes ``worst.csv`` (a row a pair), ``matrix.csv`` (the ratios, a row an algorithm), the figure
    ``worst_ratios.pdf`` and ``.png``, and each pair's worst instance as ``instances/<of>-against-<against>.json``.

    Raises:
        InputError: an instance or an algorithm is wrong, or two of either have one name.
        WorkError: an exact method did not get to its proof, or an algorithm's answer does not hold.
    """
    starts = _starts(options.instances)
    of, against = _methods("--of", options.of), _methods("--against", options.against)
    for method in (*of, *against):
        method.load(FINDER)  # all are there before one is searched for
    pairs = [(a, b) for a in of for b in against if a.label != b.label]
    if not pairs:
        raise InputError("--against", "", f"{of[0].label} is held against itself; name another algorithm")
    found: list[Found] = []
    searched = partial(_searched, starts, Schedule(steps=options.steps, reach=options.reach), options.seed)
    searches_of = side_by_side(searched, pairs, options.processes, "searching for worst cases")
    for (a, b), searches in zip(pairs, searches_of, strict=True):
        file = options.output / "instances" / f"{a.folder}-against-{b.folder}.json"
        most = max(searches, key=lambda one: one.worst.ratio if one.worst else 0.0)
        if most.worst is not None:
            # A name of its own: the numbers are others.
            name = f"{most.start.name[:100]}-worst-{len(found) + 1}"
            most.worst.instance.model_copy(update={"name": name, "origin": None}).write(file)
        ends = sum(one.dead_ends for one in searches)
        found.append(Found(a.label, b.label, most, ends, file if most.worst else None))
        # After each pair: what a search found is not lost with one that fails.
        table = pd.DataFrame([_row(one, options) for one in found], columns=list(COLUMNS))
        write_csv(table, options.output / "worst.csv")
    matrix = matrix_of(table)
    write_csv(matrix.rename_axis("of").reset_index(), options.output / "matrix.csv")
    _draw(matrix, options.output)
    return found


def show(found: list[Found]) -> None:
    """A line a pair, the largest ratio first."""
    for one in sorted(found, key=lambda one: -_ratio(one) if one.file else math.inf):
        ends = f"; {one.dead_ends} instances that it does not place and {one.against} does" if one.dead_ends else ""
        told = f"{_ratio(one):.4g} times the seconds" if one.file else "no instance was met that both place"
        typer.echo(f"{one.of} against {one.against}: {told}{ends}")


def _starts(paths: Sequence[Path]) -> list[PlacementInstance]:
    starts: list[PlacementInstance] = []
    for path in paths:
        instance = PlacementInstance.read(path)
        if any(instance.name == other.name for other in starts):
            raise InputError(path, "name", f"{instance.name!r} is the name of another instance too; rename one")
        starts.append(instance)
    return starts


def _methods(option: str, texts: Sequence[str]) -> list[Method]:
    methods = [method for text in texts for method in Method.all_of(text)]
    check_labels([method.label for method in methods])
    if not methods:
        raise InputError(option, "", "names no algorithm")
    return methods


Pair = tuple[Method, Method]


def _searched(starts: Sequence[PlacementInstance], schedule: Schedule, seed: int, pair: Pair) -> list[Search]:
    of, against = (partial(objective_of, algorithm=one.load(FINDER), seed=seed) for one in pair)
    return [search(start, of, against, schedule, seed + i) for i, start in enumerate(starts)]


def _ratio(one: Found) -> float:
    return one.search.worst.ratio if one.search.worst else math.nan


def _row(one: Found, options: Options) -> dict[str, object]:
    worst = one.search.worst
    return {
        "of": one.of,
        "against": one.against,
        "ratio": _ratio(one),
        "objective_s": worst.objective_s if worst else math.nan,
        "reference_s": worst.reference_s if worst else math.nan,
        "start": one.search.start.name,
        "start_ratio": math.nan if one.search.start_ratio is None else one.search.start_ratio,
        "dead_ends": one.dead_ends,
        "starts": len(options.instances),
        "steps": options.steps,
        "reach": options.reach,
        "seed": options.seed,
        "file": "" if one.file is None else one.file.name,
    }


def _draw(matrix: pd.DataFrame, output: Path) -> None:
    from splitshare.figures.ratio_matrix import WORST_RATIOS, ratio_figure  # half a second to import
    from splitshare.figures.style import paper_style, save_figure

    with paper_style():
        save_figure(ratio_figure(matrix), output, WORST_RATIOS)
