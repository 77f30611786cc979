"""Decide the suite again by J3O, prove small optima again, and join what is recorded of the others."""

from __future__ import annotations

import pandas as pd

from splitshare.commands.onloading.solve_suite import Options
from splitshare.jsonl import read_lines
from splitshare.methods import Method
from splitshare.onloading.contract import FINDER
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.results.onloading import read_record, references, results_table, row
from splitshare.results.provenance import provenance
from splitshare.results.write import write_csv

AGAIN = ("j3o-batching",)
"""Solved in every run."""
PROVED_AGAIN = ("optimum-highs", "optimum-gurobi")
"""Solved in every run where that takes no time worth speaking of."""
SMALL = "small"


def run(options: Options) -> None:
    """Write ``output`` (results of all methods, the same from run to run) and ``times`` (seconds taken here).

    Methods that are not solved again are read from the record; what is solved again replaces its rows there.

    Raises:
        InputError: a file is wrong.
        WorkError: results contradict each other.
    """
    instances = [i for i in read_lines(OnloadingInstance, options.suite) if i.size_class in options.sizes]
    facts = provenance()
    rows = []
    for method in (*AGAIN, *PROVED_AGAIN):
        algorithm = Method.parse(method).load(FINDER)
        rows += [
            row(instance, method, 0, solve(instance, algorithm), facts)
            for instance in track(instances, f"solving by {method}")
            if method in AGAIN or instance.size_class == SMALL
        ]
    here = pd.DataFrame(rows)
    recorded = read_record(options.record)
    recorded = recorded[recorded["instance_sha256"].isin({i.sha256() for i in instances})]
    solved = here.set_index(["instance", "method"]).index
    kept = recorded[~recorded.set_index(["instance", "method"]).index.isin(solved)]
    both = pd.concat([kept, here], ignore_index=True)
    write_csv(results_table(both, references(both), [i.name for i in instances]), options.output)
    write_csv(here, options.times)
