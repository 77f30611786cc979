"""The first requests of a replay, stage by stage."""

from __future__ import annotations

import pandas as pd

LINK = "->"
"""Stands in the name of a direction of a link, and in no device's name."""


def timeline_table(stages: pd.DataFrame) -> pd.DataFrame:
    """Stages of the first request of each class that occupy a device or a link, in seconds since its arrival."""
    arrival_s = stages.groupby("request_id")["ready_s"].transform("min")
    first = stages.groupby("request", observed=True)["request_id"].transform("min") == stages["request_id"]
    lane = stages["device"].astype(object).fillna(stages["link"].astype(object))
    table = stages.assign(
        lane=lane, **{column: stages[column] - arrival_s for column in ("ready_s", "start_s", "finish_s")}
    )[first & lane.notna()]
    columns = ["request", "stage", "module", "lane", "ready_s", "start_s", "finish_s"]
    return table[columns].sort_values(["request", "start_s", "lane"], kind="stable").reset_index(drop=True)
