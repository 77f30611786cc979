"""A claim of a paper's abstract, what was measured, and the verdict by a rule that was fixed before.

Verdicts: ``exceeded`` if better than the paper by more than half a point (of counts: better at all), ``reproduced`` if
it reaches the paper within that, ``partly`` if it reaches half of it, else ``not reproduced``; and ``cannot be judged
here`` where nothing could be measured. A claim about all 95 instances (14 models, 10 benchmarks) is at most ``partly``
while the run has fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reproduced", "exceeded", "partly", "not reproduced", "cannot be judged here"]
HALF_A_POINT = 0.005
STATEMENTS = {
    "S1": "S2M3: splitting saves memory",
    "S2": "S2M3: sharing modules across tasks saves memory",
    "S3": "S2M3: no loss of accuracy",
    "S4": "S2M3: greedy placements are optimal",
    "S5": "S2M3: the edge cuts latency against the cloud",
    "S6": "S2M3: models, tasks and benchmarks",
    "J1": "J3O: accuracy against the optimum's",
    "J2": "J3O: run time against the solver's",
}
"""The claims in our words, by name."""


@dataclass(frozen=True)
class Claim:
    """A row of ``claims.csv``; one claim has several where it can be read in several ways."""

    claim: str
    reading: str
    """Over what it is read; the first row of a claim is the abstract's own reading, as we understand it."""
    paper_value: str
    measured_value: str
    unit: str
    n: int
    """How many models, workloads, instances or predictions the value is of."""
    rule: str
    """What decides the verdict."""
    verdict: Verdict
    note: str
    source: str
    """Results file that the value was computed from."""


def saving_verdict(measured: float, paper: float) -> Verdict:
    """Verdict on a saving (a share): see the module's rules."""
    if measured > paper + HALF_A_POINT:
        return "exceeded"
    if measured >= paper - HALF_A_POINT:
        return "reproduced"
    return "partly" if measured >= paper / 2 else "not reproduced"


def counted_verdict(found: int, of: int, paper_found: int, paper_of: int) -> Verdict:
    """Verdict on a count: the paper's share, over at least as many."""
    if found * paper_of < paper_found * of:
        return "not reproduced"
    if of < paper_of:
        return "partly"
    return "exceeded" if found * paper_of > paper_found * of else "reproduced"
