"""Most value for its weight first."""


class ByDensity:
    name = "by-density"

    def pack(self, instance, *, seed, time_limit):
        room, chosen = instance.capacity, []
        for item in sorted(instance.items, key=lambda item: -item.value / item.weight):
            if item.weight <= room:
                chosen.append(item.name)
                room -= item.weight
        return chosen
