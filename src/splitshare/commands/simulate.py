"""``splitshare simulate``: replay a request trace against a placement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from splitshare.commands.evaluate import read_replayable
from splitshare.replay.batching import read_batching
from splitshare.replay.metrics import request_metrics
from splitshare.replay.plan import LinkModel
from splitshare.replay.simulator import simulate
from splitshare.replay.tables import check_table_path
from splitshare.replay.traces import read_trace

if TYPE_CHECKING:
    import pandas as pd


def run(
    *,
    instance: Path,
    placement: Path,
    trace: Path,
    output: Path,
    stages_output: Path | None = None,
    link_model: LinkModel = "serial",
    max_batch: int = 1,
    batch_curves: Path | None = None,
) -> pd.DataFrame:
    """Replay ``trace``; each request class takes the evaluator's route.

    Args:
        instance: the instance, before the placement's variant.
        placement: a placement of it.
        trace: requests, Parquet or CSV.
        output: the requests table to write, Parquet or CSV by suffix.
        stages_output: the stages table to write, if wanted.
        link_model: how transfers share links.
        max_batch: requests' stages in a batch.
        batch_curves: seconds of batches; needed for batches.

    Returns:
        Metrics by request class and overall (``request_metrics``).

    Raises:
        InputError: a file is wrong, the files do not belong together, or the placement is empty or
            infeasible.
    """
    for path in (output, stages_output):
        if path is not None:
            check_table_path(path)
    read, _, worth = read_replayable(instance, placement)
    batching = read_batching(batch_curves, max_batch, read, needed=True)
    requests = read_trace(trace, read)
    result = simulate(read, worth.routes, requests, link_model=link_model, source=placement, batching=batching)
    result.write(output, stages_output)
    return request_metrics(result.requests)
