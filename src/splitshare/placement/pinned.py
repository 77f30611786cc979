"""Digests that pin instances down: results are comparable only where these agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from splitshare.errors import InputError, WorkError
from splitshare.records import Name, Record

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PinnedInstances(Record):
    """``data/baselines/instances.json``: SHA-256 of each canonical instance's JSON, by instance name."""

    schema_: Literal["splitshare.pinned-instances/1"] = Field(alias="schema")
    instances: dict[Name, Digest]


class Instance(Protocol):
    """An instance of any problem."""

    @property
    def name(self) -> str:
        """Its name, which no other of its set has."""
        ...

    def sha256(self) -> str:
        """Digest of its canonical JSON."""
        ...


def digests(instances: Iterable[Instance]) -> dict[str, str]:
    """SHA-256 of each instance's canonical JSON, by instance name."""
    return {instance.name: instance.sha256() for instance in instances}


def pinned(instances: Sequence[Instance]) -> PinnedInstances:
    """The digests of ``instances`` as a record."""
    return PinnedInstances(schema_="splitshare.pinned-instances/1", instances=digests(instances))


def check_pinned(instances: Sequence[Instance], path: Path) -> None:
    """Hold instances against the digests in ``path``.

    Raises:
        InputError: an instance is not in the file.
        WorkError: an instance has another digest than the file says.
    """
    recorded = PinnedInstances.read(path).instances
    for name, digest in digests(instances).items():
        if name not in recorded:
            raise InputError(path, f"instances.{name}", "is missing; after a meant change run `make pin`")
        if recorded[name] != digest:
            raise WorkError(
                f"instance {name} has digest {digest[:12]}..., {path} says {recorded[name][:12]}...: recorded results "
                "speak of another instance; undo the change or, if it is meant, run `make pin` and record them again"
            )
