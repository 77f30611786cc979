"""Draws of times that are off by so much, a device and a module, and what comes of the claims in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from splitshare.results.claim import Claim

Which = Literal["all", "assumed"]
Pair = tuple[str, str]
"""Device type and module (or device class and model)."""
COLUMNS = (
    *("claim", "reading", "as_recorded", "times", "spread", "draws"),
    *("holds", "same_verdict", "verdicts", "n", "seed"),
)


class Finding(NamedTuple):
    """What is found of a claim, or of the order of two methods."""

    claim: str
    reading: str
    verdict: str
    n: int
    """Of how many instances or models."""


ORDER = ("not reproduced", "partly", "reproduced", "exceeded")
"""Verdicts, from the worst."""
RANKS = ("behind", "level", "ahead")
"""Where a method stands to another."""
UNJUDGED = "cannot be judged here"


def holds(verdict: str, as_recorded: str) -> bool:
    """Whether a conclusion stands with another verdict than the recorded one.

    It does where the claim is still reproduced, or partly, if it was no more than that before; of two methods, where
    the first is not behind, or was before.
    """
    for order, enough in ((ORDER, "reproduced"), (RANKS, "level")):
        if as_recorded in order:
            return order.index(verdict) >= min(order.index(as_recorded), order.index(enough))
    raise ValueError(f"unknown verdict {as_recorded!r}")


@dataclass(frozen=True)
class Perturbation:
    """Times off by up to ``spread`` for each device and, on it, for each module: all times, or the assumed ones."""

    spread: float
    which: Which


def factors(
    pairs: Collection[Pair], perturbation: Perturbation, seed: int, draw: int, assumed: Collection[Pair] = ()
) -> Callable[[str, str], float]:
    """What times are multiplied by in a draw, by device and module.

    It is the product of a factor a device and a factor a pair, each uniform in ``[1 - spread, 1 + spread]``. A draw is
    the same for every instance, and a pair that is left alone (not among the assumed) takes no part in what others get.

    Args:
        pairs: every device and module that has a time.
        perturbation: how far off, and which times.
        seed: of all draws.
        draw: number of the draw.
        assumed: pairs whose times are assumed.
    """
    ordered = sorted(pairs)
    devices = sorted({device for device, _ in ordered})
    rng = np.random.default_rng([seed, draw])
    of_device = dict(zip(devices, rng.uniform(-1, 1, len(devices)), strict=True))
    of_pair = dict(zip(ordered, rng.uniform(-1, 1, len(ordered)), strict=True))
    left_alone = set(ordered) - set(assumed) if perturbation.which == "assumed" else set()

    def factor(device: str, module: str) -> float:
        if (device, module) in left_alone:
            return 1.0
        off = perturbation.spread
        return float((1 + off * of_device[device]) * (1 + off * of_pair[device, module]))

    return factor


def findings(claims: Iterable[Claim]) -> list[Finding]:
    """What a draw says of claims."""
    return [Finding(c.claim, c.reading, c.verdict, c.n) for c in claims]


def summary(
    as_recorded: Sequence[Finding], drawn: Sequence[Sequence[Finding]], perturbation: Perturbation, seed: int
) -> pd.DataFrame:
    """One row a claim and reading: in which share of the draws it holds, and in which its verdict is the same.

    Draws in which it cannot be judged are not counted.
    """
    rows = []
    for own in as_recorded:
        of_it = [f for draw in drawn for f in draw if (f.claim, f.reading) == (own.claim, own.reading)]
        found = [f for f in of_it if f.verdict != UNJUDGED]
        if not found or own.verdict == UNJUDGED:
            continue
        counts = pd.Series([f.verdict for f in found]).value_counts()
        rows.append(
            {
                "claim": own.claim,
                "reading": own.reading,
                "as_recorded": own.verdict,
                "times": perturbation.which,
                "spread": perturbation.spread,
                "draws": len(found),
                "holds": sum(holds(f.verdict, own.verdict) for f in found) / len(found),
                "same_verdict": sum(f.verdict == own.verdict for f in found) / len(found),
                "verdicts": "; ".join(f"{verdict} {counts[verdict]}" for verdict in sorted(counts.index)),
                "n": own.n,
                "seed": seed,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
