"""``splitshare solve``: place the modules of one or several instances with one algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from splitshare.errors import InputError
from splitshare.placement.contract import PlacementAlgorithm, load
from splitshare.placement.instance import Placement, PlacementInstance
from splitshare.placement.run import solve
from splitshare.progress import track


def run(
    instances: Sequence[Path],
    *,
    algorithm: str,
    solver: str | None,
    seed: int,
    time_limit_s: float | None,
    output: Path,
    parameters: Sequence[str] = (),
) -> list[Placement]:
    """Solve ``instances`` and write a placement file each.

    Args:
        instances: instance files.
        algorithm: name or ``file.py:Class``.
        solver: solver of an exact algorithm; ``None`` for the algorithm's default.
        seed: of whatever is random in the algorithm.
        time_limit_s: limit for each instance, in seconds.
        parameters: other parameters of the algorithm than its own, as ``name=value``; the placements' ``algorithm``
            names them too (``s2m3-greedy[order=file]``), so that they are not taken for the algorithm's own.
        output: file for one instance, directory for several (``<output>/<instance file name>``).

    Raises:
        InputError: an instance, the algorithm's name or an option is wrong; nothing is written then.
        WorkError: the algorithm's answer does not hold.
    """
    options = {} if solver is None else {"solver": solver}
    made: PlacementAlgorithm = load(algorithm, parameters, **options)
    label = f"{made.name}[{','.join(parameters)}]" if parameters else made.name
    if len({path.name for path in instances}) != len(instances):
        raise InputError("INSTANCE", "", "two instances have the same file name; solve them one by one")
    read = [PlacementInstance.read(path) for path in instances]
    placements: list[Placement] = []
    for path, instance in track(zip(instances, read, strict=True), f"solving with {algorithm}", total=len(read)):
        placement = solve(instance, made, seed=seed, time_limit_s=time_limit_s)
        placement = placement.model_copy(update={"algorithm": label})
        placement.write(output / path.name if len(instances) > 1 or output.is_dir() else output)
        placements.append(placement)
    return placements
