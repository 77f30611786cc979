"""What sharing modules across tasks saves in bytes, and what it costs in latency."""

from __future__ import annotations

import pandas as pd

from splitshare.catalog.loader import Catalog
from splitshare.profiling.records import ModuleDescriptions
from splitshare.results.memory import shared_bytes

SHARED, UNSHARED, WHOLE = "s2m3-greedy", "no-sharing", "whole-models"
COLUMNS = [
    *("workload", "testbed", "shared_s", "unshared_s", "whole_s"),
    *("unshared_bytes", "shared_bytes", "saving", "price"),
]


def sharing_price(catalog: Catalog, descriptions: ModuleDescriptions, placements: pd.DataFrame) -> pd.DataFrame:
    """One row an instance of several models: bytes saved, and latency shared over latency with a copy a model.

    ``price`` is how much longer a request takes on average where modules are shared, both placed by S2M3's greedy;
    empty where the copies do not fit. ``whole_s`` is with every model whole on one device. Requests find idle devices:
    what queues at a shared module is not in it. There is no row without such instances.
    """
    table = placements.pivot_table(index=["workload", "testbed"], columns="method", values="objective_s", sort=False)
    rows = table.reindex(columns=[SHARED, UNSHARED, WHOLE]).reset_index()
    rows = rows[[len(catalog.workload(name).models) > 1 for name in rows["workload"]]]
    names = list(dict.fromkeys(rows["workload"]))
    if not names:
        return pd.DataFrame(columns=COLUMNS)
    sizes = shared_bytes(catalog, descriptions, names).assign(workload=names).set_index("workload")
    made = rows.rename(columns={SHARED: "shared_s", UNSHARED: "unshared_s", WHOLE: "whole_s"}).rename_axis(columns=None)
    for column in ("unshared_bytes", "shared_bytes", "saving"):
        made[column] = made["workload"].map(sizes[column])
    made["price"] = made["shared_s"] / made["unshared_s"] - 1
    return made[COLUMNS].reset_index(drop=True)
