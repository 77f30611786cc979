"""``splitshare batch-curves``: what batches take on the devices of an instance, from their profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.catalog.testbeds import read_testbed
from splitshare.commands.instances import read_profiles
from splitshare.placement.instance import PlacementInstance
from splitshare.replay.profiled_batches import profiled_curves


def run(
    *,
    instance: Path,
    testbed: Path,
    profiles: Sequence[Path],
    catalog_root: Path,
    output: Path,
    tell: Callable[[str], None],
) -> None:
    """Write the batch curves of an instance.

    Args:
        instance: built of these profiles.
        testbed: whose devices it has.
        profiles: of the testbed's device types, each called ``<device>.json``.
        catalog_root: the data folder, with ``catalogue/*.yaml``.
        output: the curves.
        tell: takes a line for people: which modules have no batches.

    Raises:
        InputError: a file is wrong, or the files do not belong together.
    """
    read = PlacementInstance.read(instance)
    curves = profiled_curves(read, read_testbed(testbed), read_profiles(profiles), load_catalog(catalog_root))
    curves.check(read, output)
    curves.write(output)
    alone = sorted({f"{c.module} for {', '.join(c.requests)}" for c in curves.curves if len(c.batches) == 1})
    if alone:
        tell(f"no profiled batches, runs one by one: {'; '.join(alone)}")
