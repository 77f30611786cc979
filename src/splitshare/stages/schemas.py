"""Write the JSON Schemas of all files that are read or written into the directory OUTPUT."""

from __future__ import annotations

from splitshare.commands.schemas import Options
from splitshare.files import write_text
from splitshare.schemas import schema_files


def run(options: Options) -> None:
    """Write a file a contract into the directory ``output``."""
    for name, text in schema_files().items():
        write_text(options.output / name, text)
