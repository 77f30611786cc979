"""Count parameters, operations and bytes of the catalogue's modules."""

from __future__ import annotations

from splitshare.catalog.loader import load_catalog
from splitshare.commands.describe import Options
from splitshare.profiling.describe import describe_catalog


def run(options: Options) -> None:
    """Describe modules of the catalogue and write ``splitshare.module-descriptions/1``.

    Raises:
        InputError: the catalogue is wrong, or has no such module.
    """
    describe_catalog(load_catalog(options.catalog_root), options.modules or None, options.precision).write(
        options.output
    )
