"""``splitshare onloading zoo``: make the zoo of published figures."""

from __future__ import annotations

from pathlib import Path

from splitshare.onloading.published_zoo import published_zoo


def run(table: Path, output: Path) -> None:
    """Write the zoo of the models in ``table`` (``data/published/timm_accuracy_zoo.csv``).

    Raises:
        InputError: the table is malformed.
    """
    published_zoo(table).write(output)
