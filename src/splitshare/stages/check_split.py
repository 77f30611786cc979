"""Hold the split models' answers against the whole models', at true size."""

from __future__ import annotations

import pandas as pd

from splitshare.catalog.loader import load_catalog
from splitshare.commands.check_split import Options
from splitshare.modules.equivalence import RELATIVE_TOLERANCE, compare
from splitshare.progress import track
from splitshare.results.write import write_csv


def run(options: Options) -> None:
    """Compare whole and split models, at true size where two copies fit into memory.

    Writes ``split_equivalence.csv`` (the verdicts, the same on every machine) and ``differences.csv`` (which rounding
    makes differ between processors).

    Raises:
        InputError: a model is unknown or cannot be built.
        WorkError: a model has no whole counterpart.
    """
    catalog = load_catalog(options.catalog_root)
    chosen = [catalog.model(name) for name in options.models] if options.models else list(catalog.models.values())
    comparisons = [
        compare(catalog, model, seed=options.seed) for model in track(chosen, "comparing", total=len(chosen))
    ]
    verdicts = pd.DataFrame(
        {
            "model": [e.model for e in comparisons],
            "answers": [e.answers for e in comparisons],
            "relative_tolerance": RELATIVE_TOLERANCE,
            "agrees": [e.agrees for e in comparisons],
            "compared": [e.reduced or "true size" for e in comparisons],
        }
    )
    write_csv(verdicts, options.output / "split_equivalence.csv")
    differences = verdicts.assign(
        largest_answer=[e.largest_answer for e in comparisons],
        largest_difference=[e.largest_difference for e in comparisons],
    )
    write_csv(differences, options.output / "differences.csv")
