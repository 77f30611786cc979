"""What is broken on purpose during a replay, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from splitshare.errors import InputError
from splitshare.placement.instance import PlacementInstance
from splitshare.ranges import MOST_SECONDS
from splitshare.records import nearest

FaultKind = Literal["kill", "stick", "slow", "cut", "restore"]
_FORM = re.compile(r"(?P<kind>[a-z]+):(?P<where>[^@]+(?:@[^@]+)*)@(?P<at>[0-9.]+)(?:x(?P<factor>[0-9.]+))?")


@dataclass(frozen=True)
class Fault:
    """One thing that breaks."""

    kind: FaultKind
    where: tuple[str, ...]
    """A device, or the two ends of a link."""
    at_s: float
    """Seconds since the replay began."""
    factor: float = 1.0
    """How many times slower a straggler is."""


def parse_fault(text: str, instance: PlacementInstance) -> Fault:
    """Read ``kill:DEVICE@5``, ``stick:DEVICE@5``, ``slow:DEVICE@5x3``, ``cut:A--B@5`` or ``restore:A--B@8``.

    Raises:
        InputError: it is none of these, or names something that the instance does not have.
    """
    match = _FORM.fullmatch(text)
    forms = "kill:DEVICE@5, stick:DEVICE@5, slow:DEVICE@5x3, cut:A--B@5, restore:A--B@8"
    if match is None:
        raise InputError("--fault", text, f"is none of {forms}")
    names = list(instance.devices_by_name)
    try:
        at_s, factor = float(match["at"]), float(match["factor"] or 1.0)
    except ValueError:
        raise InputError("--fault", text, "has a time or factor that is no number") from None
    if at_s > MOST_SECONDS or not 1e-6 <= factor <= 1e6:
        raise InputError("--fault", text, f"has a time above {MOST_SECONDS:g} s, or a factor beyond 1e-6 to 1e6")
    kind = match["kind"]
    if (kind == "slow") != (match["factor"] is not None):
        raise InputError("--fault", text, "a factor belongs to slow:DEVICE@5x3, and to nothing else")
    where = tuple(match["where"].split("--")) if kind in {"cut", "restore"} else (match["where"],)
    for name in where:
        if name not in names:
            raise InputError("--fault", text, f"unknown device {name!r}; {nearest(name, names)}")
    if kind in {"cut", "restore"} and (len(where) != 2 or instance.link_between(*where) is None):
        raise InputError("--fault", text, "names no link of the instance; write A--B")
    for known in ("kill", "stick", "slow", "cut", "restore"):
        if kind == known:
            return Fault(known, where, at_s, factor)
    raise InputError("--fault", text, f"is none of {forms}")
