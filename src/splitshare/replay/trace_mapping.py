"""Which request a row of a recorded trace stands for: its class and its size, by a file of rules, seeded (ours).

Public traces know tokens, functions and models of their own, not the classes of an instance. A mapping says what stands
for what, so that a replay can be repeated and disputed; without one, classes are drawn by their rates and sizes are 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from splitshare.errors import InputError, shown
from splitshare.placement.instance import PlacementInstance
from splitshare.records import Factor, Name, NonNegative, Positive, Record, nearest
from splitshare.replay.public_traces import RecordedRequests
from splitshare.replay.traces import MOST_SIZE, RequestTrace

Column = Annotated[str, Field(min_length=1, max_length=200)]


class Range(Record):
    """Numbers from ``at_least`` on and ``below`` another."""

    at_least: NonNegative = 0.0
    below: NonNegative | None = None


class ClassRule(Record):
    """Rows that fit are of one of these request classes."""

    where: dict[Column, str | Range] = Field(default_factory=dict)
    """By column: the text that stands there, or a range of numbers; all must hold. Empty: every row."""
    requests: dict[Name, Positive] = Field(min_length=1)
    """Classes, with the weights by which one is drawn."""


class SizeRule(Record):
    """A request's size, from a number of its row."""

    column: Column
    per: Positive
    """The number that is size 1."""
    least: Factor = 1e-6
    most: Factor = MOST_SIZE

    @model_validator(mode="after")
    def _ordered(self) -> SizeRule:
        if self.least > self.most:
            raise ValueError(f"least: must be at most {self.most:g}, which is most")
        return self


class TraceMapping(Record):
    """Rules for the rows of a recorded trace; the first that fits is taken, rows that none fits are left out."""

    schema_: Literal["splitshare.trace-mapping/1"] = Field(alias="schema")
    classes: tuple[ClassRule, ...] | None = Field(default=None, min_length=1)
    """Left out: all rows, classes drawn by the instance's rates."""
    size: SizeRule | None = None


def map_requests(
    recorded: RecordedRequests,
    instance: PlacementInstance,
    mapping: TraceMapping,
    *,
    source: str,
    seed: int,
    kind: str,
) -> tuple[RequestTrace, tuple[str, ...]]:
    """A trace of an instance's classes from recorded requests.

    Args:
        recorded: the rows.
        instance: whose classes they become.
        mapping: by which rules.
        source: the mapping's file, for messages.
        seed: of what is drawn.
        kind: what the trace says of where it is from.

    Returns:
        The trace, and what its reader should know.

    Raises:
        InputError: a rule names a column or a class that there is not, or no row fits any rule.
    """
    rates = {request.name: request.rate_per_s for request in instance.requests}
    rules = mapping.classes or (ClassRule(requests=rates),)
    names = tuple(rates)
    stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed).spawn(2)[1]))
    drawn = stream.random(len(recorded))
    chosen = np.full(len(recorded), -1, dtype=np.int64)
    told: list[str] = []
    for i, rule in enumerate(rules):
        for name in rule.requests:
            if name not in rates:
                problem = f"unknown request class {name!r}; {nearest(name, list(names))}"
                raise InputError(source, f"classes[{i}].requests", problem)
        fits, idle = left_for(chosen < 0, fitting(recorded, rule.where, source, f"classes[{i}]"), f"classes[{i}]")
        told += idle
        weights = np.array(list(rule.requests.values()))
        edges = np.cumsum(weights) / weights.sum()
        numbers = np.array([names.index(name) for name in rule.requests])
        # A share of just below 1 may round up to it, so that the search would end behind the last class.
        which = np.minimum(np.searchsorted(edges, drawn[fits], side="right"), len(numbers) - 1)
        chosen[fits] = numbers[which]
    kept = np.flatnonzero(chosen >= 0)
    if len(kept) < len(recorded):
        told.append(f"{len(recorded) - len(kept)} of {len(recorded)} rows fit no rule and are left out")
    if not len(kept):
        raise InputError(source, "classes", "no row of the trace fits any rule; mend `where`, or add a rule without it")
    part = recorded.select(kept)
    trace = RequestTrace(
        request_id=np.arange(len(part), dtype=np.int64),
        arrival_s=part.arrival_s,
        classes=names,
        request_class=chosen[kept],
        size=_sizes(part, mapping.size, source, told),
        kind=kind,
    )
    return trace, tuple(told)


