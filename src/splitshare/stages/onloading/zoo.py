"""Make the zoo of published figures."""

from __future__ import annotations

from splitshare.commands.onloading.zoo import Options
from splitshare.onloading.published_zoo import published_zoo


def run(options: Options) -> None:
    """Write the zoo of the models in ``table`` (``data/published/timm_accuracy_zoo.csv``).

    Raises:
        InputError: the table is malformed.
    """
    published_zoo(options.table).write(options.output)
