"""A verdict as a file, with where it comes from, so that tables of many can be built (contract ours).

Two verdicts over one family can stand in one table where their ``instances_sha256`` are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from splitshare.errors import InputError
from splitshare.files import sha256_bytes
from splitshare.records import Count, Finite, Instance, Label, Name, Record
from splitshare.results.statistics import NoInterval

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=10_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Interval(Record):
    """A mean over instances, with its confidence interval or why there is none."""

    estimate: Finite
    low: Finite | None
    high: Finite | None
    confidence: Share
    clusters: Count
    no_interval: NoInterval | None

    @model_validator(mode="after")
    def _around(self) -> Self:
        ends = (self.low, self.high)
        if (self.low is None) != (self.high is None):
            raise ValueError("low, high: give both or neither")
        if self.low is not None and self.high is not None and not self.low <= self.estimate <= self.high:
            raise ValueError(f"estimate: must lie between low and high, {ends[0]:g} and {ends[1]:g}")
        return self


class MethodSummary(Record):
    """One method over a family."""

    method: Label
    instances: Count
    clusters: Count
    """Workloads of these instances; what is drawn together."""
    placed: Count
    optimal: Count
    mean_gap: Interval | None
    worst_gap: Finite | None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if not self.optimal <= self.placed <= self.instances:
            raise ValueError("placed: must lie between optimal and instances")
        return self


class DuelRecord(Record):
    """The new method against a recorded one, instance by instance."""

    baseline: Label
    wins: Count
    ties: Count
    losses: Count
    clusters: Count
    deciding: Count
    p_value: Share
    smallest_p: Share
    better: bool | None


class NewBestRecord(Record):
    """An instance on which the new method is the best known."""

    instance: Text
    objective: Finite
    best_known: Finite
    """The best value before."""
    found_by: Text
    """What found that."""
    bound: Finite
    """What no value is beyond."""


class FamilyVerdict(Record):
    """What was found over one family of instances."""

    family: Name
    method: Label
    instances_sha256: Sha256
    """Digest of the family's instances (of their digests, in order): verdicts with the same can be compared."""
    summaries: tuple[MethodSummary, ...] = Field(min_length=1)
    """The new method first."""
    duels: tuple[DuelRecord, ...]
    best_known_sha256: Sha256 | None = None
    """Where gaps are to the best known values, not to proved optima: their digest."""
    new_best: tuple[NewBestRecord, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [summary.method for summary in self.summaries]
        if names[0] != self.method:
            raise ValueError(f"summaries[0].method: must be {self.method!r}, the new method, which comes first")
        if len(set(names)) < len(names):
            raise ValueError("summaries: a method stands there twice; keep one")
        strangers = [duel.baseline for duel in self.duels if duel.baseline not in names[1:]]
        if strangers:
            raise ValueError(f"duels: {strangers[0]!r} has no summary")
        return self


class Judged(Record):
    """What was judged."""

    name: Text
    """The algorithm as it was asked for, without its folder, or the file of results."""
    file_sha256: Sha256 | None
    """Digest of the file, where it is one."""
    ran_here: bool
    """Whether what wrote the verdict ran and checked it; if not, its objectives are as somebody reported them."""


class TimeRatio(Record):
    """Median run time as a multiple of a baseline's, both taken in one run."""

    to: Label
    median: Finite


class Check(Record):
    """A check of the contract."""

    check: Name
    passed: bool
    message: Text


class Repeated(Record):
    """Runs that were done a second time with the same seed, and the instances that were answered otherwise."""

    runs: Count
    changed: tuple[Text, ...]


class Failure(Record):
    """A run that gave no answer that holds."""

    instance: Text
    seed: Count
    status: Text
    reason: Text


class VerdictFile(Record):
    """The machine-readable verdict, ``verdict.json``."""

    schema_: Literal["splitshare.verdict/2"] = Field(alias="schema")
    problem: Name
    method: Label
    judged: Judged
    made_with: dict[Name, Text]
    """Versions, machine and date."""
    families: tuple[FamilyVerdict, ...] = Field(min_length=1)
    time_ratio: TimeRatio | None
    checks: tuple[Check, ...]
    repeated: Repeated
    failures: tuple[Failure, ...]

    @model_validator(mode="after")
    def _of_one_method(self) -> Self:
        for i, part in enumerate(self.families):
            if part.method != self.method:
                raise ValueError(f"families[{i}].method: must be {self.method!r}, as the verdict's")
            if part.family in [other.family for other in self.families[:i]]:
                raise ValueError(f"families[{i}].family: {part.family!r} stands there twice; keep one")
        return self


def digest_of(instances: Sequence[Instance]) -> str:
    """Digest of a family: of its instances' digests, in order of their names."""
    return sha256_bytes("\n".join(sorted(f"{i.name} {i.sha256()}" for i in instances)).encode())


def standings(paths: Sequence[Path]) -> pd.DataFrame:
    """One row a family and method of several verdicts: the new ones, and the recorded ones that they were held against.

    Sorted by family, instances with an answer, and mean gap. ``verdict`` is the file, empty for recorded methods;
    ``new_best`` names each instance on which a new method is the best known, and both values.

    Raises:
        InputError: a file is no verdict, two are of different problems, or of one family with other instances or
            other best known values.
    """
    first: dict[str, tuple[Path, FamilyVerdict]] = {}
    rows, problem = [], ""
    for i, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:i]]:
            raise InputError(path, "", "is given twice; give it once")
        file = VerdictFile.read(path)
        problem = problem or file.problem
        if file.problem != problem:
            raise InputError(path, "problem", f"is {file.problem!r}, and {paths[0]} is of {problem!r}; give one's")
        for j, part in enumerate(file.families):
            other, known = first.setdefault(part.family, (path, part))
            if part.instances_sha256 != known.instances_sha256:
                mend = f"is of other instances than {other}; judge both with the same recorded baselines"
                raise InputError(path, f"families[{j}].instances_sha256", mend)
            if part.best_known_sha256 != known.best_known_sha256:
                mend = f"is of other best known values than {other}; judge both with the same recorded baselines"
                raise InputError(path, f"families[{j}].best_known_sha256", mend)
            made = f"{file.made_with.get('splitshare', '')} {file.made_with.get('date', '')[:10]}".strip()
            row = _row(part.family, part.summaries[0], str(path), file.judged.ran_here, made)
            rows.append(row | {"new_best": "; ".join(_told(best) for best in part.new_best)})
    for family, (_, part) in first.items():
        rows += [_row(family, summary, "", None, "") for summary in part.summaries[1:]]
    table = pd.DataFrame(rows)
    ordered = table.sort_values(["family", "placed", "mean_gap"], ascending=[True, False, True], kind="stable")
    return ordered.reset_index(drop=True)


def _told(best: NewBestRecord) -> str:
    return f"{best.instance}: {best.objective:.9g}, was {best.best_known:.9g} ({best.found_by})"


def _row(family: str, summary: MethodSummary, path: str, ran: bool | None, made: str) -> dict[str, object]:
    gap = summary.mean_gap
    return {
        "family": family,
        "method": summary.method,
        "instances": summary.instances,
        "placed": summary.placed,
        "optimal": summary.optimal,
        "mean_gap": None if gap is None else gap.estimate,
        "mean_gap_low": None if gap is None else gap.low,
        "mean_gap_high": None if gap is None else gap.high,
        "worst_gap": summary.worst_gap,
        "new_best": "",
        "runs": {True: "run and checked", False: "as reported", None: "recorded"}[ran],
        "made_with": made,
        "verdict": path,
    }