def fitting(
    recorded: RecordedRequests, conditions: Mapping[str, str | Range], source: str, field: str
) -> NDArray[np.bool_]:
    """Which rows meet all conditions, shape (requests,).

    Args:
        recorded: the rows.
        conditions: by column, the text that stands there, or a range of numbers; an empty cell is in no range, and the
            empty text is what stands there.
        source: the file that says so, for messages.
        field: the rule there.

    Raises:
        InputError: a condition names a column that there is not, a text that no row has, or is of the other kind.
    """
    fits = np.ones(len(recorded), dtype=bool)
    for column, condition in conditions.items():
        where = f"{field}.where.{column}"
        if isinstance(condition, Range):
            values = _number_column(recorded, column, source, where)
            fits &= values >= condition.at_least
            if condition.below is not None:
                fits &= values < condition.below
        elif column in recorded.labels:
            codes, texts = recorded.labels[column]
            if condition not in texts:
                problem = f"no row has {condition!r} there; {nearest(condition, list(texts))}"
                raise InputError(source, where, problem)
            fits &= codes == texts.index(condition)
        elif column in recorded.numbers:
            empty = np.isnan(recorded.numbers[column])
            if condition or not empty.any():
                raise InputError(source, where, "is a column of numbers; give a range, such as { at_least: 1 }")
            fits &= empty
        else:
            raise InputError(source, where, _unknown(recorded, column))
    return fits


def left_for(left: NDArray[np.bool_], fits: NDArray[np.bool_], rule: str) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The rows that a rule gets, shape (requests,), and what is to be told where these are none.

    Args:
        left: rows that no rule above fits.
        fits: rows that it fits.
        rule: its field in the mapping.
    """
    own = left & fits
    if own.any():
        return own, ()
    return own, (f"{rule} fits no row" + (" that no rule above fits" if fits.any() else ""),)


def values_of(recorded: RecordedRequests, column: str, source: str, where: str) -> NDArray[np.int64]:
    """The number of each row's value among those of a column, from 0 on, shape (requests,).

    Raises:
        InputError: there is no such column.
    """
    if column in recorded.labels:
        return recorded.labels[column][0]
    return np.unique(_number_column(recorded, column, source, where), return_inverse=True)[1].astype(np.int64)


def _sizes(recorded: RecordedRequests, rule: SizeRule | None, source: str, told: list[str]) -> NDArray[np.float64]:
    if rule is None:
        return np.ones(len(recorded))
    size = _number_column(recorded, rule.column, source, "size.column") / rule.per
    empty = int(np.isnan(size).sum())
    if empty:
        problem = f"has no number in {empty} of {len(size)} rows that a rule fits; ask for one there in `where`"
        raise InputError(source, "size.column", f"{rule.column!r} {problem}, such as {{ at_least: 0 }}")
    clipped = np.clip(size, rule.least, rule.most)
    moved = int((clipped != size).sum())
    if moved:
        told.append(f"{moved} sizes are set to the limits, {rule.least:g} and {rule.most:g}")
    return clipped


def _number_column(recorded: RecordedRequests, column: str, source: str, where: str) -> NDArray[np.float64]:
    if column in recorded.numbers:
        return recorded.numbers[column]
    if column in recorded.labels:
        texts = recorded.labels[column][1]
        values = pd.to_numeric(pd.Series(texts), errors="coerce")
        other = next((t for t, value in zip(texts, values, strict=True) if t.strip() and not np.isfinite(value)), None)
        said = "" if other is None else f", for {shown(other)} stands there"
        raise InputError(source, where, f"{column!r} is a column of text{said}; name one of numbers")
    raise InputError(source, where, _unknown(recorded, column))


def _unknown(recorded: RecordedRequests, column: str) -> str:
    return f"unknown column {column!r}; {nearest(column, [*recorded.numbers, *recorded.labels])}"
