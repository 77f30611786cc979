"""Put measured accuracies into the record OUTPUT, in the place of older ones."""

from __future__ import annotations

from splitshare.benchmarks.accuracy import AccuracyRecord, merge
from splitshare.commands.embedded.record import Options


def run(options: Options) -> None:
    """Put the rows of an accuracy record into another, which is made where there is none.

    Raises:
        InputError: one of the files is wrong.
    """
    kept = [AccuracyRecord.read(options.output)] if options.output.is_file() else []
    merge([*kept, AccuracyRecord.read(options.accuracy)]).write(options.output)
