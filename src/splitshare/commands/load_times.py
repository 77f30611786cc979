"""Write what loading modules takes on the devices of an instance, from profiles or an assumed rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import RATE, InstanceFile, Output, Profiles


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare load-times``."""

    instance: InstanceFile
    output: Output
    testbed: Annotated[Path, typer.Option(help="Testbed of the instance (YAML).")]
    profiles: Profiles
    bytes_per_s: Annotated[
        float | None, typer.Option(**RATE, help="Bytes a second, assumed where a profile has no seconds of loading.")
    ] = None
