"""Write the family of large instances, a file each, into the directory OUTPUT."""

from __future__ import annotations

from splitshare.commands.onloading.huge import Options
from splitshare.onloading.generate import roles_of
from splitshare.onloading.huge import SIZES, huge
from splitshare.onloading.zoo import Zoo
from splitshare.progress import track


def run(options: Options) -> None:
    """Write ``<output>/<name>.json`` for each instance.

    Raises:
        InputError: the zoo is wrong, or nobody has said what its devices stand for.
    """
    zoo = Zoo.read(options.zoo)
    instances = huge(zoo, roles_of(zoo, options.zoo), most_clients=options.most_clients)
    count = 2 * sum(clients <= options.most_clients for clients, _ in SIZES)
    for instance in track(instances, "drawing the large instances", total=count):
        instance.write(options.output / f"{instance.name}.json")
