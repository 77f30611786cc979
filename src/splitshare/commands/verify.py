"""Recheck a certificate in plain arithmetic, without a solver; exit code 1 where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from splitshare.commands.arguments import InstanceFile


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare verify``."""

    instance: InstanceFile
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="Certificate of an optimum (JSON).")]
