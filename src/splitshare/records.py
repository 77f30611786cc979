"""The base of every record that is read from a file: strict, frozen, and with errors of one line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from splitshare.errors import InputError, shortened, shown
from splitshare.files import canonical_json, parse_json, parse_yaml, read_text, sha256_bytes, write_text
from splitshare.locations import Location, field_path, locate
from splitshare.ranges import LEAST_SECONDS, MOST_BATCH, MOST_NAME, MOST_SECONDS, MOST_SEED, MOST_WAIT_S

if TYPE_CHECKING:
    from typing import Self  # not in Python 3.10, which workers run on

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._+-]*$", max_length=MOST_NAME)]
"""A name that can be part of a file name: letters, digits and ``@ . _ + -``."""

LABEL = r"^[A-Za-z0-9_][A-Za-z0-9@._+:=,\[\]-]*$"
Label = Annotated[str, Field(pattern=LABEL, max_length=200)]
"""A method's label: a name, with parameters in brackets or without, or ``file.py:Class``."""

# Every number that a person writes has a range: wider than any device, network or model, and so narrow that products
# and sums of what is read stay finite. What is divided by is kept away from 0 for the same reason.
Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]
"""0 to 30 years."""
WaitSeconds = Annotated[float, Field(ge=1e-6, le=MOST_WAIT_S, allow_inf_nan=False)]
"""How long something may take here: a microsecond to twelve days."""
PositiveSeconds = Annotated[float, Field(ge=LEAST_SECONDS, le=MOST_SECONDS, allow_inf_nan=False)]
"""A picosecond to 30 years."""
Joules = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
PositiveJoules = Annotated[float, Field(ge=1e-12, le=1e12, allow_inf_nan=False)]
JoulesPerByte = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Bytes = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]
"""0 to an exabyte."""
PositiveBytes = Annotated[float, Field(ge=1e-3, le=1e18, allow_inf_nan=False)]
BytesPerS = Annotated[float, Field(ge=1e-3, le=1e18, allow_inf_nan=False)]
FlopsPerS = Annotated[float, Field(ge=1, le=1e24, allow_inf_nan=False)]
PerS = Annotated[float, Field(ge=1e-9, le=1e12, allow_inf_nan=False)]
"""Requests or queries a second: one in 30 years, to one in a picosecond."""
Demand = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
"""Queries a second, or none."""
Skew = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)]
"""How many times as much."""
Limit = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
"""Seconds of computing a second: so many processors."""
NonNegative = Annotated[float, Field(ge=0, le=1e30, allow_inf_nan=False)]
"""A number with no unit of those above."""
Positive = Annotated[float, Field(ge=1e-30, le=1e30, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-1e100, le=1e100, allow_inf_nan=False)]
"""What a method says of its answer; solvers write 1e100 for no bound."""
Count = Annotated[int, Field(ge=0, le=10**9)]
"""A number of things that are gone through one by one."""
PositiveCount = Annotated[int, Field(ge=1, le=10**9)]
BatchSize = Annotated[int, Field(ge=1, le=MOST_BATCH)]
"""Runs that go as one at most: tables have a column for each."""
Amount = Annotated[int, Field(ge=0, le=10**18)]
"""A number of bytes, operations or parameters: fits 64 bits."""
PositiveAmount = Annotated[int, Field(ge=1, le=10**18)]
Whole = Annotated[int, Field(ge=-(10**18), le=10**18)]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
"""The seeds that all solvers take."""


class Record(BaseModel):
    """A strict, frozen record; unknown keys are errors, numbers are finite, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True)
    LABELS: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where the record comes from and nothing that an algorithm may answer to."""

    def to_json(self) -> str:
        """The record as canonical JSON; fields that have their default are left out."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    def write(self, path: Path | str) -> None:
        """Write the record to ``path`` as canonical JSON, whole or not at all."""
        write_text(Path(path), self.to_json())

    def sha256(self) -> str:
        """Digest of the canonical JSON without labels, the same however the file that it came from was laid out."""
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(self.LABELS))
        return sha256_bytes(canonical_json(said).encode())

    def with_changes(self, **fields: Any) -> Self:
        """The record with other values for ``fields``, by their names in Python; the others stay.

        Unlike ``model_copy`` it makes a new record: its fields are validated, also as to whether they go together, and
        lookups that the old one has cached do not come along. A field takes plain values, or records as they are.

        Raises:
            ValueError: a field is unknown, a value is not what it takes, or the values do not go together.
        """
        cls = type(self)
        return cls.model_validate({name: getattr(self, name) for name in cls.model_fields} | fields)

    @classmethod
    def parse(cls, value: Any, source: Path | str) -> Self:
        """Validate plain data.

        Raises:
            InputError: names ``source``, the first field that is wrong, and the mend.
        """
        _check_schema(cls, value, source)
        try:
            # Validation in JSON mode turns arrays into tuples while staying strict about everything else.
            return cls.model_validate_json(json.dumps(value))
        except ValidationError as error:
            raise _input_error(cls, error, source) from None
        except (TypeError, ValueError) as error:
            raise InputError(source, "", str(error)) from None
        except RecursionError:
            raise InputError(source, "", "is nested too deeply") from None

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a JSON or YAML file (by its suffix).

        Raises:
            InputError: the file is missing, malformed or does not fit the record.
        """
        path = Path(path)
        text = read_text(path)
        parsed = parse_yaml(text, path) if path.suffix in {".yaml", ".yml"} else parse_json(text, path)
        return cls.parse(parsed, path)


class Versions(Record):
    """Versions of what computed a placement."""

    splitshare: str
    python: str
    solver: str | None = None


