"""What couples the servers of an instance so that a price of the cloud's computing alone will not do (ours)."""

from __future__ import annotations

from splitshare.onloading.arrays import Arrays
from splitshare.onloading.side_constraints import limiting_field


def coupling(arrays: Arrays) -> str | None:
    """What the instance has that couples its servers, as the rest of "it has ..."; ``None``: nothing does."""
    field = limiting_field(arrays.instance)
    if field is not None:
        return f"{field}, which couples all servers"
    return "servers above servers (upstream), which couples them" if arrays.tiers else None
