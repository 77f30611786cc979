"""``splitshare describe``: the facts of every module that do not depend on a device."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.catalog.loader import load_catalog
from splitshare.profiling.describe import describe_catalog


def run(*, catalog_root: Path, output: Path, modules: Sequence[str] | None = None) -> None:
    """Describe modules of the catalogue and write ``splitshare.module-descriptions/1``.

    Args:
        catalog_root: the data folder, which holds ``catalogue/``.
        output: file to write.
        modules: names; by default all modules of the catalogue.

    Raises:
        InputError: the catalogue is wrong, or has no such module.
    """
    describe_catalog(load_catalog(catalog_root), modules).write(output)
