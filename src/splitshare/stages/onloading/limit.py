"""Write an instance with a least accuracy or share served of its tasks, with energies, or with a limit on energy."""

from __future__ import annotations

import math
from collections.abc import Sequence

from splitshare.commands.onloading.limit import Options
from splitshare.errors import InputError, shown
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.limiting import with_limits, with_power
from splitshare.records import nearest

MOST_WATTS = 1e9


def run(options: Options) -> None:
    """Write ``output``: the instance with what is given; what is not given stays as it is.

    Raises:
        InputError: the instance or an option is wrong, or nothing is given.
    """
    instance = OnloadingInstance.read(options.instance)
    if options.uplink_j_per_byte is not None and not options.watts:
        raise InputError("--uplink-j-per-byte", "", "has no meaning without --watts; give them, too")
    if not any((options.least_accuracy, options.least_served, options.watts, options.energy_limit_j is not None)):
        options_wanted = "--least-accuracy, --least-served, --watts or --energy-limit-j"
        raise InputError(options.instance, "", f"nothing is to change; give {options_wanted}")
    if options.output.resolve() == options.instance.resolve():
        raise InputError("--output", str(options.output), "is the instance itself; give another file")
    if options.watts:
        classes = list(dict.fromkeys(name for model in instance.models for name in model.compute))
        watts = _numbers("--watts", options.watts, classes, "device class", MOST_WATTS, each=False)
        instance = with_power(instance, watts, options.uplink_j_per_byte, source="--watts")
    tasks = [task.name for task in instance.tasks]
    instance = with_limits(
        instance,
        least_accuracy=_numbers("--least-accuracy", options.least_accuracy, tasks, "task", 1.0),
        least_served=_numbers("--least-served", options.least_served, tasks, "task", 1.0),
        energy_limit_j=options.energy_limit_j,
        source=str(options.instance),
    )
    instance.write(options.output)


def _numbers(
    option: str, words: Sequence[str], known: Sequence[str], kind: str, most: float, *, each: bool = True
) -> dict[str, float]:
    """Numbers by name; a number alone is of all names that no other word names.

    Raises:
        InputError: an unknown name, one that stands twice, or no such number.
    """
    found: dict[str, float] = {}
    for word in words:
        name, given, number = word.rpartition("=")
        try:
            value = float(number) if given or each else math.nan
        except ValueError:
            value = math.nan
        if not 0 <= value <= most:
            form = f"a {kind} and a number, such as {known[0]}={min(most / 2, 30):g}" + (
                ", or the number alone" if each else ""
            )
            raise InputError(option, shown(word), f"must be {form}, from 0 to {most:g}")
        if name in found:
            raise InputError(option, shown(word), f"{name or 'a number alone'} stands twice; keep one")
        if given and name not in known:
            raise InputError(option, shown(word), f"{name!r} is no {kind}; {nearest(name, list(known))}")
        found[name] = value
    of_all = found.pop("", None)
    return found if of_all is None else dict.fromkeys(known, of_all) | found
