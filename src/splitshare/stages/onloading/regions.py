"""Write an instance with regional servers between its servers and the cloud; run it on its result for another tier."""

from __future__ import annotations

from pydantic import ValidationError

from splitshare.commands.onloading.regions import Options
from splitshare.errors import InputError
from splitshare.onloading.instance import OnloadingInstance
from splitshare.onloading.regions import Regions, with_regions


def run(options: Options) -> None:
    """Write the instance to ``output``.

    Raises:
        InputError: the instance is wrong, or what a region would have is out of range.
    """
    instance = OnloadingInstance.read(options.instance)
    regions = Regions(options.servers, options.memory, options.compute, options.backhaul, options.latency)
    try:
        above = with_regions(instance, regions)
    except ValidationError:
        problem = "a region's memory, computing or backhaul is out of range; take other factors"
        raise InputError(options.instance, "servers", problem) from None
    above.write(options.output)
