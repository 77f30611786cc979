"""``splitshare verify``: recheck a certificate of an optimum without a solver."""

from __future__ import annotations

from pathlib import Path

from splitshare.errors import WorkError
from splitshare.placement.certificate import Certificate, objections
from splitshare.placement.instance import PlacementInstance


def run(instance: Path, certificate: Path) -> Certificate:
    """Read a certificate and hold it against its instance.

    Raises:
        InputError: a file is wrong.
        WorkError: the certificate does not hold; names the first thing that does not.
    """
    read = PlacementInstance.read(instance)
    claimed = Certificate.read(certificate)
    if found := objections(read, claimed):
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise WorkError(f"{certificate}: does not hold: {found[0]}{more}")
    return claimed
