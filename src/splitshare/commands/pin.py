"""``splitshare pin``: write down the digests of instances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pinned import pinned


def run(instances: Sequence[Path], output: Path) -> None:
    """Write ``splitshare.pinned-instances/1`` for ``instances``, in the order given.

    Raises:
        InputError: an instance is wrong.
    """
    pinned([PlacementInstance.read(path) for path in instances]).write(output)
