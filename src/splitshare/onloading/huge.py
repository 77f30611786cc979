"""The family of large onloading instances, fixed before any of them was solved (ours); written on demand.

By the rules of the suite's instances, with all of the zoo's tasks and models, twenty clients a server. Scarcity is
drawn by an instance's own seed, and every second instance lets servers choose batch sizes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from splitshare.onloading.generate import BATCHES, NO_BATCHING, Roles, Shape, generate
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.suite import FACTORS
from splitshare.onloading.zoo import Zoo

HUGE = "huge"
"""The family, and the size class of its instances."""
SIZES = ((200, 10), (500, 25), (1000, 50), (2000, 100), (5000, 250), (10000, 500))
"""Clients and servers; two instances of each."""
FIRST_SEED = 900


def huge(zoo: Zoo, roles: Roles, *, most_clients: int = SIZES[-1][0]) -> Iterator[OnloadingInstance]:
    """The instances in order, named ``huge-<clients>`` and ``huge-<clients>-batching``.

    Args:
        zoo: where models are taken from: all of them, and all of its tasks.
        roles: the device of each tier.
        most_clients: no instances of more clients than that; others are the same without them.
    """
    for position, (clients, servers) in enumerate(SIZES):
        for number, batches in enumerate((NO_BATCHING, BATCHES)):
            seed = FIRST_SEED + 10 * position + number
            draw = random.Random(f"{zoo.name} {seed}")
            memory, load, bandwidth = (draw.choice(FACTORS) for _ in range(3))
            if clients > most_clients:
                continue
            shape = Shape(
                clients=clients,
                servers=servers,
                tasks=len(zoo.tasks),
                models=len(zoo.models),
                memory=memory,
                load=load,
                bandwidth=bandwidth,
                batches=batches,
            )
            name = f"{HUGE}-{clients}{'-batching' if number else ''}"
            yield generate(zoo, roles, shape, seed=seed, name=name, size_class=HUGE)
