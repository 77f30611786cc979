"""Recording the onloading suite, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.errors import InputError
from splitshare.onloading.contract import FINDER
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.onloading.suite import FAMILY
from splitshare.results.onloading import COLUMNS, KEY, RECORD, read_record, references, row, write_record
from splitshare.results.provenance import provenance
from splitshare.results.recording import recorded_runs


def record(
    instances: Sequence[OnloadingInstance], *, methods: Sequence[str], family: str, time_limit_s: float, output: Path
) -> None:
    """Solve every instance by every method and write a row each into ``output/onloading.csv``.

    The file is written after every row, and rows that are there already are kept, so that a run that was stopped is
    resumed by the same command; only those go that were recorded for other contents of one of these instances.

    Args:
        instances: the suite.
        methods: algorithms, or ``optimum-<solver>``.
        family: there is one only, the suite.
        time_limit_s: seconds of solving for each run.
        output: directory of the record.

    Raises:
        InputError: a method or the family is wrong.
        WorkError: solvers contradict each other.
    """
    if family != FAMILY:
        raise InputError("--family", family, f"onloading results are one family, {FAMILY!r}; leave it out")
    path = output / RECORD
    digests = {instance.name: instance.sha256() for instance in instances}
    rows = read_record(path) if path.is_file() else pd.DataFrame(columns=list(COLUMNS))
    known = rows["instance"].map(digests)
    rows = rows[known.isna() | (known == rows["instance_sha256"])]
    done = set(rows[list(KEY)].itertuples(index=False, name=None))
    facts = provenance()
    for run in recorded_runs(methods, instances, finder=FINDER, solve=solve, time_limit_s=time_limit_s, done=done):
        new = pd.DataFrame([row(run.instance, run.method, run.seed, run.answer, facts)])
        rows = pd.concat([rows, new], ignore_index=True) if len(rows) else new
        write_record(rows, path)
    order = {name: i for i, name in enumerate(dict.fromkeys([*digests, *rows["instance"]]))}
    rows = rows.sort_values(list(KEY), key=lambda c: c.map(order) if c.name == "instance" else c, kind="stable")
    references(rows)
    write_record(rows, path)
