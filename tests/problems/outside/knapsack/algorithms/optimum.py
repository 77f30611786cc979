"""Every subset."""

import itertools


class Optimum:
    name = "optimum"
    exact = True

    def pack(self, instance, *, seed, time_limit):
        every = (s for n in range(len(instance.items) + 1) for s in itertools.combinations(instance.items, n))
        fitting = [s for s in every if sum(item.weight for item in s) <= instance.capacity]
        return [item.name for item in max(fitting, key=lambda s: sum(item.value for item in s))]
