"""Write down the digests of instances, to be held against later ones."""

from __future__ import annotations

from splitshare.commands.pin import Options
from splitshare.placement.instance import PlacementInstance
from splitshare.placement.pinned import pinned


def run(options: Options) -> None:
    """Write ``splitshare.pinned-instances/1`` for ``instances``, in the order given.

    Raises:
        InputError: an instance is wrong.
    """
    pinned([PlacementInstance.read(path) for path in options.instances]).write(options.output)
