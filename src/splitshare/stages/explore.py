"""Write one HTML page, for any browser and without a network, in which every result of a run can be looked at."""

from __future__ import annotations

from splitshare.catalog.loader import load_catalog
from splitshare.commands.explore import Options
from splitshare.errors import InputError
from splitshare.explorer.data import collect
from splitshare.explorer.page import page
from splitshare.files import write_text


def run(options: Options) -> None:
    """Write the page ``output``: the run's placements, and beside them what is recorded of other methods.

    Raises:
        InputError: the results hold no placements, or a file is wrong.
    """
    if not all((options.results / name).is_dir() for name in ("instances", "placements")):
        raise InputError(options.results, "", "holds no placements; give --results results/canonical after a run")
    catalog = load_catalog(options.catalog_root)
    write_text(options.output, page(collect(options.results, catalog)))
