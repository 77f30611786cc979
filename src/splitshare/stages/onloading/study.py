"""What the parts of J3O are worth, and how its rounds converge; tables into the directory OUTPUT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitshare.commands.onloading.study import Options
from splitshare.errors import InputError
from splitshare.jsonl import read_lines
from splitshare.onloading.alternation import AlternationSettings, alternate
from splitshare.onloading.arrays import arrays_of
from splitshare.onloading.contract import load
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.lp import OffloadingLp
from splitshare.onloading.run import solve
from splitshare.progress import track
from splitshare.records import nearest
from splitshare.results.onloading import read_record, references, size_of
from splitshare.results.write import write_csv

ROUNDS: dict[str, object] = {"compare": False, "share": 0.0}
"""Without the stages that come last."""
VARIANTS: dict[str, tuple[str, dict[str, object]]] = {
    "as it is": ("j3o-batching", {}),
    "without batching": ("j3o", {}),
    "without comparing with simpler methods": ("j3o-batching", {"compare": False}),
    "without looking further": ("j3o-batching", {"share": 0.0}),
    "rounds and the search over servers alone": ("j3o-batching", ROUNDS),
    "rounds alone": ("j3o-batching", ROUNDS | {"trials": 0}),
    "rounds alone, without filling locations anew": ("j3o-batching", ROUNDS | {"trials": 0, "passes": 0}),
    "without alternation (prices set once)": ("j3o-batching", ROUNDS | {"rounds": 2, "trials": 0}),
    "without multipliers (no prices)": ("j3o-batching", ROUNDS | {"prices": False, "trials": 0}),
}
"""Algorithm and parameters by what is left out."""


def run(options: Options) -> None:
    """Write ``ablation.csv`` and ``convergence.csv`` into ``output``.

    Raises:
        InputError: a file is wrong, or an instance is not in the suite.
    """
    instances = {instance.name: instance for instance in read_lines(OnloadingInstance, options.suite)}
    reference = references(read_record(options.record))["reference"]
    rows = []
    for variant, (name, parameters) in VARIANTS.items():
        algorithm = load(name, **parameters)
        for instance in track(instances.values(), f"ablation: {variant}"):
            if size_of(instance) == options.size:
                objective = solve(instance, algorithm).objective or 0.0
                ratio = objective / float(reference[instance.name])
                rows.append({"variant": variant, "instance": instance.name, "ratio": round(ratio, 6)})
    write_csv(pd.DataFrame(rows), options.output / "ablation.csv")
    write_csv(convergence(instances, options.converging, reference, options.suite), options.output / "convergence.csv")


def convergence(
    instances: dict[str, OnloadingInstance], names: Sequence[str], reference: pd.Series[float], suite: Path
) -> pd.DataFrame:
    """A row a round: its decision, the best so far and the bound, as shares of the reference."""
    rows = []
    for name in names:
        if name not in instances:
            raise InputError(suite, name, f"is not in the suite; {nearest(name, list(instances))}")
        alternation = alternate(OffloadingLp(arrays_of(instances[name])), AlternationSettings())
        known = float(reference[name])
        for number, one in enumerate(alternation.rounds, start=1):
            shares = {key: round(value / known, 6) for key, value in vars(one).items()}
            rows.append({"instance": name, "round": number, **shares})
    return pd.DataFrame(rows)
