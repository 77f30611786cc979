"""The edge against the cloud over a grid of networks and speeds (claim S5)."""

from __future__ import annotations

import pandas as pd

from splitshare.config import CloudCell

CELL = ["round_trip_s", "bandwidth_bytes_per_s", "speed"]


def at_cell(grid: pd.DataFrame, cell: CloudCell) -> pd.DataFrame:
    """Rows of one cell of the grid."""
    for name in CELL:
        grid = grid[grid[name] == getattr(cell, name)]
    return grid


def grid_table(grid: pd.DataFrame) -> pd.DataFrame:
    """One row a cell, over the single-model workloads: best and median reduction, models faster at the edge."""
    single = grid[grid["models"] == 1]
    cells = single.groupby(CELL, sort=False)["reduction"]
    table = cells.agg(best="max", median="median", models="size", faster_at_the_edge=lambda r: int((r > 0).sum()))
    return table.reset_index()
