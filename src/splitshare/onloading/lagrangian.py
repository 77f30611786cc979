"""The Lagrangian relaxation of the shared limits: what answers are worth at given prices, and the bound it proves.

With a price on every shared limit (computing and links) a query goes wherever it is worth most, so what is left to
decide is which models stand where: ``F(X) = sum over rows of max(0, best answer that X or the cloud offers)``. Each
row's term is a maximum over the models in X, so F is monotone and submodular, and memory is a knapsack a location.
Prices times limits plus ``max F`` bounds every decision's right answers from above. Side constraints are priced as the
others are: a least share has a negative bound, and its price adds to what its task's answers are worth.
"""

from __future__ import annotations

import numpy as np

from splitshare.onloading.arrays import Arrays, Flags, Floats
from splitshare.onloading.columns import Limits
from splitshare.onloading.greedy import Values
from splitshare.onloading.instance import PLACES, Place


def values_at(arrays: Arrays, limits: Limits, prices: Floats, places: tuple[Place, ...] = PLACES) -> Values:
    """What answers are worth at ``prices``; 0 where they are not allowed or cost more than they give.

    Args:
        arrays: the instance.
        limits: its shared limits.
        prices: right answers a second that one more of each limit is worth, shape (limits,).
        places: where queries may be answered.
    """
    client, server = arrays.row_client, arrays.stop_server
    # What a query's links cost by the backhauls that it has passed.
    links = [arrays.size * prices[limits.uplink + client]]
    for above in arrays.way[arrays.row_server].T:
        links.append(links[-1] + np.where(above >= 0, arrays.size * prices[limits.backhaul + above], 0.0))
    link = np.stack(links, axis=1)[arrays.stop_row, arrays.stop_hops] if arrays.tiers else links[0]
    accuracy = arrays.accuracy

    def worth(gain: Floats, allowed: Flags, place: Place) -> Floats:
        if place not in places:
            return np.zeros_like(gain)
        rate = arrays.at_stops(arrays.rate) if place == "edge" else arrays.rate
        rate = rate.reshape(-1, *(1,) * (gain.ndim - 1))
        return np.ascontiguousarray(rate * np.where(allowed & (gain > 0), gain, 0.0))

    with np.errstate(invalid="ignore"):
        here = accuracy - arrays.client_s[client] * prices[limits.client + client][:, None]
        edge = (arrays.at_stops(accuracy) - link[:, None])[:, :, None] - arrays.edge_s[server] * prices[
            limits.server + server
        ][:, None, None]
        cloud = accuracy - arrays.cloud_s * prices[limits.cloud] - links[-1][:, None]
    if len(limits.side):
        charges = limits.side.charges(arrays, prices[limits.first_side :])
        here, edge, cloud = (gain - charge for gain, charge in zip((here, edge, cloud), charges, strict=True))
    return Values(
        worth(here, arrays.client_allowed, "client")[:, :, None],
        worth(edge, arrays.edge_allowed, "edge"),
        worth(cloud, arrays.cloud_allowed, "cloud").max(axis=1),
    )


def worth_of_limits(limits: Limits, prices: Floats) -> float:
    """Prices times the shared limits (the rows' own, "at most all of a row", stay in F)."""
    return float((prices[limits.rows :] * limits.bound[limits.rows :]).sum())
