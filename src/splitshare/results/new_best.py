"""Where a method is better than the best that was known: found, and told (ours).

Of families whose optima are not all proved, recorded results have three more columns: ``reference`` is then the best
value that is known, ``proved_bound`` what no value can be below, and ``found_by`` what found the best value.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from splitshare.choices import Sense
from splitshare.errors import WorkError
from splitshare.files import sha256_bytes
from splitshare.results.table import BOUND_TOLERANCE, OPTIMALITY_TOLERANCE


@dataclass(frozen=True)
class NewBest:
    """An instance on which a method is the best known."""

    instance: str
    objective: float
    best_known: float
    """The best value before."""
    found_by: str
    """What found that."""
    bound: float
    """What no value is beyond."""

    def in_words(self, unit: str) -> str:
        """A clause: the instance and both values."""
        ends = f" {unit}" if unit else ""
        return (
            f"{self.instance}: {self.objective:.9g}{ends} where {self.best_known:.9g}{ends} ({self.found_by}) was the "
            f"best, and {self.bound:.9g}{ends} is the proved bound"
        )


def new_bests(runs: pd.DataFrame, recorded: pd.DataFrame, sense: Sense) -> tuple[NewBest, ...]:
    """Instances on which the best of a method's runs is better than what is known, by more than 1e-6 of it.

    Args:
        runs: of the method, with ``instance`` and ``objective``.
        recorded: results with ``instance``, ``reference``, ``proved_bound`` and ``found_by``.
        sense: whether less or more is better.

    Raises:
        WorkError: a value is beyond the proved bound: the record or the evaluator is wrong.
    """
    facts = recorded.drop_duplicates("instance")[["instance", "reference", "proved_bound", "found_by"]]
    known = {str(name): facts for name, *facts in facts.itertuples(index=False, name=None)}
    sign = 1 if sense == "min" else -1
    found: list[NewBest] = []
    for name, values in runs.dropna(subset="objective").groupby("instance", sort=False)["objective"]:
        instance, best = str(name), float(values.min() if sense == "min" else values.max())
        before, bound, found_by = known[instance]
        if sign * (best - bound) < -BOUND_TOLERANCE * abs(bound):
            raise WorkError(f"{instance}: {best!r} is beyond the proved bound {bound!r}: the record is wrong")
        if sign * (best - before) < -OPTIMALITY_TOLERANCE * abs(before):
            found.append(NewBest(instance, best, before, found_by, bound))
    return tuple(found)


def digest_of_best(recorded: pd.DataFrame) -> str:
    """Digest of the best known values: gaps to the same ones can be compared."""
    known = recorded.drop_duplicates("instance").sort_values("instance")
    lines = [f"{name} {value:.9g}" for name, value in zip(known["instance"], known["reference"], strict=True)]
    return sha256_bytes("\n".join(lines).encode())
