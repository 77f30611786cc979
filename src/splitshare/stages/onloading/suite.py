"""Write the named suite of instances, and its digests, into the directory OUTPUT."""

from __future__ import annotations

from splitshare.commands.onloading.suite import Options
from splitshare.errors import InputError
from splitshare.jsonl import write_lines
from splitshare.onloading.generate import roles_of
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.suite import suite
from splitshare.onloading.zoo import Zoo
from splitshare.placement.pinned import pinned
from splitshare.results.onloading import DIGESTS, INSTANCES


def run(options: Options) -> None:
    """Write the suites of ``zoos`` one after another: instances, a line each, and their digests.

    With ``each``, every instance goes into ``<output>/<name>.json``, too.
    Names of the first zoo's instances are plain, unless it is a further one too; those of others carry the zoo's name.

    Raises:
        InputError: a zoo is wrong or stands twice, nobody has said what its devices stand for, or variants are asked
            for of a zoo that has none.
    """
    zoos = [Zoo.read(path) for path in options.zoos]
    for path, zoo in zip(options.zoos, zoos, strict=True):
        if sum(zoo.name == other.name for other in zoos) > 1:
            raise InputError(path, "name", f"{zoo.name!r} stands twice in one suite; give each zoo once")
    instances: list[OnloadingInstance] = []
    for number, (path, zoo) in enumerate(zip(options.zoos, zoos, strict=True)):
        if options.variants and all(model.variant_of is None for model in zoo.models):
            raise InputError(path, "models", "none has a family; give variant_of to those of one, or no --variants")
        first = number == 0 and not options.further
        instances += list(suite(zoo, roles_of(zoo, path), first=first, variants=options.variants))
    write_lines(instances, options.output / INSTANCES)
    pinned(instances).write(options.output / DIGESTS)
    for instance in instances if options.each else ():
        instance.write(options.output / f"{instance.name}.json")
