"""Plans that leave room for queues: how much of links and processors to use up, found by replays (ours)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from splitshare.onloading.instance import OnloadingInstance


def limited(instance: OnloadingInstance, utilisation: float | None) -> OnloadingInstance:
    """The instance with a plan allowed so much of every limit on computing and of every link; ``None``: all of it."""
    return instance.with_changes(utilisation=utilisation)


def best_limits(table: pd.DataFrame, by: Sequence[str] = ("load",)) -> pd.DataFrame:
    """The utilisation limit whose replayed accuracy in time is best, for each load.

    Args:
        table: ``load``, ``utilisation``, ``accuracy_in_time``, a row a replay; replays of several seeds count by their
            mean.
        by: columns whose values each have a best limit.

    Returns:
        ``by``, ``utilisation`` (the highest of those that are best), ``accuracy_in_time``, and ``gain``: over using
        everything up.
    """
    mean = pd.DataFrame(table.groupby([*by, "utilisation"])["accuracy_in_time"].mean().reset_index())
    order = mean.sort_values(["accuracy_in_time", "utilisation"], ascending=False)
    best = order.drop_duplicates(list(by)).sort_values(list(by))
    full = mean[mean["utilisation"] == 1.0].set_index(list(by))["accuracy_in_time"]
    keys = best[by[0]] if len(by) == 1 else pd.MultiIndex.from_frame(best[list(by)])
    return best.assign(gain=best["accuracy_in_time"].to_numpy() - full.reindex(keys).to_numpy()).reset_index(drop=True)
