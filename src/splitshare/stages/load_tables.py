"""Put the parts of a sweep of load together: means and intervals over seeds, as tables in the directory OUTPUT."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from splitshare.commands.load_tables import Options
from splitshare.errors import InputError
from splitshare.parquet import check_types, read_frame
from splitshare.replay.load_sweep import KEYS, columns_of, over_seeds
from splitshare.results.write import write_csv

BY = ("instance", "method")
TEXTS = (*BY, "bottleneck", "kind", "name")


def run(options: Options) -> None:
    """Write ``points.csv``, ``knees.csv``, ``latencies.csv`` and ``utilisation.csv`` into ``output``.

    Raises:
        InputError: a part is missing or damaged, a seed is there twice, or a system has one seed only or other seeds
            than the others.
    """
    tables = {name: _all_parts(options.parts, name) for name in KEYS}
    _check_seeds(options, tables["knees"])
    for name, table in tables.items():
        write_csv(over_seeds(name, table, BY), options.output / f"{name}.csv")


def _all_parts(parts: list[Path], name: str) -> pd.DataFrame:
    read = [_part(part, name) for part in parts]
    return pd.concat([table for table in read if len(table)] or read[:1], ignore_index=True)


def _part(part: Path, name: str) -> pd.DataFrame:
    path = part / f"{name}.parquet"
    table = read_frame(path)
    wanted = columns_of(name, BY)
    for column in wanted:
        if column not in table:
            raise InputError(path, column, "the column is missing; write the part again: `splitshare load-sweep`")
    table = table[wanted]
    if len(table):
        texts = [column for column in wanted if column in TEXTS]
        check_types(path, table, [column for column in wanted if column not in TEXTS], texts)
    return table


def _check_seeds(options: Options, knees: pd.DataFrame) -> None:
    """Every system has the same seeds, each once: a mean over others would be of something else."""
    seeds = {keys: sorted(group["seed"]) for keys, group in knees.groupby(list(BY), sort=False)}
    if not seeds:
        raise InputError(options.parts[0], "", "no part has a placement that could be loaded")
    first, expected = next(iter(seeds.items()))
    for keys, own in seeds.items():
        of = " by ".join(map(str, keys))
        if len(set(own)) < len(own):
            raise InputError(options.parts[0], "seed", f"a seed of {of} is there twice; give each part once")
        if len(own) < 2:
            raise InputError(options.parts[0], "seed", f"{of} has one seed only; an interval needs two")
        if own != expected:
            problem = f"{of} has other seeds than {' by '.join(map(str, first))}; give all parts of one sweep"
            raise InputError(options.parts[0], "seed", problem)
