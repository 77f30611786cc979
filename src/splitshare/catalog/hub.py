"""Where published weights lie: typed records of ``data/catalogue/hub.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from splitshare.records import Name, Record


class HubWeights(Record):
    """Where weights are published."""

    repository: str
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """The commit; None until somebody pins it."""


class HubFile(Record):
    """``data/catalogue/hub.yaml``."""

    schema_: Literal["splitshare.hub/1"] = Field(alias="schema")
    weights: dict[Name, HubWeights]