class Instance(Protocol):
    """A record that is one instance of a problem: it has a name, and a digest that tells it from others."""

    @property
    def name(self) -> str:
        """The name, in tables and in names of files."""
        ...

    def sha256(self) -> str:
        """Digest of what the instance says."""
        ...

    def model_copy(self, *, deep: bool = ...) -> Self:
        """A copy, which may be changed."""
        ...


_LISTED = 12


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint that names the known word nearest to ``name``, or lists them (the first dozen) where none is near."""
    lowered = {word[:200].lower(): word for word in reversed(known)}
    matches = difflib.get_close_matches(name[:200].lower(), list(lowered), n=1, cutoff=0.5)
    if matches:
        return f"did you mean {shown(lowered[matches[0]])}?"
    if not known:
        return "none is known"
    listed = [shortened(word, 60) for word in sorted(known)]
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return f"known: {', '.join(listed[:_LISTED])}{more}"


def _check_schema(cls: type[BaseModel], value: Any, source: Path | str) -> None:
    """Refuse a file of another contract before any of its fields: what it says it is tells the mend.

    Raises:
        InputError: ``schema`` names another contract, or another version of this one.
    """
    field = cls.model_fields.get("schema_")
    said = value.get("schema") if isinstance(value, dict) else None
    if field is None or not isinstance(said, str) or said in get_args(field.annotation):
        return
    (expected, *_) = get_args(field.annotation)
    name, _, version = said.partition("/")
    if name == expected.partition("/")[0]:
        problem = (
            f"is of version {shown(version)}, and version {expected.partition('/')[2]} is read; make the file anew"
        )
    else:
        problem = f"the file is {shown(said)}, and {expected!r} is expected; is it another file that you mean?"
    raise InputError(source, "schema", problem)


def _said(value: Any) -> str:
    """A value as its file has it."""
    return "null" if value is None else shown(value)


def _input_error(cls: type[BaseModel], error: ValidationError, source: Path | str) -> InputError:
    faults = _faults(cls, error.errors(include_url=False))
    # An unknown key next to a missing one is a misspelling: tell of the unknown key, it names the mend.
    place, told = next((fault for fault in faults if fault[1][0]["type"] == "extra_forbidden"), faults[0])
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    path, first = place.path, told[0]
    match first["type"]:
        case "extra_forbidden":
            known = [i.alias or n for n, i in place.owner.model_fields.items()] if place.owner else []
            problem = f"unknown key; {nearest(str(path[-1]), known)}"
        case "missing":
            problem = "is missing; add it"
        case "union_tag_not_found":
            path, problem = (*path, first["ctx"]["discriminator"].strip("'")), "is missing; add it"
        case "union_tag_invalid":
            path = (*path, first["ctx"]["discriminator"].strip("'"))
            problem = f"must be one of {first['ctx']['expected_tags']}, not {shown(first['ctx']['tag'])}"
        case "value_error":
            problem = first["msg"].removeprefix("Value error, ")
        case "too_short":
            found, least = first["ctx"]["actual_length"], first["ctx"]["min_length"]
            problem = "is empty; it needs at least one entry" if not found else f"has {found} entries; it needs {least}"
            problem += ", or leave it out" if place.optional else ""
        case "string_pattern_mismatch":
            problem = f"must look like {first['ctx']['pattern']}, not {shown(first['input'])}"
        case _:
            wanted = " or ".join(dict.fromkeys(_wanted(detail) for detail in told)).replace(f" or {_BE}", " or ")
            problem = f"{wanted[0].lower()}{wanted[1:]}, not {_said(first['input'])}"
    return InputError(source, field_path(path), problem + more)


_BE = "Input should be "


def _wanted(detail: ErrorDetails) -> str:
    if detail["type"] not in {"greater_than_equal", "less_than_equal"}:
        return detail["msg"]
    (bound,) = (value for name, value in detail["ctx"].items() if name in {"ge", "le"})  # pydantic writes all digits
    return f"{_BE}{detail['type'].replace('_', ' ').replace('equal', 'or equal')} to {bound:g}"


def _within(location: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(location) > len(other) and location[: len(other)] == other


_Fault = tuple[Location, list[ErrorDetails]]


def _faults(cls: type[BaseModel], details: Sequence[ErrorDetails]) -> list[_Fault]:
    """What is wrong, place by place, and what would be right there.

    Of a value that may be of several kinds pydantic tells what is wrong with it as each of them. Here it counts as the
    kind whose fields it comes nearest to; as any of them where that is none.
    """
    below = [detail["loc"] for detail in details]
    # Entries that are wrong count as not there, too: their list is then told to be too short.
    details = [d for d in details if d["type"] != "too_short" or not any(_within(loc, d["loc"]) for loc in below)]
    faults: list[_Fault] = []
    kinds: dict[tuple[int | str, ...], dict[str, list[_Fault]]] = {}
    for detail in details:
        place = locate(cls, detail["loc"])
        if place.union is None:
            faults.append((place, [detail]))
            continue
        value = place.path[: place.union]
        if value not in kinds:
            faults.append((place, []))  # in its turn
        kinds.setdefault(value, {}).setdefault(place.kind, []).append((place, [detail]))
    return [each for fault in faults for each in ([fault] if fault[1] else _likeliest(kinds, fault[0]))]


def _likeliest(kinds: dict[tuple[int | str, ...], dict[str, list[_Fault]]], place: Location) -> list[_Fault]:
    """Faults of one value, as the kind that it comes nearest to."""
    value = place.path[: place.union]
    tried = list(kinds[value].values())
    near = [
        faults
        for faults in tried
        if any(len(found.path) > len(value) or one["type"] == "value_error" for found, (one,) in faults)
    ]
    if near:
        return min(near, key=len)
    return [(place, [detail for faults in tried for _, told in faults for detail in told])]
