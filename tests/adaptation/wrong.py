"""What a reader says of a file that is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from splitshare.adaptation.events import COLUMNS
from splitshare.errors import InputError


def complaint(read: Callable[[Path], object], rows: str, folder: Path) -> str:
    """What is said of a file of events with these rows."""
    path = folder / "e.csv"
    path.write_text("\n".join([",".join(COLUMNS), rows, ""]))
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)
