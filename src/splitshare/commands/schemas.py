"""``splitshare schemas``: write the JSON Schemas of the file contracts."""

from __future__ import annotations

from pathlib import Path

from splitshare.files import write_text
from splitshare.schemas import schema_files


def run(output: Path) -> None:
    """Write a file a contract into the directory ``output``."""
    for name, text in schema_files().items():
        write_text(output / name, text)
