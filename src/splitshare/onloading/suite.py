"""The named suite of onloading instances, fixed before any of them was solved (ours).

Three sizes of 20 instances of the first zoo, and six small and six medium ones of every other; eight, eight and four of
a zoo with backbones. Shapes and scarcity are
drawn by an instance's own seed; every second instance lets servers choose batch sizes. Parameters of J3O were tried on
other seeds (1001 and up).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from splitshare.onloading.generate import BATCHES, NO_BATCHING, Roles, Shape, generate
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.zoo import Zoo

FAMILY = "j3o"
"""The suite, as a family of instances."""
INSTANCES_PER_SIZE = {"small": 20, "medium": 20, "large": 20}
FURTHER_INSTANCES_PER_SIZE = {"small": 6, "medium": 6}
"""Of zoos after the first."""
SHARING_INSTANCES_PER_SIZE = {"small": 8, "medium": 8, "large": 4}
"""Of zoos with backbones, where they are not the first."""
FACTORS = (0.5, 1.0, 2.0)
"""Factors on memory, load and bandwidth, each drawn on its own."""


@dataclass(frozen=True)
class Size:
    """Ranges that an instance's shape is drawn from, both ends included."""

    clients: tuple[int, int]
    servers: tuple[int, int]
    tasks: tuple[int, int]
    models: tuple[int, int]


SIZES = {
    "small": Size((2, 12), (1, 2), (2, 4), (5, 10)),
    "medium": Size((20, 50), (2, 4), (4, 6), (12, 20)),
    "large": Size((80, 200), (5, 10), (6, 6), (24, 30)),
}


def suite(zoo: Zoo, roles: Roles, *, first: bool = True, variants: bool = False) -> Iterator[OnloadingInstance]:
    """The instances in order, named ``<size>-<number>`` and ``<size>-<number>-batching``, a further zoo's name before.

    Args:
        zoo: where models are taken from; where it has fewer tasks or models than a size asks for, all of it.
        roles: the device of each tier.
        first: whether the zoo is the first.
        variants: whether at most one model of a family of the zoo stands at a place; names then end in ``-variants``.
    """
    further = SHARING_INSTANCES_PER_SIZE if zoo.backbones else FURTHER_INSTANCES_PER_SIZE
    for position, (size, ranges) in enumerate(SIZES.items()):
        count = (INSTANCES_PER_SIZE if first else further).get(size, 0)
        for number in range(1, count + 1):
            seed = 100 * position + number
            draw = random.Random(f"{zoo.name} {seed}")
            batching = number % 2 == 0
            shape = Shape(
                clients=draw.randint(*ranges.clients),
                servers=draw.randint(*ranges.servers),
                tasks=min(draw.randint(*ranges.tasks), len(zoo.tasks)),
                models=min(draw.randint(*ranges.models), len(zoo.models)),
                memory=draw.choice(FACTORS),
                load=draw.choice(FACTORS),
                bandwidth=draw.choice(FACTORS),
                batches=BATCHES if batching else NO_BATCHING,
            )
            name = f"{'' if first else f'{zoo.name}-'}{size}-{number:02d}{'-batching' if batching else ''}"
            name += "-variants" if variants else ""
            yield generate(zoo, roles, shape, seed=seed, name=name, size_class=size, variants=variants)
