"""Print the objective of a placement or an onloading decision, and what it is made of, as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from splitshare.commands.arguments import AnswerFile, InstanceFile


@dataclass(frozen=True)
class Options:
    """Options of ``splitshare evaluate``."""

    instance: InstanceFile
    answer: AnswerFile
