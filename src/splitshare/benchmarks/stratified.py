"""A fair subset of a labelled split: as many samples of every class as there are, or as close to it as can be (ours).

Shares of classes are equal, what is left over goes to classes drawn by the seed, and a class with fewer samples than
its share leaves the rest to the others. Where labels can be read before pictures, shards are taken in an order drawn
by the seed until every share is filled, so that no more of them are fetched than need be; in each, samples are drawn by
the seed. Where they cannot, every shard is passed through once and samples are drawn from all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

Labels = Sequence[Hashable]
"""Label of each row of a shard; ``None`` for a row that does not belong to the split."""


def shares(available: Mapping[Hashable, int], samples: int, seed: int) -> dict[Hashable, int]:
    """How many samples of each class to take: all of them if there are no more than ``samples``.

    Args:
        available: samples by class.
        samples: how many to take.
        seed: draws who gets what is left over.
    """
    order = sorted(available, key=str)
    draw = np.random.default_rng([seed, 1])
    taken = dict.fromkeys(order, 0)
    left = min(samples, sum(available.values()))
    while left:
        open_ = [label for label in order if taken[label] < available[label]]
        share, rest = divmod(left, len(open_))
        if not share:
            for i in draw.permutation(len(open_))[:rest].tolist():
                taken[open_[i]] += 1
            break
        for label in open_:
            more = min(share, available[label] - taken[label])
            taken[label] += more
            left -= more
    return taken


def chosen_rows(labels: Sequence[Labels], samples: int, seed: int) -> dict[int, list[int]]:
    """Rows to fetch of each shard, ascending; shards in the order in which they are to be read.

    Args:
        labels: of all rows of all shards.
        samples: how many to choose.
        seed: draws shards and rows.
    """
    available = Counter(label for shard in labels for label in shard if label is not None)
    wanted = shares(available, samples, seed)
    chosen: dict[int, list[int]] = {}
    for shard in np.random.default_rng(seed).permutation(len(labels)).tolist():
        rows = [i for i in _drawn(labels[shard], seed, shard) if _taken(wanted, labels[shard][i])]
        if rows:
            chosen[shard] = sorted(rows)
    return chosen


def _drawn(labels: Labels, seed: int, shard: int) -> list[int]:
    """Rows of a shard that belong to the split, in an order drawn by the seed."""
    order = np.random.default_rng([seed, 2, shard]).permutation(len(labels)).tolist()
    return [i for i in order if labels[i] is not None]


def _taken(wanted: dict[Hashable, int], label: Hashable) -> bool:
    """Whether a sample of this class is still wanted; it is then counted."""
    if not wanted.get(label):
        return False
    wanted[label] -= 1
    return True
