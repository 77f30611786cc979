"""Recorded baselines: tidy results of known methods, to hold new ones against."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from splitshare.errors import InputError
from splitshare.parquet import check_types, read_frame
from splitshare.results.write import write_csv, write_parquet

KEY = ("family", "instance", "method", "seed")
"""What makes a row one of a kind."""
COLUMNS = (
    *KEY,
    *("workload", "testbed", "instance_sha256", "status", "objective_s", "optimum_s", "gap", "build_s", "solve_s"),
    *("solver_version", "machine", "revision", "date"),
)
NUMBERS = ("seed", "objective_s", "optimum_s", "gap", "build_s", "solve_s")
TEXTS = ("family", "instance", "method", "workload", "testbed", "instance_sha256", "status")


def instances_file(directory: Path, family: str) -> Path:
    """Where the instances of a family lie among the recorded baselines in ``directory``."""
    return directory / "instances" / f"{family}.jsonl"


def families(directory: Path) -> list[str]:
    """Families of instances among the recorded baselines in ``directory``."""
    return sorted(path.stem for path in (directory / "instances").glob("*.jsonl"))


def read_baselines(path: Path) -> pd.DataFrame:
    """Read recorded baselines.

    Raises:
        InputError: the file is missing, no Parquet file, or has other columns, or columns of another kind.
    """
    if not path.is_file():
        raise InputError(path, "", "no recorded baselines there; record them with `make record-baselines`")
    table = read_frame(path)
    missing = [c for c in COLUMNS if c not in table]
    if missing:
        raise InputError(path, missing[0], "column is missing; record the baselines again")
    check_types(path, table, NUMBERS, TEXTS)
    return table[list(COLUMNS)]


def merge(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``new`` beside those of ``old``; a row of the same key is replaced, all others are kept.

    Raises:
        InputError: an instance has another digest in ``old``: results of different instances do not mix.
    """
    check_digests(old, digests_of(new), "new results")
    kept = old[~old.set_index(list(KEY)).index.isin(new.set_index(list(KEY)).index)]
    both = pd.concat([kept, new[list(COLUMNS)]], ignore_index=True)
    return both.sort_values(list(KEY), kind="stable").reset_index(drop=True)


def without_replaced(
    old: pd.DataFrame, family: str, digests: Mapping[str, str], methods: Collection[str], source: Path | str
) -> pd.DataFrame:
    """Rows of ``old`` but for those of instances that have changed since, if ``methods`` make all of these anew.

    Args:
        old: recorded results.
        family: of the instances that are recorded again.
        digests: of these instances, by name.
        methods: what they are recorded by.
        source: the file of ``old``, for the message.

    Raises:
        InputError: a method that is left out has results on an instance that has changed: they would be lost.
    """
    now = old["instance"].map(dict(digests))
    changed = (old["family"] == family) & now.notna() & (now != old["instance_sha256"])
    for method in old.loc[changed, "method"].unique():
        if method not in methods:
            instance = old.loc[changed & (old["method"] == method), "instance"].iloc[0]
            raise InputError(
                source,
                "instance_sha256",
                f"{instance} has changed, and {method!r} has results on what it was: record by that method, too",
            )
    return old[~changed]


def digests_of(table: pd.DataFrame) -> dict[str, str]:
    """Digest of each instance in a results table."""
    pairs = table[["instance", "instance_sha256"]].drop_duplicates()
    return dict(zip(pairs["instance"], pairs["instance_sha256"], strict=True))


def check_digests(
    recorded: pd.DataFrame, digests: Mapping[str, str], source: Path | str, *, every: bool = False
) -> None:
    """Refuse instances that are not the recorded ones.

    Args:
        recorded: results, with ``instance`` and ``instance_sha256``.
        digests: of instances, by name.
        source: where the instances are from, for the message.
        every: whether instances that are not recorded at all are refused too.

    Raises:
        InputError: names the first instance whose digest differs.
    """
    known = digests_of(recorded)
    for name, digest in digests.items():
        if every and name not in known:
            raise InputError(source, name, "is not the instance of the recorded results: not comparable")
        if name in known and known[name] != digest:
            raise InputError(
                source,
                name,
                f"has digest {digest[:12]}..., the baselines speak of {known[name][:12]}...: not comparable",
            )


def write_baselines(table: pd.DataFrame, path: Path) -> None:
    """Write the table as Parquet and, for people to read, as CSV beside it."""
    write_parquet(table, path)
    write_csv(table, path.with_suffix(".csv"))
