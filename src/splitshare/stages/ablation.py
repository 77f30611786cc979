"""Try every reading of S2M3's greedy that the abstract allows."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd

from splitshare.commands.ablation import Options
from splitshare.errors import InputError
from splitshare.layout import placement_file
from splitshare.placement.algorithms.s2m3_greedy import S2M3Greedy
from splitshare.placement.pairs import read_base_pair
from splitshare.placement.run import solve
from splitshare.progress import track
from splitshare.results.table import OPTIMALITY_TOLERANCE
from splitshare.results.write import write_csv


def interpretations() -> Iterator[S2M3Greedy]:
    """All combinations of the greedy's parameters, ours first."""
    hints = get_type_hints(S2M3Greedy)
    fields = dataclasses.fields(S2M3Greedy)
    values = [(False, True) if hints[f.name] is bool else get_args(hints[f.name]) for f in fields]
    ours_first = [
        (f.default, *(v for v in choices if v != f.default)) for f, choices in zip(fields, values, strict=True)
    ]
    for combination in itertools.product(*ours_first):
        yield S2M3Greedy(**dict(zip((f.name for f in fields), combination, strict=True)))


def run(options: Options) -> None:
    """Write one row an interpretation: parameters, instances placed and optimal, mean and worst gap to the optimum.

    Raises:
        InputError: a file is wrong, or an optimum is not proved.
    """
    instances, optima = [], []
    for path in options.instances:
        file = placement_file(options.placements, options.optimum, path)
        instance, placement = read_base_pair(path, file)
        if placement.status != "optimal" or placement.objective is None:
            raise InputError(file, "status", "is not 'optimal'; solve it with more time")
        instances.append(instance)
        optima.append(placement.objective)
    rows: list[dict[str, object]] = []
    for interpretation in track(list(interpretations()), "readings of the greedy"):
        objectives = [solve(instance, interpretation).objective for instance in instances]
        gaps = np.array([np.nan if o is None else o / best - 1 for o, best in zip(objectives, optima, strict=True)])
        placed = gaps[~np.isnan(gaps)]
        rows.append(
            {
                **dataclasses.asdict(interpretation),
                "ours": interpretation == S2M3Greedy(),
                "instances": len(gaps),
                "placed": len(placed),
                "optimal": int((placed <= OPTIMALITY_TOLERANCE).sum()),
                "mean_gap": float(placed.mean()) if len(placed) else np.nan,
                "worst_gap": float(placed.max()) if len(placed) else np.nan,
            }
        )
    write_csv(pd.DataFrame(rows), options.output)
